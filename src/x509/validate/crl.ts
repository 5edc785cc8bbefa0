/** Certificate revocation lists (RFC 5280, 5), with what OpenSSL checks to decide whether one applies. */
import type { KeyObject } from 'node:crypto'
import { type DerElement, fieldsOf, readElement, readElements, readFields, readTime, TAG } from '../encoding/der.js'
import { type DistinguishedName, nameKey, readDistinguishedName } from '../encoding/distinguished-name.js'
import { type GeneralName, readGeneralNames } from '../encoding/general-name.js'
import { splitPem } from '../encoding/pem.js'
import { isSignatureOf } from '../encoding/signature-algorithm.js'
import {
  ALL_REASONS,
  type AuthorityKeyId,
  type PointName,
  type RawExtension,
  readAuthorityKeyId,
  readExtensionList,
  readPointName,
  readReasons,
} from './extensions.js'

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
  /** Lists only what changed since another list. */
  readonly isDelta: boolean
  readonly entries: readonly CrlEntry[]
  isSignedBy(key: KeyObject): boolean
}

export interface CrlEntry {
  /** Lower-case hex without leading zeros. */
  readonly serial: string
  /** Names of the certificate's issuer where it is not the list's own; it holds for the entries after it too. */
  readonly issuers: readonly GeneralName[] | undefined
  /** CRLReason; 8 takes a certificate off the list. */
  readonly reason: number | undefined
}

/** IssuingDistributionPoint (RFC 5280, 5.2.5). */
export interface CrlScope {
  /** Limited to more than one kind of certificates. */
  readonly contradictory: boolean
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
/** Critical extensions that OpenSSL supports. */
const SUPPORTED_CRITICAL = new Set<string>([OID.issuingDistributionPoint, OID.authorityKeyId, OID.deltaIndicator])

/** Reads every CRL of a file as it lies in a host's folder. OpenSSL reads PEM alone there, and nothing of a file with a fault. */
export function readCrls(given: string | Buffer): Crl[] {
  const { blocks, fault } = splitPem(given)
  const crls = blocks.filter(({ label }) => label === 'X509 CRL').map(({ der }) => readCrl(der))
  return fault === undefined && crls.every((crl) => crl !== undefined) ? crls : []
}

/** CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }, in DER; undefined when it is none. */
export function readCrl(der: Buffer): Crl | undefined {
  const list = readElement(der)
  const [tbs, algorithm, signature] = fieldsOf(list)
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
    authorityKeyId,
    scope,
    hasUnknownCritical:
      entries.hasUnknownCritical || extensions.some(({ oid, critical }) => critical && !SUPPORTED_CRITICAL.has(oid)),
    isDelta: decode(extensions, OID.deltaIndicator, ({ tag }) => tag === TAG.integer) ?? false,
    entries: entries.list,
    isSignedBy: (key) => sameAlgorithm && isSignatureOf(signature, algorithm.content, tbs.bytes, key),
  }
}

/** distributionPoint [0] to onlyContainsAttributeCerts [5]. */
const SCOPE_TAGS = [0xa0, 0x81, 0x82, 0x83, 0x84, 0x85]

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
function readEntries(revoked: readonly DerElement[]): { list: CrlEntry[]; hasUnknownCritical: boolean } {
  const entries: CrlEntry[] = []
  let hasUnknownCritical = false
  let issuers: readonly GeneralName[] | undefined
  for (const { content } of revoked) {
    const [serial, , list] = readElements(content) ?? []
    if (!serial) continue
    const extensions = list?.tag === TAG.sequence ? (readExtensionList(list.content) ?? []) : []
    if (extensions.some(({ oid, critical }) => critical && oid !== OID.certificateIssuer)) hasUnknownCritical = true
    const reason = decode(extensions, OID.reason, ({ tag, content: value }) =>
      tag === TAG.enumerated ? value[0] : undefined,
    )
    issuers = decode(extensions, OID.certificateIssuer, (value) => readGeneralNames(value.content)) ?? issuers
    entries.push({ serial: serialKey(serial.content), issuers, reason })
  }
  return { list: entries, hasUnknownCritical }
}

/** Serial numbers are compared as numbers. */
export function serialKey(content: Buffer): string {
  return content.toString('hex').replace(/^(00)+(?=..)/, '')
}

/** A scope that cannot be decoded is one OpenSSL does not see. */
function readScope({ tag, content }: DerElement): CrlScope | undefined {
  const fields = tag === TAG.sequence ? readFields(content, SCOPE_TAGS) : undefined
  if (!fields) return undefined
  const isSet = (wanted: number) => (fields.get(wanted)?.content[0] ?? 0) !== 0
  const place = fields.get(0xa0)
  const point = place && readPointName(place.content)
  if (place && !point) return undefined
  const reasons = fields.get(0x83)
  const only = [
    ...(isSet(0x81) ? (['users'] as const) : []),
    ...(isSet(0x82) ? (['authorities'] as const) : []),
    ...(isSet(0x85) ? (['attributes'] as const) : []),
  ]
  const [one, ...more] = only
  return {
    contradictory: more.length > 0,
    point,
    only: one,
    isIndirect: isSet(0x84),
    hasReasons: reasons !== undefined,
    reasons: reasons ? readReasons(reasons.content) : ALL_REASONS,
  }
}
