/** The certificates of a small authority: a root that signs itself, and an intermediate that does the daily work. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import {
  BACKDATE_MS,
  createRsaKey,
  DAY_MS,
  importPublicKey,
  importSigningKey,
  loadLibrary,
  nextSecond,
  SIGNATURE,
} from '../encoding/signing.js'

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

/** In every certificate of such an authority, so that whoever meets one knows what it is; 64 characters at most. */
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
  const publicKey = await importPublicKey(key)
  const made = await x509.X509CertificateGenerator.create({
    serialNumber,
    subject,
    issuer: issuer ? new x509.X509Certificate(issuer.certificate.raw).subjectName : subject,
    notBefore: nextSecond(now.getTime() - BACKDATE_MS),
    notAfter: nextSecond(now.getTime() + lifetimeDays * DAY_MS),
    publicKey,
    signingKey: await importSigningKey(issuer?.privateKey ?? key),
    signingAlgorithm: SIGNATURE,
    extensions: [
      new x509.BasicConstraintsExtension(true, pathLength, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ...(issuer ? [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth])] : []),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer ? await importPublicKey(issuer.privateKey) : publicKey),
    ],
  })
  return { certificate: new X509Certificate(Buffer.from(made.rawData)), privateKey: key }
}
