/**
 * The extensions that decide whether a path is valid, as OpenSSL caches them (RFC 5280, 4.2). One that cannot be decoded, or that
 * occurs twice, makes the whole certificate invalid: OpenSSL then takes it for nobody's issuer and for issued by nobody.
 */
import { type DerElement, fieldsOf, readElement, readElements, readFields, readOid, TAG } from '../encoding/der.js'
import { type DistinguishedName, isSameName } from '../encoding/distinguished-name.js'
import { type GeneralName, isSameGeneralName, readGeneralNames } from '../encoding/general-name.js'
import { type NameConstraints, readNameConstraints } from './name-constraints.js'

export interface Extensions {
  /** One of them is malformed or occurs twice. */
  readonly invalid: boolean
  readonly hasUnknownCritical: boolean
  readonly isProxy: boolean
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number }
  /** Bits as in the first two bytes of the BIT STRING, first byte lowest. */
  readonly keyUsage?: number
  readonly extendedKeyUsage?: readonly string[]
  readonly netscapeType?: number
  readonly subjectKeyId?: Buffer
  readonly authorityKeyId?: AuthorityKeyId
  readonly alternativeNames?: readonly GeneralName[]
  readonly nameConstraints?: NameConstraints
  readonly distributionPoints?: readonly DistributionPoint[]
}

/** Purpose of a TLS server in the extended key usage. */
export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

export const KEY_USAGE = {
  digitalSignature: 0x80,
  keyEncipherment: 0x20,
  keyAgreement: 0x08,
  keyCertSign: 0x04,
  cRLSign: 0x02,
}

export interface RawExtension {
  readonly oid: string
  readonly critical: boolean
  readonly value: Buffer
}

const OID = {
  netscapeType: '2.16.840.1.113730.1.1',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  alternativeNames: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  distributionPoints: '2.5.29.31',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  proxy: '1.3.6.1.5.5.7.1.14',
  addressBlocks: '1.3.6.1.5.5.7.1.7',
  autonomousSystems: '1.3.6.1.5.5.7.1.8',
}

/** Critical extensions that OpenSSL 3.0 supports (X509_supported_extension). */
const SUPPORTED_CRITICAL = new Set<string>([
  OID.netscapeType,
  OID.keyUsage,
  OID.alternativeNames,
  OID.basicConstraints,
  OID.nameConstraints,
  OID.distributionPoints,
  OID.extendedKeyUsage,
  OID.proxy,
  OID.addressBlocks,
  OID.autonomousSystems,
  '2.5.29.32', // certificate policies
  '2.5.29.33', // policy mappings
  '2.5.29.36', // policy constraints
  '2.5.29.54', // inhibit anyPolicy
  '1.3.6.1.5.5.7.48.1.5', // OCSP no check
])

/** Reads a SEQUENCE OF Extension's content; undefined when the list itself is malformed. */
export function readExtensionList(content: Buffer): RawExtension[] | undefined {
  const list = readElements(content)?.map(readExtension)
  return list?.every((extension) => extension !== undefined) ? list : undefined
}

function readExtension(element: DerElement): RawExtension | undefined {
  const [oid, ...rest] = fieldsOf(element)
  const flag = rest[0]?.tag === TAG.boolean ? rest.shift() : undefined
  const [value] = rest
  if (oid?.tag !== TAG.oid || value?.tag !== TAG.octetString) return undefined
  return { oid: readOid(oid.content), critical: (flag?.content[0] ?? 0) !== 0, value: value.content }
}

/** Decodes what validation asks about. */
export function decodeExtensions(list: readonly RawExtension[]): Extensions {
  let invalid = false
  /** A duplicate counts as unreadable. */
  const decode = <T>(oid: string, read: (value: DerElement) => T | undefined): T | undefined => {
    const [found, ...more] = list.filter((extension) => extension.oid === oid)
    if (!found) return undefined
    const element = readElement(found.value)
    const decoded = element && more.length === 0 ? read(element) : undefined
    if (decoded === undefined) invalid = true
    return decoded
  }
  const has = (oid: string) => list.some((extension) => extension.oid === oid)

  const basicConstraints = decode(OID.basicConstraints, readBasicConstraints)
  const keyUsage = decode(OID.keyUsage, readBits)
  const extendedKeyUsage = decode(OID.extendedKeyUsage, readPurposes)
  const netscapeType = decode(OID.netscapeType, readBits)
  const subjectKeyId = decode(OID.subjectKeyId, ({ tag, content }) => (tag === TAG.octetString ? content : undefined))
  const authorityKeyId = decode(OID.authorityKeyId, readAuthorityKeyId)
  const alternativeNames = decode(OID.alternativeNames, ({ tag, content }) =>
    tag === TAG.sequence ? readGeneralNames(content) : undefined,
  )
  const nameConstraints = decode(OID.nameConstraints, readNameConstraints)
  const distributionPoints = decode(OID.distributionPoints, readDistributionPoints)
  const isProxy = has(OID.proxy)
  const proxyClash = isProxy && (basicConstraints?.ca === true || has(OID.alternativeNames) || has('2.5.29.18'))

  return {
    invalid: invalid || keyUsage === 0 || (basicConstraints?.pathLength ?? 0) < 0 || proxyClash,
    hasUnknownCritical: list.some(({ oid, critical }) => critical && !SUPPORTED_CRITICAL.has(oid)),
    isProxy,
    basicConstraints,
    keyUsage,
    extendedKeyUsage,
    netscapeType,
    subjectKeyId,
    authorityKeyId,
    alternativeNames,
    nameConstraints,
    distributionPoints,
  }
}

function readBasicConstraints({ tag, content }: DerElement): Extensions['basicConstraints'] {
  const fields = tag === TAG.sequence ? readElements(content) : undefined
  if (!fields) return undefined
  const flag = fields[0]?.tag === TAG.boolean ? fields.shift() : undefined
  const [length, ...rest] = fields
  if (rest.length > 0 || (length && length.tag !== TAG.integer)) return undefined
  const ca = (flag?.content[0] ?? 0) !== 0
  return { ca, pathLength: length && readSmallInteger(length.content) }
}

/** A number of more than 31 bits is no limit. */
function readSmallInteger(content: Buffer): number {
  if (content.length === 0 || content.length > 4) return (content[0] ?? 0) >= 0x80 ? -1 : 0x7fffffff
  return content.readIntBE(0, content.length)
}

/** The used bits of the first two bytes of a BIT STRING. */
function readBits({ tag, content }: DerElement): number | undefined {
  const [unused] = content
  if (tag !== TAG.bitString || unused === undefined || unused > 7) return undefined
  const bits = Buffer.from(content.subarray(1))
  if (bits.length > 0) bits[bits.length - 1] = (bits.at(-1) ?? 0) & (0xff << unused)
  return (bits[0] ?? 0) | ((bits[1] ?? 0) << 8)
}

function readPurposes({ tag, content }: DerElement): string[] | undefined {
  const oids = tag === TAG.sequence ? readElements(content) : undefined
  return oids?.every((oid) => oid.tag === TAG.oid) ? oids.map((oid) => readOid(oid.content)) : undefined
}

export interface AuthorityKeyId {
  readonly keyId?: Buffer
  readonly issuer?: DistinguishedName
  /** The content of the INTEGER. */
  readonly serial?: Buffer
}

export function readAuthorityKeyId({ tag, content }: DerElement): AuthorityKeyId | undefined {
  const fields = tag === TAG.sequence ? readFields(content, [0x80, 0xa1, 0x82]) : undefined
  if (!fields) return undefined
  const keyId = fields.get(0x80)?.content
  const names = fields.get(0xa1)
  const serial = fields.get(0x82)?.content
  const issuers = names ? readGeneralNames(names.content) : []
  if (!issuers) return undefined
  const directory = issuers.find((name) => name.kind === 'directory')
  const issuer = directory?.kind === 'directory' ? directory.name : undefined
  return { keyId, issuer, serial }
}

/** X509_check_akid: what is absent on either side does not count. */
export function checkAuthorityKeyId(
  issuer: { readonly subjectKeyId?: Buffer; readonly serial: Buffer; readonly issuer: DistinguishedName },
  authority: AuthorityKeyId | undefined,
): boolean {
  if (!authority) return true
  const { keyId, serial, issuer: name } = authority
  if (keyId && issuer.subjectKeyId && !keyId.equals(issuer.subjectKeyId)) return false
  if (serial && !serial.equals(issuer.serial)) return false
  return !name || isSameName(name, issuer.issuer)
}

/** Bits of ReasonFlags, all of them: what a list without a limit covers. */
export const ALL_REASONS = 0x807f

export type PointName =
  | { readonly kind: 'full'; readonly names: readonly GeneralName[] }
  /** Relative to the issuer; compared by its bytes, which is right where both sides have the same issuer. */
  | { readonly kind: 'relative'; readonly bytes: Buffer }

export interface DistributionPoint {
  readonly point?: PointName
  readonly reasons: number
  readonly crlIssuer?: readonly GeneralName[]
}

/** CRLDistributionPoints ::= SEQUENCE OF DistributionPoint. */
function readDistributionPoints({ tag, content }: DerElement): DistributionPoint[] | undefined {
  const points = tag === TAG.sequence ? readElements(content)?.map(readPoint) : undefined
  return points?.every((point) => point !== undefined) ? points : undefined
}

function readPoint({ tag, content }: DerElement): DistributionPoint | undefined {
  const fields = tag === TAG.sequence ? readFields(content, [0xa0, 0x81, 0xa2]) : undefined
  if (!fields) return undefined
  const place = fields.get(0xa0)
  const reasons = fields.get(0x81)
  const issuers = fields.get(0xa2)
  const point = place && readPointName(place.content)
  const crlIssuer = issuers && readGeneralNames(issuers.content)
  if ((place && !point) || (issuers && !crlIssuer)) return undefined
  if (!place && !crlIssuer?.length) return undefined // setup_dp: a point that says nothing
  return { point, reasons: reasons ? readReasons(reasons.content) : ALL_REASONS, crlIssuer }
}

/** DistributionPointName ::= CHOICE { fullName [0], nameRelativeToCRLIssuer [1] }. */
export function readPointName(content: Buffer): PointName | undefined {
  const [choice] = readElements(content) ?? []
  if (choice?.tag === 0xa1) return { kind: 'relative', bytes: choice.content }
  const names = choice?.tag === 0xa0 ? readGeneralNames(choice.content) : undefined
  return names && { kind: 'full', names }
}

/** The content of a BIT STRING. */
export function readReasons(content: Buffer): number {
  return ((content[1] ?? 0) | ((content[2] ?? 0) << 8)) & ALL_REASONS
}

/** Tells whether two points can be the same one; a point without a name can be any. */
export function overlaps(a: PointName | undefined, b: PointName | undefined): boolean {
  if (!a || !b) return true
  if (a.kind === 'relative' || b.kind === 'relative') return a.kind === b.kind && isSameRelative(a, b)
  return a.names.some((one) => b.names.some((other) => isSameGeneralName(one, other) || isSameDirectory(one, other)))
}

function isSameRelative(a: PointName, b: PointName): boolean {
  return a.kind === 'relative' && b.kind === 'relative' && a.bytes.equals(b.bytes)
}

function isSameDirectory(a: GeneralName, b: GeneralName): boolean {
  return a.kind === 'directory' && b.kind === 'directory' && isSameName(a.name, b.name)
}
