/** What path validation needs to know of one certificate, read once (RFC 5280, 4.1), and whether one looks issued by another. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { type DerElement, fieldsOf, readElement, readElements, readOid, readTime, TAG } from '../encoding/der.js'
import { type DistinguishedName, isSameName, nameKey, readDistinguishedName } from '../encoding/distinguished-name.js'
import { canHaveSigned } from '../encoding/signature-algorithm.js'
import {
  checkAuthorityKeyId,
  decodeExtensions,
  type Extensions,
  type RawExtension,
  readExtensionList,
} from './extensions.js'

export interface CertificateFacts extends Extensions {
  readonly certificate: X509Certificate
  readonly version: number
  /** The content of the INTEGER. */
  readonly serial: Buffer
  /** Content of the AlgorithmIdentifier of the signature, as the signed part states it. */
  readonly signatureAlgorithm: Buffer
  /** The same from outside the signed part, where OpenSSL reads the strength; the two can differ. */
  readonly outerSignatureAlgorithm: Buffer
  readonly issuer: DistinguishedName
  readonly issuerKey: string
  readonly subject: DistinguishedName
  readonly subjectKey: string
  /** Undefined where it cannot be read. */
  readonly notBefore: Date | undefined
  readonly notAfter: Date | undefined
  /** Content of SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Buffer
  /** Undefined where OpenSSL cannot read it. */
  readonly publicKey: KeyObject | undefined
  /** Issuer and subject are one name. */
  readonly isSelfIssued: boolean
  /** By names, key identifiers and kind of key; the signature itself is not checked, as in OpenSSL. Never when `invalid`. */
  readonly isSelfSigned: boolean
}

/** Reads one certificate in DER; undefined when it is none. */
export function readCertificate(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der)
  } catch {
    return undefined
  }
}

const known = new WeakMap<X509Certificate, CertificateFacts>()

/** Reads the facts. Every certificate that node:crypto accepts can be read; `invalid` is set where a part cannot. */
export function readFacts(certificate: X509Certificate): CertificateFacts {
  const before = known.get(certificate)
  if (before) return before
  const facts = readAll(certificate)
  known.set(certificate, facts)
  return facts
}

/** Which key signed it, as the certificate itself says; undefined where it does not. */
export function readIssuerKeyId(certificate: X509Certificate): Buffer | undefined {
  return readFacts(certificate).authorityKeyId?.keyId
}

function readAll(certificate: X509Certificate): CertificateFacts {
  const [tbs, outerAlgorithm] = fieldsOf(readElement(certificate.raw))
  const fields = fieldsOf(tbs)
  const first = fields[0]?.tag === 0xa0 ? fields.shift() : undefined
  const [serial, algorithm, issuerElement, validity, subjectElement, key, ...rest] = fields
  const [from, until] = fieldsOf(validity)
  const extensions = readExtensions(rest)
  const issuer = readName(issuerElement)
  const subject = readName(subjectElement)
  const signatureAlgorithm = algorithm?.content ?? Buffer.alloc(0)
  const publicKey = readPublicKey(certificate)
  const decoded = decodeExtensions(extensions ?? [])
  const isSelfIssued = isSameName(issuer, subject)
  const facts = {
    ...decoded,
    invalid: decoded.invalid || extensions === undefined,
    certificate,
    version: first ? (readElement(first.content)?.content[0] ?? 0) + 1 : 1,
    serial: serial?.content ?? Buffer.alloc(0),
    signatureAlgorithm,
    outerSignatureAlgorithm: outerAlgorithm?.content ?? Buffer.alloc(0),
    issuer,
    issuerKey: nameKey(issuer),
    subject,
    subjectKey: nameKey(subject),
    notBefore: from && readTime(from),
    notAfter: until && readTime(until),
    publicKeyInfo: key?.content ?? Buffer.alloc(0),
    publicKey,
    isSelfIssued,
  }
  const isSelfSigned =
    isSelfIssued &&
    !facts.invalid &&
    checkAuthorityKeyId(facts, facts.authorityKeyId) &&
    canHaveSigned(publicKey, signatureAlgorithm)
  return { ...facts, isSelfSigned }
}

function readExtensions(rest: readonly DerElement[]): RawExtension[] | undefined {
  const tagged = rest.find(({ tag }) => tag === 0xa3)
  if (!tagged) return []
  const list = readElement(tagged.content)
  return list?.tag === TAG.sequence ? readExtensionList(list.content) : undefined
}

function readName(element: DerElement | undefined): DistinguishedName {
  return readDistinguishedName(element?.content ?? Buffer.alloc(0)) ?? { canonical: [], attributes: [] }
}

function readPublicKey(certificate: X509Certificate): KeyObject | undefined {
  try {
    return certificate.publicKey
  } catch {
    return undefined
  }
}

/** The curve of an EC key is spelled out instead of named. */
export function hasExplicitCurve({ publicKeyInfo }: CertificateFacts): boolean {
  const [algorithm] = readElements(publicKeyInfo) ?? []
  const [oid, parameters] = fieldsOf(algorithm)
  return oid !== undefined && readOid(oid.content) === '1.2.840.10045.2.1' && parameters?.tag === TAG.sequence
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
