/**
 * The bundle file as a host's stunnel loads it (measured with 5.68, docs/trust-stores.md). stunnel reads it twice:
 * once certificate by certificate up to the first fault, for a list of names that must not be empty, and once as a
 * whole for the trust anchors, where a fault anywhere leaves nothing.
 */
import { X509Certificate } from 'node:crypto'
import { readElement, readElements, readOid, TAG } from './der.js'
import { decodeBase64 } from './pem.js'
import type { TrustAnchor } from './verdict.js'

export type Bundle =
  | { readonly state: 'loaded'; readonly anchors: readonly TrustAnchor[] }
  /** stunnel logs `Configuration failed` and does not even connect. */
  | { readonly state: 'unusable'; readonly why: string }

/** Reads a bundle file's bytes; `undefined` stands for a file that is not there. */
export function loadBundle(bytes: Buffer | undefined): Bundle {
  if (!bytes) return { state: 'unusable', why: 'there is no bundle file' }
  const { blocks, fault } = splitBlocks(bytes.toString('latin1'))

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

interface Blocks {
  readonly blocks: readonly { readonly label: string; readonly der: Buffer }[]
  /** The first thing OpenSSL stumbles over; what stands after it is not reached. */
  readonly fault: string | undefined
}

/** OpenSSL's PEM reader: blanks at line ends do not count, a blank line divides encapsulated headers from the body. */
function splitBlocks(text: string): Blocks {
  const blocks: { label: string; der: Buffer }[] = []
  let open: { label: string; headers: string | undefined; body: string } | undefined
  for (const raw of text.replace(/^\xEF\xBB\xBF/, '').split('\n')) {
    const line = withoutBlankEnd(raw)
    if (!open) {
      const label = /^-----BEGIN (.*)-----$/.exec(line)?.[1]
      if (label !== undefined) open = { label, headers: undefined, body: '' }
    } else if (line.startsWith('-----END ')) {
      if (line !== `-----END ${open.label}-----`) return { blocks, fault: `a ${open.label} block ends in a wrong line` }
      const der = decodeBase64(open.body)
      if (!der) return { blocks, fault: `a ${open.label} block holds something that is not base64` }
      if (open.headers && open.label.endsWith('CERTIFICATE')) return { blocks, fault: 'a certificate with PEM headers' }
      blocks.push({ label: open.label, der })
      open = undefined
    } else if (line === '') {
      if (open.headers !== undefined) return { blocks, fault: `a blank line inside a ${open.label} block` }
      open.headers = open.body
      open.body = ''
    } else {
      open.body += line
    }
  }
  return { blocks, fault: open ? `a ${open.label} block does not end` : undefined }
}

/** By hand: a pattern that is anchored at the end only takes a time that grows with the square of a run of blanks. */
function withoutBlankEnd(line: string): string {
  let end = line.length
  while (end > 0 && line.charCodeAt(end - 1) <= 0x20) end--
  return line.slice(0, end)
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
