/** A small authority: a root that signs itself, an intermediate that does the daily work, and their revocation lists. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { encodePem } from '../encoding/pem.js'
import {
  BACKDATE_MS,
  createRsaKey,
  DAY_MS,
  importPublicKey,
  importSigningKey,
  keyIdentifiers,
  loadLibrary,
  nextSecond,
  SIGNATURE,
  signCertificate,
} from './signing.js'

/** Who signs: the certificate and its key. */
export interface Signer {
  readonly certificate: X509Certificate
  readonly privateKey: KeyObject
}

export interface AuthorityOrder {
  /** Stands before `Root CA` and `Issuing CA` in the common names. */
  readonly name: string
  readonly now: Date
  readonly lifetimeDays: number
  readonly rootSerial: string
  /** Without one the root signs leafs itself. */
  readonly intermediateSerial: string | undefined
  readonly keyBits?: number
}

export interface Authority {
  readonly root: Signer
  readonly intermediate: Signer | undefined
}

/** Organization in every certificate of such an authority, so that readers know what it is; 64 characters at most. */
export const AUTHORITY_LABEL = 'OpenWLB small authority (for labs and small sites)'

/** 128-bit strength, good for the decades an authority lives; pools take 2048 and more. */
const KEY_BITS = 3072
/** A root is changed on every host by hand, an intermediate by sending another file. */
const INTERMEDIATE_LIFETIME_DAYS = 3650

/**
 * Makes the keys and the certificates. No authority may be put below the last one (path length), and the intermediate
 * vouches for servers only: pools admit API clients by certificate with the same bundle (docs/decisions/0003).
 */
export async function createAuthority(order: AuthorityOrder): Promise<Authority> {
  const { name, now, lifetimeDays, rootSerial, intermediateSerial } = order
  const root = await issueAuthority({
    ...order,
    commonName: `${name} Root CA`,
    serialNumber: rootSerial,
    pathLength: intermediateSerial === undefined ? 0 : 1,
  })
  if (intermediateSerial === undefined) return { root, intermediate: undefined }
  const intermediate = await issueAuthority({
    ...order,
    commonName: `${name} Issuing CA`,
    serialNumber: intermediateSerial,
    pathLength: 0,
    issuer: root,
    now,
    lifetimeDays: Math.min(lifetimeDays, INTERMEDIATE_LIFETIME_DAYS),
  })
  return { root, intermediate }
}

interface CertificateOrder {
  readonly commonName: string
  readonly serialNumber: string
  readonly pathLength: number
  readonly issuer?: Signer
  readonly now: Date
  readonly lifetimeDays: number
  readonly keyBits?: number
}

async function issueAuthority(order: CertificateOrder): Promise<Signer> {
  const { commonName, serialNumber, pathLength, issuer, now, lifetimeDays, keyBits = KEY_BITS } = order
  const x509 = await loadLibrary()
  const key = await createRsaKey(keyBits)
  // as objects: a plain string that begins with # or a quote would be taken for an escape
  const subject = new x509.Name([{ O: [{ utf8String: AUTHORITY_LABEL }] }, { CN: [{ utf8String: commonName }] }])
  const issuerKey = issuer?.privateKey ?? key
  const certificate = await signCertificate({
    serialNumber,
    subject,
    issuer: issuer ? new x509.X509Certificate(issuer.certificate.raw).subjectName : subject,
    notBefore: nextSecond(now.getTime() - BACKDATE_MS),
    notAfter: nextSecond(now.getTime() + lifetimeDays * DAY_MS),
    publicKey: key,
    issuerKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, pathLength, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ...(issuer ? [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])] : []),
      ...(await keyIdentifiers(key, issuerKey)),
    ],
  })
  return { certificate, privateKey: key }
}

/** Why a certificate is revoked (RFC 5280, 5.3.1); a hold is not offered, because pools cannot be told of its end in time. */
export const REVOCATION_REASONS = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const
export type RevocationReason = (typeof REVOCATION_REASONS)[number]

export interface CrlOrder {
  readonly issuer: Signer
  readonly revoked: readonly {
    readonly serialNumber: string
    readonly revokedAt: Date
    readonly reason: RevocationReason
  }[]
  /** Greater than that of the list before. */
  readonly number: number
  readonly now: Date
  readonly lifetimeDays: number
}

export interface IssuedCrl {
  /** Labelled `X509 CRL`: OpenSSL knows no other. */
  readonly pem: string
  readonly thisUpdate: Date
  readonly nextUpdate: Date
}

/** Signs a list. It is dated back a day: a host whose clock runs late would refuse every leaf of this issuer. */
export async function issueCrl({ issuer, revoked, number, now, lifetimeDays }: CrlOrder): Promise<IssuedCrl> {
  const x509 = await loadLibrary()
  const thisUpdate = nextSecond(now.getTime() - BACKDATE_MS)
  const nextUpdate = nextSecond(now.getTime() + lifetimeDays * DAY_MS)
  const made = await x509.X509CrlGenerator.create({
    issuer: new x509.X509Certificate(issuer.certificate.raw).subjectName,
    thisUpdate,
    nextUpdate,
    entries: revoked.map(({ serialNumber, revokedAt, reason }) => ({
      serialNumber,
      revocationDate: revokedAt,
      ...(reason !== 'unspecified' && { reason: x509.X509CrlReason[reason] }), // RFC 5280 wants it left out then
    })),
    extensions: [
      await x509.AuthorityKeyIdentifierExtension.create(await importPublicKey(issuer.privateKey)),
      new x509.Extension('2.5.29.20', false, encodeInteger(number)),
    ],
    signingKey: await importSigningKey(issuer.privateKey),
    signingAlgorithm: SIGNATURE,
  })
  return { pem: encodePem('X509 CRL', Buffer.from(made.rawData)), thisUpdate, nextUpdate }
}

/** INTEGER: a leading zero where the first bit would make it negative. */
function encodeInteger(value: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16)
  const plain = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  const content = (plain[0] ?? 0) >= 0x80 ? [0, ...plain] : [...plain]
  return new Uint8Array([0x02, content.length, ...content])
}
