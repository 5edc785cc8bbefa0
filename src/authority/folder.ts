/**
 * The folder of a small authority: its files, the index of issued certificates, the keys (encrypted as PKCS #8 with PBES2 and
 * AES-256, which openssl reads too), and the report that needs no passphrase.
 */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { WlbError } from '../base/error.js'
import { replaceFile } from '../base/files/durable-file.js'
import { systemCode, touching } from '../base/files/file-failure.js'
import { readLimitedFile, readOwnFile } from '../base/files/limited-file.js'
import {
  AUTHORITY_LABEL,
  type CertificateSummary,
  describeCertificate,
  REVOCATION_REASONS,
  readPrivateKey,
  type Signer,
} from '../x509/index.js'
import { fail } from './errors.js'

export const FOLDER_MODE = 0o700
export const SECRET_MODE = 0o600
export const PUBLIC_MODE = 0o644

export interface AuthorityFolder {
  readonly folder: string
  readonly readme: string
  readonly rootCertificate: string
  readonly rootKey: string
  readonly intermediateCertificate: string
  readonly intermediateKey: string
  /** The issued and revoked certificates. It is written last when an authority is created, so if it exists, all files do. */
  readonly index: string
  /** The certificate signed last, unless another output file was given. */
  readonly signedCertificate: string
  readonly crl: string
  readonly rootCrl: string
}

export function authorityFolder(folder: string): AuthorityFolder {
  return {
    folder,
    readme: join(folder, 'README.txt'),
    rootCertificate: join(folder, 'root_ca.pem'),
    rootKey: join(folder, 'root_ca.key'),
    intermediateCertificate: join(folder, 'intermediate_ca.pem'),
    intermediateKey: join(folder, 'intermediate_ca.key'),
    index: join(folder, 'index.json'),
    signedCertificate: join(folder, 'signed_cert.pem'),
    crl: join(folder, 'crl.pem'),
    rootCrl: join(folder, 'root_crl.pem'),
  }
}

/** The limits of this authority: printed by every command and written to README.txt in the folder. */
export const AUTHORITY_LIMITS = [
  'No hardware keeps its keys, nobody audits it, and there is no OCSP: revocation reaches whom you give a list.',
  'Whoever has this folder and its passphrase can vouch for any name to every host that trusts its root.',
]

export const README = `${AUTHORITY_LABEL}

${AUTHORITY_LIMITS.join('\n')}

root_ca.pem          install this on the pool
intermediate_ca.pem  sent along by the server (where there is one)
*.key                the keys, encrypted with the passphrase (PKCS #8)
index.json           every certificate issued, and every one revoked
crl.pem              the revocation list of the certificate that signs servers' certificates
`

const DATE = z.iso.datetime()

const ISSUED = z.strictObject({
  serialNumber: z.string().regex(/^[0-9A-F]+$/),
  subject: z.string(),
  names: z.array(z.string()),
  issuedAt: DATE,
  notBefore: DATE,
  notAfter: DATE,
  /** PEM: a lost certificate can be copied from here. */
  certificate: z.string(),
  revoked: z.strictObject({ at: DATE, reason: z.enum(REVOCATION_REASONS) }).optional(),
})

const INDEX = z.strictObject({
  format: z.literal(1),
  name: z.string(),
  /** Which of the two signs servers' certificates. Stored, so that a lost intermediate is not mistaken for none. */
  issuer: z.enum(['intermediate', 'root']),
  /** Numbers of the CRLs issued last; a CRL with a lower number is older (RFC 5280, 5.2.3). */
  crlNumber: z.strictObject({ intermediate: z.int().min(0), root: z.int().min(0) }),
  issued: z.array(ISSUED),
})

export type IssuedCertificate = Readonly<z.infer<typeof ISSUED>>
export type AuthorityIndex = Readonly<z.infer<typeof INDEX>>

/**
 * @throws AUTHORITY_MISSING when there is no index.
 * @throws AUTHORITY_INDEX_DAMAGED when it cannot be read as an index.
 */
export async function readIndex(place: AuthorityFolder): Promise<AuthorityIndex> {
  const text = await touching(place.index, () => readOwnFile(place.index)).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? fail('AUTHORITY_MISSING', { folder: place.folder }) : error
  })
  const parsed = INDEX.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const found = issue?.message ?? 'not JSON'
  throw fail('AUTHORITY_INDEX_DAMAGED', { file: place.index, where: issue?.path.join('.') || 'the whole file', found })
}

export async function writeIndex(place: AuthorityFolder, index: AuthorityIndex): Promise<void> {
  await touching(place.index, () => replaceFile(place.index, `${JSON.stringify(index, undefined, 2)}\n`, SECRET_MODE))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The intermediate or the root. */
export type Issuer = AuthorityIndex['issuer']

/** OpenSSL's limits for a passphrase. */
const PASSPHRASE_LEAST = 4
const PASSPHRASE_MOST_BYTES = 1023

/** Returns what is wrong with a passphrase for a new authority, as the end of a sentence; undefined when it is usable. */
export function checkPassphrase(passphrase: string): string | undefined {
  if (passphrase.length < PASSPHRASE_LEAST) return `has fewer than ${PASSPHRASE_LEAST} characters`
  if (Buffer.byteLength(passphrase) > PASSPHRASE_MOST_BYTES) return `has more than ${PASSPHRASE_MOST_BYTES} bytes`
  return undefined
}

export function encryptKey(key: KeyObject, passphrase: string): string {
  return key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString()
}

export async function readAuthorityCertificate(place: AuthorityFolder, issuer: Issuer): Promise<X509Certificate> {
  const { certificate } = filesOf(place, issuer)
  return readPart(certificate, (bytes) => new X509Certificate(bytes))
}

/**
 * Decrypts a key with the passphrase and checks that it belongs to the certificate.
 *
 * @throws KEY_PASSPHRASE_WRONG when the passphrase is wrong; KEY_MISSING and KEY_MALFORMED when the file has no usable key.
 * @throws AUTHORITY_DAMAGED when a file is missing or damaged, or key and certificate do not belong together.
 */
export async function openSigner(place: AuthorityFolder, issuer: Issuer, passphrase: string): Promise<Signer> {
  const { key } = filesOf(place, issuer)
  const certificate = await readAuthorityCertificate(place, issuer)
  const privateKey = await readPart(key, (bytes) => readPrivateKey(bytes, passphrase, key))
  if (!certificate.checkPrivateKey(privateKey))
    throw fail('AUTHORITY_DAMAGED', { file: key, found: 'it is not the key of the certificate in this folder' })
  return { certificate, privateKey }
}

function filesOf(place: AuthorityFolder, issuer: Issuer): { certificate: string; key: string } {
  return issuer === 'intermediate'
    ? { certificate: place.intermediateCertificate, key: place.intermediateKey }
    : { certificate: place.rootCertificate, key: place.rootKey }
}

async function readPart<T>(file: string, parse: (bytes: Buffer) => T): Promise<T> {
  const bytes = await readLimitedFile(file).catch((error: unknown) => {
    throw systemCode(error) === 'FILE_MISSING'
      ? fail('AUTHORITY_DAMAGED', { file, found: 'the file is missing' })
      : error
  })
  try {
    return parse(bytes)
  } catch (error) {
    throw error instanceof WlbError
      ? error
      : fail('AUTHORITY_DAMAGED', { file, found: error instanceof Error ? error.message : String(error) })
  }
}

export interface AuthorityCertificate extends CertificateSummary {
  readonly file: string
}

export interface AuthorityReport {
  readonly folder: string
  readonly name: string
  readonly root: AuthorityCertificate
  /** Null when the root signs servers' certificates itself. */
  readonly intermediate: AuthorityCertificate | null
  readonly issued: readonly IssuedCertificate[]
}

/** @throws AUTHORITY_MISSING, AUTHORITY_INDEX_DAMAGED, AUTHORITY_DAMAGED. */
export async function reportAuthority(folder: string): Promise<AuthorityReport> {
  const place = authorityFolder(folder)
  return touching(folder, async () => {
    const { name, issuer, issued } = await readIndex(place)
    const root = describeCertificate(await readAuthorityCertificate(place, 'root'))
    const intermediate =
      issuer === 'intermediate' ? describeCertificate(await readAuthorityCertificate(place, issuer)) : undefined
    return {
      folder,
      name,
      root: { ...root, file: place.rootCertificate },
      intermediate: intermediate ? { ...intermediate, file: place.intermediateCertificate } : null,
      issued,
    }
  })
}
