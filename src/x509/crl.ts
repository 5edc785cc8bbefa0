/** Certificate revocation lists (RFC 5280, 5), read and applied as OpenSSL does for a leaf (docs/trust-stores.md). */
import { type KeyObject, verify, type X509Certificate } from 'node:crypto'
import { type DerElement, readElement, readElements, readTime, TAG } from './der.js'
import { decodeBase64 } from './pem.js'
import { readSignatureAlgorithm } from './signature-algorithm.js'

export interface Crl {
  /** DER of the issuer's name. */
  readonly issuer: Buffer
  readonly thisUpdate: Date
  readonly nextUpdate: Date | undefined
  /** Upper-case hex without leading zeros, as Node prints serial numbers. */
  readonly revokedSerials: ReadonlySet<string>
  isSignedBy(key: KeyObject): boolean
}

export type LeafRevocation =
  | { readonly state: 'good' }
  /** `text` is OpenSSL's. */
  | { readonly state: 'rejected'; readonly text: string }

/** Reads the first CRL of a PEM text, or a CRL in DER; undefined when there is none. */
export function readCrl(given: string | Buffer): Crl | undefined {
  const text = typeof given === 'string' ? given : given.toString('latin1')
  const body = /^-----BEGIN X509 CRL-----\s*$([^-]*)^-----END X509 CRL-----\s*$/m.exec(text)?.[1]
  const der = body === undefined ? Buffer.from(text, 'latin1') : decodeBase64(body.replace(/\s/g, ''))
  return der && readCertificateList(der)
}

/**
 * Asks the CRLs about one leaf. Only the CRL of the leaf's issuer is looked at and it must be there: as soon as a pool
 * has any CRL, a missing one is a refusal. Delta CRLs, and CRLs limited in scope, are not told apart.
 */
export function checkLeafRevocation(question: {
  readonly leaf: X509Certificate
  readonly issuer: X509Certificate
  /** Contents of the CRL files. */
  readonly crls: readonly (string | Buffer)[]
  readonly now: Date
}): LeafRevocation {
  const { leaf, issuer, now } = question
  const subject = readSubject(issuer)
  const candidates = question.crls.map(readCrl).filter((crl) => crl !== undefined && subject?.equals(crl.issuer))
  const crl = chooseCrl(
    candidates.filter((candidate) => candidate !== undefined),
    now,
  )
  if (!crl) return rejected('unable to get certificate CRL')
  if (crl.thisUpdate > now) return rejected('CRL is not yet valid')
  if (crl.nextUpdate && crl.nextUpdate < now) return rejected('CRL has expired')
  if (!crl.isSignedBy(issuer.publicKey)) return rejected('CRL signature failure')
  if (crl.revokedSerials.has(withoutLeadingZeros(leaf.serialNumber))) return rejected('certificate revoked')
  return { state: 'good' }
}

/** One that is in its dates beats one that is not; among equals the newer one wins. */
function chooseCrl(crls: readonly Crl[], now: Date): Crl | undefined {
  const isCurrent = (crl: Crl) => crl.thisUpdate <= now && !(crl.nextUpdate && crl.nextUpdate < now)
  return [...crls].sort(
    (a, b) => Number(isCurrent(b)) - Number(isCurrent(a)) || b.thisUpdate.getTime() - a.thisUpdate.getTime(),
  )[0]
}

/** CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }. */
function readCertificateList(der: Buffer): Crl | undefined {
  const list = readElement(der)
  const [tbs, algorithm, signature] = (list?.tag === TAG.sequence && readElements(list.content)) || []
  if (!tbs || !algorithm || signature?.tag !== TAG.bitString) return undefined
  const digest = readSignatureAlgorithm(algorithm.content)?.digest
  const fields = readElements(tbs.content)
  if (!fields) return undefined

  if (fields[0]?.tag === TAG.integer) fields.shift() // version, absent in v1
  const [, issuer, thisUpdate, ...rest] = fields
  const issued = thisUpdate && readTime(thisUpdate)
  if (issuer?.tag !== TAG.sequence || !issued) return undefined
  const next = rest[0] && isTime(rest[0]) ? rest.shift() : undefined
  const revoked = rest[0]?.tag === TAG.sequence ? readElements(rest[0].content) : []
  if (!revoked) return undefined
  return {
    issuer: issuer.bytes,
    thisUpdate: issued,
    nextUpdate: next && readTime(next),
    revokedSerials: new Set(revoked.map(readSerial).filter((serial) => serial !== undefined)),
    isSignedBy: (key) => isSigned(digest, tbs.bytes, key, signature.content.subarray(1)),
  }
}

function isTime({ tag }: DerElement): boolean {
  return tag === TAG.utcTime || tag === TAG.generalizedTime
}

function readSerial(entry: DerElement): string | undefined {
  const [serial] = readElements(entry.content) ?? []
  return serial && withoutLeadingZeros(serial.content.toString('hex').toUpperCase())
}

function withoutLeadingZeros(hex: string): string {
  return hex.replace(/^0+(?=.)/, '')
}

function isSigned(digest: string | null | undefined, tbs: Buffer, key: KeyObject, signature: Buffer): boolean {
  if (digest === undefined) return false
  try {
    return verify(digest, tbs, key, signature)
  } catch {
    return false
  }
}

/** tbsCertificate: [0] version, serialNumber, signature, issuer, validity, subject, ... (RFC 5280, 4.1). */
function readSubject(certificate: X509Certificate): Buffer | undefined {
  const whole = readElement(certificate.raw)
  const tbs = whole && readElement(whole.content)
  const fields = tbs && readElements(tbs.content)
  if (!fields) return undefined
  const hasVersion = fields[0]?.tag === 0xa0
  return fields[hasVersion ? 5 : 4]?.bytes
}

function rejected(text: string): LeafRevocation {
  return { state: 'rejected', text }
}
