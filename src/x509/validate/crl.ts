/** Certificate revocation lists (RFC 5280, 5), with what OpenSSL checks to decide whether one applies. */
import type { KeyObject } from 'node:crypto'
import {
  bitString,
  boolean,
  decode,
  enumerated,
  explicit,
  implicit,
  integer,
  readInt,
  sequence,
  sequenceOf,
  type Type,
  type ValueOf,
  withBytes,
} from '../encoding/asn1-types.js'
import { readTime } from '../encoding/der.js'
import { type DistinguishedName, distinguishedName, nameKey } from '../encoding/distinguished-name.js'
import { type GeneralName, generalNames } from '../encoding/general-name.js'
import { splitPem } from '../encoding/pem.js'
import { algorithmIdentifier, isSameAlgorithm, isSignatureOf } from '../encoding/signature-algorithm.js'
import { time } from './certificate-facts.js'
import { type PointName, pointName, readReasons } from './distribution-points.js'
import { type AuthorityKeyId, authorityKeyId, decodeExtension, extension, type RawExtension } from './extensions.js'

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
  /** `serialKey` of it. */
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

const extensionsType = sequenceOf(extension)
const listExtensionsType = explicit(0, extensionsType)

const entryType = sequence(({ required, optional }) => ({
  serial: required(integer),
  date: required(time),
  extensions: optional(extensionsType) ?? [],
}))
const entriesType = sequenceOf(entryType)

/** CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signatureValue }. */
const listType = sequence(({ required }) => ({
  signed: required(
    withBytes(
      sequence((list) => ({
        version: list.optional(integer),
        algorithm: list.required(algorithmIdentifier),
        issuer: list.required(distinguishedName),
        thisUpdate: list.required(time),
        nextUpdate: list.optional(time),
        entries: list.optional(entriesType) ?? [],
        extensions: list.optional(listExtensionsType) ?? [],
      })),
    ),
  ),
  algorithm: required(algorithmIdentifier),
  signature: required(bitString),
}))

/** Reads a list in DER or BER; undefined when it is none. */
export function readCrl(der: Buffer): Crl | undefined {
  const read = decode(withBytes(listType), der)
  if (!read) return undefined
  const { signed, algorithm, signature } = read.value
  const { issuer, thisUpdate, nextUpdate, extensions } = signed.value
  const entries = readEntries(signed.value.entries)
  const scope = readWith(extensions, OID.issuingDistributionPoint, issuingPoint)
  return {
    der: read.bytes,
    issuer,
    issuerKey: nameKey(issuer),
    thisUpdate: readTime(thisUpdate),
    ...(nextUpdate && { nextUpdate: readTime(nextUpdate) }),
    authorityKeyId: readWith(extensions, OID.authorityKeyId, authorityKeyId),
    scope: scope && readScope(scope, issuer),
    hasUnknownCritical:
      entries.hasUnknownCritical || extensions.some(({ oid, critical }) => critical && !SUPPORTED_CRITICAL.has(oid)),
    isDelta: readWith(extensions, OID.deltaIndicator, integer) !== undefined,
    entries: entries.list,
    isSignedBy: (key) =>
      isSameAlgorithm(signed.value.algorithm, algorithm) && isSignatureOf(signature, algorithm, signed.bytes, key),
  }
}

/** What cannot be decoded, or stands there twice, is what OpenSSL does not see. */
function readWith<T>(extensions: readonly RawExtension[], oid: string, type: Type<T>): T | undefined {
  const decoded = decodeExtension<T | 'malformed'>(extensions, oid, (value) => decode(type, value))
  return decoded === 'malformed' ? undefined : decoded
}

/** crl_set_issuers: an entry that cannot be read in full ends the reading of what the entries say beside their numbers. */
function readEntries(given: readonly EntryValue[]): { list: CrlEntry[]; hasUnknownCritical: boolean } {
  let hasUnknownCritical = false
  let issuers: readonly GeneralName[] | undefined
  let isBroken = false
  const list = given.map(({ serial, extensions }): CrlEntry => {
    const named = decodeExtension(extensions, OID.certificateIssuer, (value) => decode(generalNames, value))
    if (named === 'malformed') isBroken = true
    if (isBroken) return { serial: serialKey(serial), issuers: undefined, reason: undefined }
    if (named && named !== 'malformed') issuers = named
    const reason = decodeExtension(extensions, OID.reason, (value) => decode(enumerated, value))
    if (reason === 'malformed') {
      isBroken = true
      return { serial: serialKey(serial), issuers, reason: undefined }
    }
    if (extensions.some(({ oid, critical }) => critical && oid !== OID.certificateIssuer)) hasUnknownCritical = true
    return { serial: serialKey(serial), issuers, reason: reason && readInt(reason) }
  })
  return { list, hasUnknownCritical }
}

interface EntryValue {
  readonly serial: Buffer
  readonly extensions: readonly RawExtension[]
}

/** A serial number as it is compared: -1 is not 255. */
export function serialKey(content: Buffer): string {
  return content.toString('hex')
}

/** IssuingDistributionPoint, whose flags may be any byte but zero. */
const issuingPoint = sequence(({ optional }) => ({
  point: optional(explicit(0, pointName)),
  users: optional(implicit(1, boolean)) ?? false,
  authorities: optional(implicit(2, boolean)) ?? false,
  reasons: optional(implicit(3, bitString)),
  isIndirect: optional(implicit(4, boolean)) ?? false,
  attributes: optional(implicit(5, boolean)) ?? false,
}))

function readScope(
  { point, reasons, isIndirect, ...kinds }: ValueOf<typeof issuingPoint>,
  issuer: DistinguishedName,
): CrlScope {
  const only = (['users', 'authorities', 'attributes'] as const).filter((kind) => kinds[kind])
  return {
    contradictory: only.length > 1,
    point: point?.(issuer),
    only: only[0],
    isIndirect,
    hasReasons: reasons !== undefined,
    reasons: readReasons(reasons),
  }
}
