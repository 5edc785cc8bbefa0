/**
 * Certificates with any content, however wrong, and the private keys they are signed with: no real authority would sign
 * most of them.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  webcrypto,
  X509Certificate,
} from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { createRsaKey, createSerialNumber, exportPrivateKey, loadLibrary } from '../../x509/index.js'

export interface Signatory {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

export interface OddOrder {
  readonly commonName: string
  readonly key: KeyObject
  /** Without an issuer the certificate is self-signed. */
  readonly issuer: Signatory | undefined
  readonly notBefore: Date
  readonly notAfter: Date
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly isAuthority: boolean
  readonly pathLength?: number
  readonly usages: readonly Usage[]
  readonly purpose?: 'serverAuth' | 'clientAuth'
  /** Name constraint of an authority: names below this domain only. */
  readonly permittedDomain?: string
  readonly digest?: 'SHA-256' | 'SHA-1'
  /** False leaves out the authority key identifier, which tells two issuer keys of one name apart. */
  readonly namesIssuerKey?: boolean
}

export type Usage = 'digitalSignature' | 'keyEncipherment' | 'keyCertSign' | 'cRLSign'

/** In the subject of every certificate, so that it can be recognised. */
const ODD_LABEL = 'OpenWLB lab fault'

export async function signOddCertificate(order: OddOrder): Promise<X509Certificate> {
  const x509 = await loadLibrary()
  const { commonName, key, issuer, digest = 'SHA-256', namesIssuerKey = true } = order
  const subject = new x509.Name([{ O: [{ utf8String: ODD_LABEL }] }, { CN: [{ utf8String: commonName }] }])
  const own = await importPublic(key)
  const flags = order.usages.reduce((all, usage) => all | x509.KeyUsageFlags[usage], 0)
  const alternativeNames = [
    ...(order.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(order.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ]
  const { permittedDomain } = order
  const extensions = [
    new x509.BasicConstraintsExtension(order.isAuthority, order.pathLength, true),
    new x509.KeyUsagesExtension(flags, true),
    await x509.SubjectKeyIdentifierExtension.create(own),
    ...(order.purpose ? [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[order.purpose]])] : []),
    ...(alternativeNames.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternativeNames)] : []),
    ...(permittedDomain === undefined ? [] : [new x509.Extension(NAME_CONSTRAINTS, true, permitOnly(permittedDomain))]),
  ]
  if (namesIssuerKey)
    extensions.push(await x509.AuthorityKeyIdentifierExtension.create(await importPublic(issuer?.key ?? key)))

  const signing = issuer?.key ?? key
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: createSerialNumber(),
    subject,
    issuer: issuer ? new x509.X509Certificate(issuer.certificate.raw).subjectName : subject,
    notBefore: order.notBefore,
    notAfter: order.notAfter,
    publicKey: own,
    signingKey: await importPrivate(signing, digest),
    signingAlgorithm: algorithmOf(signing, digest),
    extensions,
  })
  return new X509Certificate(Buffer.from(made.rawData))
}

const NAME_CONSTRAINTS = '2.5.29.30'

/**
 * NameConstraints { permittedSubtrees [0] { { base [2] dNSName } } } (RFC 5280, 4.2.1.10), short enough for lengths of
 * one byte.
 */
function permitOnly(domain: string): ArrayBuffer {
  const wrap = (tag: number, content: Buffer) => Buffer.concat([Buffer.from([tag, content.length]), content])
  const encoded = wrap(0x30, wrap(0xa0, wrap(0x30, wrap(0x82, Buffer.from(domain)))))
  return new Uint8Array(encoded).buffer
}

function importPublic(key: KeyObject): Promise<webcrypto.CryptoKey> {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  return webcrypto.subtle.importKey('spki', spki, algorithmOf(key, 'SHA-256'), true, ['verify'])
}

/** In Web Crypto the digest is part of the key. */
function importPrivate(key: KeyObject, digest: string): Promise<webcrypto.CryptoKey> {
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', pkcs8, algorithmOf(key, digest), false, ['sign'])
}

function algorithmOf(key: KeyObject, hash: string) {
  return key.asymmetricKeyType === 'ec'
    ? { name: 'ECDSA', namedCurve: 'P-256', hash }
    : { name: 'RSASSA-PKCS1-v1_5', hash }
}

export type KeyName = 'root' | 'issuing' | 'below-issuing' | 'leaf' | 'other-root' | 'weak' | 'weak-issuing' | 'ec'

const WEAK_BITS = 1024
const BITS = 2048

/** Reads a private key of the stand-in; it is generated when first asked for and kept under its name. */
export async function keyOf(folder: string, name: KeyName): Promise<KeyObject> {
  const path = join(folder, `${name}.key`)
  try {
    return createPrivateKey(await readFile(path))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const key = await makeKey(name)
  await ensureFolder(folder, 0o700)
  await replaceFile(path, exportPrivateKey(key), 0o600)
  return key
}

async function makeKey(name: KeyName): Promise<KeyObject> {
  if (name === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return createRsaKey(name.startsWith('weak') ? WEAK_BITS : BITS)
}
