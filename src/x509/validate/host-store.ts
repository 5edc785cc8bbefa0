/** A host's trust anchors and revocation lists as its stunnel loads them (measured with 5.68, docs/trust-stores.md). */
import type { X509Certificate } from 'node:crypto'
import { fieldsOf, readElement, readElements, readOid, TAG } from '../encoding/der.js'
import { splitPem } from '../encoding/pem.js'
import { readCertificate, readFacts } from './certificate-facts.js'
import type { Question, TrustAnchor } from './verdict.js'

export type Bundle =
  | { readonly state: 'loaded'; readonly anchors: readonly TrustAnchor[] }
  /** stunnel logs `Configuration failed` and does not even connect. */
  | { readonly state: 'unusable'; readonly why: string }

/**
 * Reads the bundle file; `undefined` stands for a missing one. stunnel reads it twice: certificate by certificate up to the first
 * fault, for a list of names that must not be empty, and as a whole for the trust anchors, where any fault leaves none.
 */
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
    const certificate = readCertificate(der)
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

/** CertAux, which follows the certificate in a TRUSTED CERTIFICATE: purposes it is trusted for, and [0] those it is rejected for. */
function readTrustSettings(der: Buffer): Pick<TrustAnchor, 'trustedFor' | 'rejectedFor'> {
  const rest = der.subarray(readElement(der)?.bytes.length ?? der.length)
  const fields = fieldsOf(readElement(rest))
  const purposes = (tag: number) => {
    const list = fields.find((field) => field.tag === tag)
    return list && (readElements(list.content) ?? []).map((oid) => readOid(oid.content))
  }
  const [trustedFor, rejectedFor] = [purposes(TAG.sequence), purposes(0xa0)]
  return { trustedFor, rejectedFor }
}

export type HostStore =
  | Extract<Bundle, { readonly state: 'unusable' }>
  | ({ readonly state: 'loaded' } & Pick<Question, 'anchors' | 'crls'>)

/**
 * Reads bundle and revocation folder, which OpenSSL keeps in one store: a list inside the bundle counts as soon as the folder has
 * an entry, and a certificate in the folder is trusted like one of the bundle. `folder` holds the contents of the files that are
 * linked by their hash; undefined where the folder is empty.
 */
export function loadHostStore(bytes: Buffer | undefined, folder: Question['crls']): HostStore {
  const bundle = loadBundle(bytes)
  if (bundle.state === 'unusable') return bundle
  if (!bytes || !folder) return { ...bundle, crls: undefined }
  const known = new Set(bundle.anchors.map(subjectOf))
  // the folder is asked only for a name the bundle does not have
  const more = folder.flatMap(readAnchors).filter((anchor) => !known.has(subjectOf(anchor)))
  return { state: 'loaded', anchors: [...bundle.anchors, ...more], crls: [...folder, bytes] }
}

function readAnchors(file: string | Buffer): readonly TrustAnchor[] {
  const read = loadBundle(Buffer.from(file))
  return read.state === 'loaded' ? read.anchors : []
}

function subjectOf({ certificate }: TrustAnchor): string {
  return readFacts(certificate).subjectKey
}
