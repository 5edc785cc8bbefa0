/** Certificates for tests, right and wrong ones alike: every field can be chosen, nothing is checked. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  webcrypto,
  X509Certificate,
} from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

import { cacheForFile } from '../file-cache.js'
import { nextRsaKey } from '../rsa-keys.js'
export const TEST_NOW = new Date()
export const daysFromNow = (days: number): Date => new Date(TEST_NOW.getTime() + days * 86_400_000)

type KeyKind = 'rsa2048' | 'rsa1024' | 'ec'
type Usage = keyof typeof x509.KeyUsageFlags

export interface CertificateSpec {
  /** The common name. */
  readonly subject: string
  /** Without one the certificate signs itself. */
  readonly issuer?: Issued
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly notBefore?: Date
  readonly notAfter?: Date
  readonly keyKind?: KeyKind
  /** Certificates with the same key label share a key; the subject by default. */
  readonly keyLabel?: string
  /** basicConstraints; undefined leaves it out. */
  readonly ca?: boolean
  readonly pathLength?: number
  readonly keyUsage?: readonly Usage[]
  readonly extendedKeyUsage?: readonly ('serverAuth' | 'clientAuth')[]
  readonly digest?: 'SHA-256' | 'SHA-1'
  /** Names below this domain only. */
  readonly permittedDomain?: string
  /** Subject and authority key identifiers; left out by default. */
  readonly keyIdentifiers?: boolean
  /** Where the issuer's certificate can be had. */
  readonly caIssuers?: string
}

export interface Issued {
  readonly certificatePem: string
  readonly privateKeyPem: string
  readonly certificate: X509Certificate
  readonly publicKey: CryptoKey
  readonly keyKind: KeyKind
}

type CryptoKey = webcrypto.CryptoKey

interface Keys {
  readonly privateKey: KeyObject
  readonly publicKey: CryptoKey
}

/** Issues one certificate as described. */
export async function issue(spec: CertificateSpec): Promise<Issued> {
  const { subject, issuer, keyKind = 'rsa2048', digest = 'SHA-256' } = spec
  const { publicKey, privateKey } = await keysFor(keyKind, spec.keyLabel ?? subject)
  const signingKind = issuer?.keyKind ?? keyKind
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: `4${randomBytes(8).toString('hex').slice(1)}`,
    subject: [{ CN: [subject] }],
    issuer: issuer
      ? issuer.certificate.subject.split('\n').map((line) => ({ CN: [line.slice(3)] }))
      : [{ CN: [subject] }],
    notBefore: spec.notBefore ?? daysFromNow(-1),
    notAfter: spec.notAfter ?? daysFromNow(30),
    publicKey,
    signingKey: await signingKey(issuer?.privateKeyPem ?? exportKey(privateKey), signingKind, digest),
    signingAlgorithm: signatureOf(signingKind, digest),
    extensions: await extensionsOf(spec, publicKey, issuer?.publicKey ?? publicKey),
  })
  const certificatePem = `${made.toString('pem')}\n`
  return {
    certificatePem,
    privateKeyPem: exportKey(privateKey),
    certificate: new X509Certificate(certificatePem),
    publicKey,
    keyKind,
  }
}

/** Issues an authority's certificate: CA:TRUE, keyCertSign and cRLSign unless told otherwise. */
export function issueAuthority(spec: CertificateSpec): Promise<Issued> {
  const dates = { notBefore: daysFromNow(-100), notAfter: daysFromNow(1000) }
  return issue({ ca: true, keyUsage: ['keyCertSign', 'cRLSign'], ...dates, ...spec })
}

/** Signs a CRL in PEM. `signedBy` is another key under the issuer's name. */
export async function issueCrl(
  issuer: Issued,
  options: { revoked?: readonly Issued[]; thisUpdate?: Date; nextUpdate?: Date; signedBy?: Issued } = {},
): Promise<string> {
  const crl = await x509.X509CrlGenerator.create({
    issuer: issuer.certificate.subject,
    thisUpdate: options.thisUpdate ?? daysFromNow(-1),
    nextUpdate: options.nextUpdate ?? daysFromNow(30),
    entries: (options.revoked ?? []).map(({ certificate }) => ({
      serialNumber: certificate.serialNumber,
      revocationDate: daysFromNow(-1),
    })),
    signingAlgorithm: signatureOf(issuer.keyKind, 'SHA-256'),
    signingKey: await signingKey((options.signedBy ?? issuer).privateKeyPem, issuer.keyKind, 'SHA-256'),
  })
  // the library's own label is one OpenSSL does not know
  return `${crl.toString('pem').replaceAll('BEGIN CRL', 'BEGIN X509 CRL').replaceAll('END CRL', 'END X509 CRL')}\n`
}

const keyCache = cacheForFile<string, Promise<Keys>>()

/** Keys take longer than everything else, so a label gets one and keeps it. */
function keysFor(kind: KeyKind, label: string): Promise<Keys> {
  const name = `${kind} ${label}`
  const keys = keyCache.get(name) ?? makeKeys(kind)
  keyCache.set(name, keys)
  return keys
}

async function makeKeys(kind: KeyKind): Promise<Keys> {
  const privateKey =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : nextRsaKey(kind === 'rsa1024' ? 1024 : 2048)
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    privateKey,
    publicKey: await webcrypto.subtle.importKey('spki', spki, importOf(kind, 'SHA-256'), true, ['verify']),
  }
}

/** In Web Crypto the digest is part of the key. */
function signingKey(pem: string, kind: KeyKind, digest: string): Promise<CryptoKey> {
  const pkcs8 = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', pkcs8, importOf(kind, digest), true, ['sign'])
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function importOf(kind: KeyKind, hash: string): webcrypto.RsaHashedImportParams | webcrypto.EcKeyImportParams {
  return kind === 'ec' ? { name: 'ECDSA', namedCurve: 'P-256' } : { name: 'RSASSA-PKCS1-v1_5', hash }
}

function signatureOf(kind: KeyKind, hash: string): { name: string; hash: string } {
  return kind === 'ec' ? { name: 'ECDSA', hash } : { name: 'RSASSA-PKCS1-v1_5', hash }
}

async function extensionsOf(spec: CertificateSpec, own: CryptoKey, issuer: CryptoKey): Promise<x509.Extension[]> {
  const { ca, pathLength, keyUsage, extendedKeyUsage, dnsNames = [], ipAddresses = [], permittedDomain } = spec
  const extensions: x509.Extension[] = []
  if (ca !== undefined) extensions.push(new x509.BasicConstraintsExtension(ca, pathLength, true))
  if (keyUsage) {
    const flags = keyUsage.reduce((all, usage) => all | x509.KeyUsageFlags[usage], 0)
    extensions.push(new x509.KeyUsagesExtension(flags, true))
  }
  if (extendedKeyUsage) {
    extensions.push(new x509.ExtendedKeyUsageExtension(extendedKeyUsage.map((usage) => x509.ExtendedKeyUsage[usage])))
  }
  if (dnsNames.length + ipAddresses.length > 0) {
    const names = [
      ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
      ...ipAddresses.map((value) => ({ type: 'ip' as const, value })),
    ]
    extensions.push(new x509.SubjectAlternativeNameExtension(names))
  }
  if (permittedDomain !== undefined) extensions.push(nameConstraints(permittedDomain))
  if (spec.caIssuers !== undefined)
    extensions.push(new x509.AuthorityInfoAccessExtension({ caIssuers: spec.caIssuers }))
  if (spec.keyIdentifiers) {
    extensions.push(await x509.SubjectKeyIdentifierExtension.create(own))
    extensions.push(await x509.AuthorityKeyIdentifierExtension.create(issuer))
  }
  return extensions
}

/** NameConstraints { permittedSubtrees [0] { { base [2] dNSName } } } (RFC 5280, 4.2.1.10). */
function nameConstraints(domain: string): x509.Extension {
  const wrap = (tag: number, content: Buffer) => Buffer.concat([Buffer.from([tag, content.length]), content])
  const raw = wrap(0x30, wrap(0xa0, wrap(0x30, wrap(0x82, Buffer.from(domain)))))
  return new x509.Extension('2.5.29.30', true, new Uint8Array(raw).buffer)
}
