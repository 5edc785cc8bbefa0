/** Certificate revocation lists (RFC 5280, 5), with what OpenSSL looks at when it decides whether one is of use. */
import { type KeyObject, verify } from 'node:crypto'
import { type AuthorityKeyId, readAuthorityKeyId } from './authority-key-id.js'
import { type DerElement, readElement, readElements, readTime, TAG } from './der.js'
import { type DistinguishedName, nameKey, readDistinguishedName } from './distinguished-name.js'
import { ALL_REASONS, type PointName, readPointName, readReasons } from './distribution-point.js'
import { type RawExtension, readExtensionList } from './extensions.js'
import { decodeBase64 } from './pem.js'
import { readSignatureAlgorithm } from './signature-algorithm.js'

export interface Crl {
  readonly der: Buffer
  readonly issuer: DistinguishedName
  readonly issuerKey: string
  /** Undefined where it cannot be read. */
  readonly thisUpdate: Date | undefined
  /** Undefined where it cannot be read; absent where the list never ends. */
  readonly nextUpdate?: Date | undefined
  readonly authorityKeyId?: AuthorityKeyId
  readonly scope?: CrlScope
  readonly hasUnknownCritical: boolean
  /** By serial number in lower-case hex without leading zeros. */
  readonly entries: ReadonlyMap<string, CrlEntry>
  isSignedBy(key: KeyObject): boolean
}

export interface CrlEntry {
  /** CRLReason; 8 takes a certificate off the list. */
  readonly reason: number | undefined
}

/** IssuingDistributionPoint (RFC 5280, 5.2.5). */
export interface CrlScope {
  readonly malformed: boolean
  readonly point?: PointName
  readonly only?: 'users' | 'authorities' | 'attributes'
  readonly isIndirect: boolean
  readonly hasReasons: boolean
  readonly reasons: number
}

const OID = {
  reason: '2.5.29.21',
  deltaIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  certificateIssuer: '2.5.29.29',
  authorityKeyId: '2.5.29.35',
}
/** OpenSSL takes responsibility for these when they are critical; a delta list is then read like a whole one. */
const SUPPORTED_CRITICAL = new Set<string>([OID.issuingDistributionPoint, OID.authorityKeyId, OID.deltaIndicator])

/** Reads every CRL of a PEM text, or the one in DER. What cannot be read is left out, as OpenSSL leaves it out. */
export function readCrls(given: string | Buffer): Crl[] {
  const text = typeof given === 'string' ? given : given.toString('latin1')
  const bodies = findBodies(text)
  const ders =
    bodies.length === 0 ? [Buffer.from(text, 'latin1')] : bodies.map((body) => decodeBase64(body.replace(/\s/g, '')))
  return ders.flatMap((der) => (der && readCertificateList(der)) ?? [])
}

/** By search and not by pattern: a pattern that allows blanks takes a time that grows with their square. */
function findBodies(text: string): string[] {
  const bodies: string[] = []
  const begin = /^-----BEGIN X509 CRL-----[ \t\r]*$/gm
  for (let found = begin.exec(text); found; found = begin.exec(text)) {
    const end = text.indexOf('\n-----END X509 CRL-----', begin.lastIndex)
    if (end < 0) break
    bodies.push(text.slice(begin.lastIndex, end))
    begin.lastIndex = end
  }
  return bodies
}

/** CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }. */
function readCertificateList(der: Buffer): Crl | undefined {
  const list = readElement(der)
  const [tbs, algorithm, signature] = (list?.tag === TAG.sequence && readElements(list.content)) || []
  if (!list || !tbs || !algorithm || signature?.tag !== TAG.bitString) return undefined
  const fields = readElements(tbs.content)
  if (!fields) return undefined

  if (fields[0]?.tag === TAG.integer) fields.shift() // version, absent in v1
  const [innerAlgorithm, issuerElement, thisUpdate, ...rest] = fields
  const issuer = issuerElement?.tag === TAG.sequence ? readDistinguishedName(issuerElement.content) : undefined
  if (!innerAlgorithm || !issuer || !thisUpdate || !isTime(thisUpdate)) return undefined
  const next = rest[0] && isTime(rest[0]) ? rest.shift() : undefined
  const revoked = rest[0]?.tag === TAG.sequence ? readElements(rest.shift()?.content ?? Buffer.alloc(0)) : []
  const tagged = rest.find(({ tag }) => tag === 0xa0)
  const extensions = tagged ? readExtensionList(readElement(tagged.content)?.content ?? Buffer.alloc(0)) : []
  if (!revoked || !extensions) return undefined

  const entries = readEntries(revoked)
  const authorityKeyId = decode(extensions, OID.authorityKeyId, readAuthorityKeyId)
  const scope = decode(extensions, OID.issuingDistributionPoint, readScope)
  const sameAlgorithm = innerAlgorithm.bytes.equals(algorithm.bytes)
  return {
    der: list.bytes,
    issuer,
    issuerKey: nameKey(issuer),
    thisUpdate: readTime(thisUpdate),
    ...(next && { nextUpdate: readTime(next) }),
    ...(authorityKeyId && { authorityKeyId }),
    ...(scope && { scope }),
    hasUnknownCritical:
      entries.hasUnknownCritical || extensions.some(({ oid, critical }) => critical && !SUPPORTED_CRITICAL.has(oid)),
    entries: entries.bySerial,
    isSignedBy: (key) => sameAlgorithm && isSigned(algorithm.content, tbs.bytes, key, signature.content.subarray(1)),
  }
}

function isTime({ tag }: DerElement): boolean {
  return tag === TAG.utcTime || tag === TAG.generalizedTime
}

function decode<T>(
  extensions: readonly RawExtension[],
  oid: string,
  read: (value: DerElement) => T | undefined,
): T | undefined {
  const value = extensions.find((extension) => extension.oid === oid)?.value
  const element = value && readElement(value)
  return element && read(element)
}

/** revokedCertificates ::= SEQUENCE OF SEQUENCE { serial, date, extensions OPTIONAL }. */
function readEntries(revoked: readonly DerElement[]): { bySerial: Map<string, CrlEntry>; hasUnknownCritical: boolean } {
  const bySerial = new Map<string, CrlEntry>()
  let hasUnknownCritical = false
  for (const { content } of revoked) {
    const [serial, , list] = readElements(content) ?? []
    if (!serial) continue
    const extensions = list?.tag === TAG.sequence ? (readExtensionList(list.content) ?? []) : []
    if (extensions.some(({ oid, critical }) => critical && oid !== OID.certificateIssuer)) hasUnknownCritical = true
    const reason = decode(extensions, OID.reason, ({ tag, content: value }) =>
      tag === TAG.enumerated ? value[0] : undefined,
    )
    const key = serialKey(serial.content)
    if (!bySerial.has(key)) bySerial.set(key, { reason })
  }
  return { bySerial, hasUnknownCritical }
}

/** Serial numbers are compared as numbers. */
export function serialKey(content: Buffer): string {
  return content.toString('hex').replace(/^(00)+(?=..)/, '')
}

function readScope({ tag, content }: DerElement): CrlScope {
  const broken: CrlScope = { malformed: true, isIndirect: false, hasReasons: false, reasons: ALL_REASONS }
  const fields = tag === TAG.sequence ? readElements(content) : undefined
  if (!fields) return broken
  const field = (wanted: number) => fields.find((one) => one.tag === wanted)
  const isSet = (wanted: number) => (field(wanted)?.content[0] ?? 0) !== 0
  const place = field(0xa0)
  const point = place && readPointName(place.content)
  const reasons = field(0x83)
  const only = [
    ...(isSet(0x81) ? (['users'] as const) : []),
    ...(isSet(0x82) ? (['authorities'] as const) : []),
    ...(isSet(0x85) ? (['attributes'] as const) : []),
  ]
  const [one, ...more] = only
  return {
    malformed: more.length > 0 || (place !== undefined && !point),
    ...(point && { point }),
    ...(one && { only: one }),
    isIndirect: isSet(0x84),
    hasReasons: reasons !== undefined,
    reasons: reasons ? readReasons(reasons.content) : ALL_REASONS,
  }
}

function isSigned(algorithm: Buffer, tbs: Buffer, key: KeyObject, signature: Buffer): boolean {
  const known = readSignatureAlgorithm(algorithm)
  if (!known?.key || known.key === 'rsa-pss') return false
  try {
    return verify(known.digest, tbs, key, signature)
  } catch {
    return false
  }
}
