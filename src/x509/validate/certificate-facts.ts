/** What path validation needs to know of one certificate, read once (RFC 5280, 4.1), and whether one looks issued by another. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import {
  type AnyValue,
  any,
  anyOf,
  bitString,
  decode,
  explicit,
  implicit,
  integer,
  oid,
  readLong,
  sequence,
  sequenceOf,
  type ValueOf,
} from '../encoding/asn1-types.js'
import { readTime } from '../encoding/der.js'
import { type DistinguishedName, distinguishedName, isSameName, nameKey } from '../encoding/distinguished-name.js'
import { algorithmIdentifier, canHaveSigned, type SignatureAlgorithm } from '../encoding/signature-algorithm.js'
import { checkAuthorityKeyId, decodeExtensions, type Extensions, extension } from './extensions.js'

interface KeyAlgorithm {
  readonly oid: string
  readonly parameters: AnyValue | undefined
}

export interface CertificateFacts extends Extensions {
  readonly certificate: X509Certificate
  readonly version: number
  /** The content of the INTEGER. */
  readonly serial: Buffer
  /** Of the signature, as the signed part states it. */
  readonly signatureAlgorithm: SignatureAlgorithm
  /** The same from outside the signed part, where OpenSSL reads the strength; the two can differ. */
  readonly outerSignatureAlgorithm: SignatureAlgorithm
  /** Its name. */
  readonly statedAlgorithm: string
  readonly issuer: DistinguishedName
  readonly issuerKey: string
  readonly subject: DistinguishedName
  readonly subjectKey: string
  /** Undefined where it cannot be read. */
  readonly notBefore: Date | undefined
  readonly notAfter: Date | undefined
  /** Of the key, with its parameters. */
  readonly keyAlgorithm: KeyAlgorithm
  /** Undefined where OpenSSL cannot read it. */
  readonly publicKey: KeyObject | undefined
  /** Issuer and subject are one name. */
  readonly isSelfIssued: boolean
  /** By names, key identifiers and kind of key; the signature itself is not checked, as in OpenSSL. Never when `invalid`. */
  readonly isSelfSigned: boolean
}

/** Reads one certificate in DER; undefined when OpenSSL 3.0 does not load it. */
export function readCertificate(der: Buffer): X509Certificate | undefined {
  try {
    const certificate = new X509Certificate(der)
    const read = decode(certificateType, certificate.raw)
    if (read) justRead.set(certificate, read)
    return read && certificate
  } catch {
    return undefined
  }
}

const known = new WeakMap<X509Certificate, CertificateFacts>()
/** What `readCertificate` has decoded, until its facts are asked for. */
const justRead = new WeakMap<X509Certificate, CertificateValue>()

/** Reads the facts. Every certificate that node:crypto accepts can be read; `invalid` is set where a part cannot. */
export function readFacts(certificate: X509Certificate): CertificateFacts {
  const before = known.get(certificate)
  if (before) return before
  const facts = readAll(certificate, justRead.get(certificate) ?? decode(certificateType, certificate.raw))
  justRead.delete(certificate)
  known.set(certificate, facts)
  return facts
}

/** Which key signed it, as the certificate itself says; undefined where it does not. */
export function readIssuerKeyId(certificate: X509Certificate): Buffer | undefined {
  return readFacts(certificate).authorityKeyId?.keyId
}

/** Time ::= CHOICE { UTCTime, GeneralizedTime }; whether it is one is asked when it is compared. */
export const time = anyOf([23, 24])

const keyAlgorithm = sequence<KeyAlgorithm>(({ required, optional }) => ({
  oid: required(oid),
  parameters: optional(any),
}))

// types are made once: each is asked for with every certificate
const versionType = explicit(0, integer)
const validityType = sequence(({ required }) => ({ from: required(time), until: required(time) }))
const keyType = sequence(({ required }) => ({ algorithm: required(keyAlgorithm), key: required(bitString) }))
const issuerIdType = implicit(1, bitString)
const subjectIdType = implicit(2, bitString)
const extensionsType = explicit(3, sequenceOf(extension))

const signedPart = sequence(({ required, optional }) => ({
  version: optional(versionType),
  serial: required(integer),
  signatureAlgorithm: required(algorithmIdentifier),
  issuer: required(distinguishedName),
  validity: required(validityType),
  subject: required(distinguishedName),
  publicKeyInfo: required(keyType),
  issuerId: optional(issuerIdType),
  subjectId: optional(subjectIdType),
  extensions: optional(extensionsType),
}))

/** Certificate (RFC 5280, 4.1). */
const certificateType = sequence(({ required }) => ({
  signed: required(signedPart),
  signatureAlgorithm: required(algorithmIdentifier),
  signature: required(bitString),
}))
type CertificateValue = ValueOf<typeof certificateType>

const UNKNOWN_ALGORITHM: SignatureAlgorithm = { oid: '', name: 'unknown', digest: null, parameters: undefined }
const NO_NAME: DistinguishedName = { canonical: [], attributes: [] }

function readAll(certificate: X509Certificate, read: CertificateValue | undefined): CertificateFacts {
  const { issuer = NO_NAME, subject = NO_NAME, extensions = [], validity, publicKeyInfo, version } = read?.signed ?? {}
  const publicKey = readPublicKey(certificate)
  const isSelfIssued = isSameName(issuer, subject)
  const decoded = decodeExtensions(extensions, issuer)
  const facts = {
    ...decoded,
    invalid: decoded.invalid || !read,
    certificate,
    version: version ? Number(readLong(version)) + 1 : 1,
    serial: read?.signed.serial ?? Buffer.alloc(0),
    signatureAlgorithm: read?.signed.signatureAlgorithm ?? UNKNOWN_ALGORITHM,
    outerSignatureAlgorithm: read && !decoded.isHalfRead ? read.signatureAlgorithm : UNKNOWN_ALGORITHM,
    statedAlgorithm: read?.signatureAlgorithm.name ?? 'unknown',
    issuer,
    issuerKey: nameKey(issuer),
    subject,
    subjectKey: nameKey(subject),
    notBefore: validity && readTime(validity.from),
    notAfter: validity && readTime(validity.until),
    keyAlgorithm: publicKeyInfo?.algorithm ?? { oid: '', parameters: undefined },
    publicKey,
    isSelfIssued,
  }
  const isSelfSigned =
    isSelfIssued &&
    !facts.invalid &&
    checkAuthorityKeyId(facts, facts.authorityKeyId) &&
    canHaveSigned(publicKey, facts.signatureAlgorithm)
  return { ...facts, isSelfSigned }
}

function readPublicKey(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey
  } catch {
    return undefined
  }
}

/** The curve of an EC key is spelled out instead of named. */
export function hasExplicitCurve({ keyAlgorithm }: CertificateFacts): boolean {
  return keyAlgorithm.oid === '1.2.840.10045.2.1' && keyAlgorithm.parameters?.tag === 16
}

/** By name, key identifier and kind of key, before any signature is checked: ossl_x509_likely_issued of OpenSSL 3.0. */
export function isLikelyIssuedBy(certificate: CertificateFacts, issuer: CertificateFacts): boolean {
  return (
    certificate.issuerKey === issuer.subjectKey &&
    !issuer.invalid &&
    !certificate.invalid &&
    checkAuthorityKeyId(issuer, certificate.authorityKeyId) &&
    canHaveSigned(issuer.publicKey, certificate.signatureAlgorithm)
  )
}

/** Verifies the signature; names alone are not enough, for a renewed authority keeps its name and changes its key. */
export function isSignedBy({ certificate }: CertificateFacts, { publicKey }: CertificateFacts): boolean {
  try {
    return publicKey !== undefined && certificate.verify(publicKey)
  } catch {
    return false
  }
}
