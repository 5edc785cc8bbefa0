/**
 * The bundle file as a host's stunnel loads it (measured with 5.68, docs/trust-stores.md). stunnel reads it twice:
 * once certificate by certificate up to the first fault, for a list of names that must not be empty, and once as a
 * whole for the trust anchors, where a fault anywhere leaves nothing.
 */
import { X509Certificate } from 'node:crypto'
import { readElement, readElements, readOid, TAG } from '../encoding/der.js'
import { splitPem } from '../encoding/openssl-pem.js'
import type { TrustAnchor } from './verdict.js'

export type Bundle =
  | { readonly state: 'loaded'; readonly anchors: readonly TrustAnchor[] }
  /** stunnel logs `Configuration failed` and does not even connect. */
  | { readonly state: 'unusable'; readonly why: string }

/** Reads a bundle file's bytes; `undefined` stands for a file that is not there. */
export function loadBundle(bytes: Buffer | undefined): Bundle {
  if (!bytes) return { state: 'unusable', why: 'there is no bundle file' }
  const { blocks, fault } = splitPem(bytes)

  const named: X509Certificate[] = []
  const anchors: TrustAnchor[] = []
  let sound = fault === undefined
  let namesOpen = true
  for (const { label, der } of blocks) {
    const isPlain = label === 'CERTIFICATE' || label === 'X509 CERTIFICATE'
    if (!isPlain && label !== 'TRUSTED CERTIFICATE') continue
    const certificate = parse(der)
    if (certificate) {
      anchors.push(isPlain ? { certificate } : { certificate, ...readTrustSettings(der) })
      if (isPlain && namesOpen) named.push(certificate)
    } else {
      sound = false
      if (isPlain) namesOpen = false
    }
  }
  if (named.length === 0) return { state: 'unusable', why: fault ?? 'the bundle holds no certificate' }
  return { state: 'loaded', anchors: sound ? anchors : [] }
}

function parse(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

/** CertAux, which follows the certificate in a TRUSTED CERTIFICATE: purposes it is trusted for, and [0] those it is rejected for. */
function readTrustSettings(der: Buffer): Pick<TrustAnchor, 'trustedFor' | 'rejectedFor'> {
  const rest = der.subarray(readElement(der)?.bytes.length ?? der.length)
  const fields = readElements(readElement(rest)?.content ?? Buffer.alloc(0)) ?? []
  const purposes = (tag: number) => {
    const list = fields.find((field) => field.tag === tag)
    return list && (readElements(list.content) ?? []).map((oid) => readOid(oid.content))
  }
  const [trustedFor, rejectedFor] = [purposes(TAG.sequence), purposes(0xa0)]
  return { ...(trustedFor && { trustedFor }), ...(rejectedFor && { rejectedFor }) }
}
