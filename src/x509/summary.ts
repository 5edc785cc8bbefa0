/** What people want to know of a certificate, read from it once. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { isAddress } from '../base/names/ip-address.js'
import { printable } from './encoding/distinguished-name.js'
import { describeGeneralName } from './encoding/general-name.js'
import { isSignedBy, readFacts } from './validate/certificate-facts.js'

export interface CertificateSummary {
  /** One line, the most specific part first (RFC 4514): `CN=wlb.example.com, O=Example`. */
  readonly subject: string
  readonly commonName: string | undefined
  /** Everything the certificate could be called by: the CN where it looks like a name, then SANs, each once. */
  readonly names: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly issuer: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Upper-case hex with colons, as XenAPI prints it. */
  readonly fingerprintSha256: string
  readonly fingerprintSha1: string
  readonly serialNumber: string
  readonly selfSigned: boolean
  readonly key: { readonly type: string; readonly bits: number }
  readonly signatureAlgorithm: string
}

/** Reads what a certificate says of itself. Nothing is verified but the signature of a self-signed one. */
export function describeCertificate(certificate: X509Certificate): CertificateSummary {
  const { alternativeNames = [], publicKey, statedAlgorithm } = readFacts(certificate)
  const alternatives = alternativeNames.map(describeGeneralName)
  const dnsNames = alternatives.flatMap(({ kind, value }) => (kind === 'dns' ? printable(value) : []))
  const ipAddresses = alternatives.flatMap(({ kind, value }) => (kind === 'ip' ? value : []))
  const commonName = readCommonName(certificate.subject)
  const own = commonName !== undefined && looksLikeName(commonName) ? [commonName] : []
  return {
    subject: onOneLine(certificate.subject),
    commonName,
    names: [...new Set([...own, ...dnsNames, ...ipAddresses])],
    dnsNames,
    ipAddresses,
    issuer: onOneLine(certificate.issuer),
    notBefore: new Date(certificate.validFrom),
    notAfter: new Date(certificate.validTo),
    fingerprintSha256: certificate.fingerprint256,
    fingerprintSha1: certificate.fingerprint,
    serialNumber: certificate.serialNumber,
    selfSigned: isSelfSigned(certificate),
    key: describeKey(publicKey),
    signatureAlgorithm: statedAlgorithm,
  }
}

/** Where a moment lies against the dates of a certificate; both are part of its time (RFC 5280, 4.1.2.5). */
export type Standing = 'not yet valid' | 'in its dates' | 'expired'

export function standingAt(
  { notBefore, notAfter }: Pick<CertificateSummary, 'notBefore' | 'notAfter'>,
  now: Date,
): Standing {
  if (now < notBefore) return 'not yet valid'
  return notAfter < now ? 'expired' : 'in its dates'
}

/**
 * Tells whether a certificate carries its own key's signature: issuer and subject alike are not enough. Node's
 * `checkIssued` would say no where keyUsage lacks keyCertSign, as in every self-signed certificate that is no authority.
 */
export function isSelfSigned(certificate: X509Certificate): boolean {
  const facts = readFacts(certificate)
  return certificate.subject === certificate.issuer && isSignedBy(facts, facts)
}

/** The subject as the beginning of a sentence. */
export function subjectInSentence(certificate: X509Certificate): string {
  return onOneLine(certificate.subject) || 'The certificate without a name'
}

/** Node prints a name as lines in encoded order, the most general part first. An empty name is undefined. */
function onOneLine(name: string | undefined): string {
  return (name ?? '').split('\n').reverse().join(', ')
}

function readCommonName(subject: string | undefined): string | undefined {
  const lines = (subject ?? '').split('\n').filter((line) => line.startsWith('CN='))
  return lines.at(-1)?.slice('CN='.length).replace(/\\(.)/g, '$1')
}

function looksLikeName(text: string): boolean {
  return isAddress(text) || /^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?$/.test(text)
}

const CURVE_BITS: Readonly<Record<string, number>> = { prime256v1: 256, secp256k1: 256, secp384r1: 384, secp521r1: 521 }
const EDWARDS_BITS: Readonly<Record<string, number>> = { ed25519: 256, ed448: 456, x25519: 256, x448: 448 }

function describeKey(key: KeyObject | undefined): { type: string; bits: number } {
  if (!key) return { type: 'unknown', bits: 0 }
  const type = key.asymmetricKeyType ?? 'unknown'
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  return { type, bits: modulusLength ?? CURVE_BITS[namedCurve ?? ''] ?? EDWARDS_BITS[type] ?? 0 }
}

/** Where the certificate says that its issuer's revocation list is found (RFC 5280, 4.2.1.13), in its order. */
export function crlUrls(certificate: X509Certificate): readonly string[] {
  return (readFacts(certificate).distributionPoints ?? []).flatMap(({ point }) =>
    point?.kind === 'full'
      ? point.names.flatMap((name) => (name.kind === 'uri' ? [printable(name.bytes.toString('latin1'))] : []))
      : [],
  )
}
