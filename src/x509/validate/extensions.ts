/**
 * The extensions that decide whether a path is valid, as OpenSSL caches them (RFC 5280, 4.2). One that cannot be decoded, or that
 * occurs twice, makes the whole certificate invalid: OpenSSL then takes it for nobody's issuer and for issued by nobody.
 */
import {
  type Bits,
  bitString,
  boolean,
  decode,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  sequenceOf,
  type Type,
} from '../encoding/asn1-types.js'
import { type DistinguishedName, isSameName } from '../encoding/distinguished-name.js'
import { type GeneralName, generalNames } from '../encoding/general-name.js'
import { type AddressBlocks, addressBlocks } from './address-resources.js'
import { type DistributionPoint, readDistributionPoints } from './distribution-points.js'
import { type NameConstraints, nameConstraints } from './name-constraints.js'
import { type AutonomousSystems, autonomousSystems } from './number-resources.js'

export interface Extensions {
  /** One of them is malformed or occurs twice. */
  readonly invalid: boolean
  /**
   * A relative distribution point in it is no name: OpenSSL's first look at the certificate fails and the next ones do not, without
   * what it would have read after that (ossl_x509v3_cache_extensions).
   */
  readonly isHalfRead: boolean
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
  readonly addressBlocks?: AddressBlocks
  readonly autonomousSystems?: AutonomousSystems
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

/** Extension (RFC 5280, 4.1); any BOOLEAN but zero is true. */
export const extension = sequence<RawExtension>(({ required, optional }) => ({
  oid: required(oid),
  critical: optional(boolean) ?? false,
  value: required(octetString),
}))

/** An extension's value; undefined where there is none, `malformed` where it cannot be read or stands there twice. */
export function decodeExtension<T>(
  list: readonly RawExtension[],
  wanted: string,
  read: (value: Buffer) => T | undefined,
) {
  const found = list.find((one) => one.oid === wanted)
  if (!found) return undefined
  const isAlone = list.findLast((one) => one.oid === wanted) === found
  return isAlone ? (read(found.value) ?? 'malformed') : 'malformed'
}

/** Decodes what validation asks about; `issuer` is what a relative distribution point is relative to. */
export function decodeExtensions(list: readonly RawExtension[], issuer: DistinguishedName): Extensions {
  let invalid = false
  const readWith = <T>(wanted: string, read: (value: Buffer) => T | undefined): T | undefined => {
    const decoded = decodeExtension<T | 'malformed'>(list, wanted, read)
    if (decoded !== 'malformed') return decoded
    invalid = true
    return undefined
  }
  const read = <T>(wanted: string, type: Type<T>): T | undefined => readWith(wanted, (value) => decode(type, value))
  const has = (wanted: string) => list.some((one) => one.oid === wanted)

  const constraints = read(OID.basicConstraints, basicConstraints)
  const keyUsage = read(OID.keyUsage, bitString)
  const netscapeType = read(OID.netscapeType, bitString)
  const isProxy = read(OID.proxy, proxyInformation) !== undefined
  const proxyClash = isProxy && (constraints?.ca === true || has(OID.alternativeNames) || has('2.5.29.18'))
  const decoded = {
    isProxy,
    basicConstraints: constraints,
    keyUsage: keyUsage && firstBits(keyUsage),
    extendedKeyUsage: read(OID.extendedKeyUsage, usages),
    netscapeType: netscapeType && firstBits(netscapeType),
    subjectKeyId: read(OID.subjectKeyId, octetString),
    authorityKeyId: read(OID.authorityKeyId, authorityKeyId),
    alternativeNames: read(OID.alternativeNames, generalNames),
    nameConstraints: read(OID.nameConstraints, nameConstraints),
    distributionPoints: readWith(OID.distributionPoints, (value) => readDistributionPoints(value, issuer)),
  }
  const isHalfRead = decoded.distributionPoints?.some(isNoName) ?? false
  if (isHalfRead)
    return { ...decoded, invalid: invalid || isUseless(decoded) || proxyClash, isHalfRead, hasUnknownCritical: false }
  const resources = {
    addressBlocks: read(OID.addressBlocks, addressBlocks),
    autonomousSystems: read(OID.autonomousSystems, autonomousSystems),
  }
  return {
    ...decoded,
    ...resources,
    invalid: invalid || isUseless(decoded) || proxyClash,
    isHalfRead,
    hasUnknownCritical: list.some(({ oid: known, critical }) => critical && !SUPPORTED_CRITICAL.has(known)),
  }
}

const isNoName = ({ point }: DistributionPoint) => point?.kind === 'relative' && !point.name

/** A key usage without any, or a negative path length. */
function isUseless({
  keyUsage,
  basicConstraints: constraints,
}: Pick<Extensions, 'keyUsage' | 'basicConstraints'>): boolean {
  return keyUsage === 0 || (constraints?.pathLength ?? 0) < 0
}

const usages = sequenceOf(oid)

const basicConstraints = sequence(({ optional }) => {
  const ca = optional(boolean) ?? false
  const length = optional(integer)
  return { ca, pathLength: length && readSmallInteger(length) }
})

/** ASN1_INTEGER_get, with -1 for all that is negative: a number of more than 63 bits becomes -1 too, and is then no limit. */
function readSmallInteger(content: Buffer): number {
  if ((content[0] ?? 0) >= 0x80) return -1
  return content.length > 6 ? Number.MAX_SAFE_INTEGER : content.readUIntBE(0, content.length)
}

/** The first two bytes of a BIT STRING. */
function firstBits({ bytes }: Bits): number {
  return (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)
}

const proxyPolicy = sequence(({ required, optional }) => ({ language: required(oid), policy: optional(octetString) }))
/** ProxyCertInfo (RFC 3820, 3.8). */
const proxyInformation = sequence(({ required, optional }) => ({
  pathLength: optional(integer),
  policy: required(proxyPolicy),
}))

export interface AuthorityKeyId {
  readonly keyId?: Buffer
  readonly issuer?: DistinguishedName
  /** The content of the INTEGER. */
  readonly serial?: Buffer
}

const keyIdType = implicit(0, octetString)
const issuersType = implicit(1, generalNames)
const serialType = implicit(2, integer)

export const authorityKeyId = sequence<AuthorityKeyId>(({ optional }) => {
  const keyId = optional(keyIdType)
  const issuers = optional(issuersType)
  const serial = optional(serialType)
  const directory = issuers?.find((name) => name.kind === 'directory')
  return { keyId, issuer: directory?.kind === 'directory' ? directory.name : undefined, serial }
})

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
