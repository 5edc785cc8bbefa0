/** What every certificate and list that is signed here has in common: RSA with SHA-256, a start one day back, a random number. */
import { createPublicKey, generateKeyPair, type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import type { Extension, Name } from '@peculiar/x509'

export const DAY_MS = 86_400_000
/** Hosts whose clocks run late refuse a certificate, or a list, from their future. */
export const BACKDATE_MS = 24 * 3_600_000
export const SIGNATURE = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

/** Loads the schema library: late, because it takes longer than everything else a command does. */
export async function loadLibrary() {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

/** Makes an RSA key: pools offer no suite for another kind. */
export async function createRsaKey(bits: number): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: bits, publicExponent: 0x10001 })
  return privateKey
}

export function importSigningKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', key.export({ type: 'pkcs8', format: 'der' }), SIGNATURE, false, ['sign'])
}

/** Takes the public half, whichever half is given. */
export function importPublicKey(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const spki = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', spki, SIGNATURE, true, ['verify'])
}

/** The next second, for certificates and lists know no smaller unit; upwards, so that thirty days are not 29. */
export function nextSecond(timeMs: number): Date {
  return new Date(Math.ceil(timeMs / 1000) * 1000)
}

/**
 * Draws a serial number of 126 random bits in 16 bytes, as hex: never zero, never negative, always of one length, and not
 * predictable, so that nobody can prepare a collision (RFC 5280, 4.1.2.2).
 */
export function createSerialNumber(): string {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  return serial.toString('hex').toUpperCase()
}

export interface ServerNames {
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
}

/** What a server asks for and gets: its names, digitalSignature and keyEncipherment, serverAuth (docs/protocol/pool.md). */
export async function requestedExtensions({ dnsNames, ipAddresses }: ServerNames, areNamesCritical = false) {
  const x509 = await loadLibrary()
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags
  const names = [
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
    ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
  ]
  return [
    new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    new x509.SubjectAlternativeNameExtension(names, areNamesCritical),
  ] as const
}

/** The extensions of every server's certificate: what was asked for, no authority, both key identifiers. */
export async function serverExtensions(
  names: ServerNames,
  publicKey: KeyObject,
  issuerKey: KeyObject,
  areNamesCritical = false,
): Promise<Extension[]> {
  const { BasicConstraintsExtension } = await loadLibrary()
  const [usage, purpose, alternativeNames] = await requestedExtensions(names, areNamesCritical)
  const identifiers = await keyIdentifiers(publicKey, issuerKey)
  return [new BasicConstraintsExtension(false, undefined, true), usage, purpose, ...identifiers, alternativeNames]
}

/** Strict clients want both, in a self-signed certificate too. */
export async function keyIdentifiers(publicKey: KeyObject, issuerKey: KeyObject): Promise<Extension[]> {
  const { AuthorityKeyIdentifierExtension, SubjectKeyIdentifierExtension } = await loadLibrary()
  return [
    await SubjectKeyIdentifierExtension.create(await importPublicKey(publicKey)),
    await AuthorityKeyIdentifierExtension.create(await importPublicKey(issuerKey)),
  ]
}

/** Signs a certificate. `publicKey` may be the private half; `issuerKey` has to be. */
export async function signCertificate(content: {
  readonly serialNumber: string
  readonly subject: Name
  readonly issuer: Name
  readonly notBefore: Date
  readonly notAfter: Date
  readonly publicKey: KeyObject
  readonly issuerKey: KeyObject
  readonly extensions: Extension[]
}): Promise<X509Certificate> {
  const { publicKey, issuerKey, ...fields } = content
  const { X509CertificateGenerator } = await loadLibrary()
  const made = await X509CertificateGenerator.create({
    ...fields,
    publicKey: await importPublicKey(publicKey),
    signingKey: await importSigningKey(issuerKey),
    signingAlgorithm: SIGNATURE,
  })
  return new X509Certificate(Buffer.from(made.rawData))
}
