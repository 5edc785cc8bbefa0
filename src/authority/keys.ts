/** An authority's keys: encrypted at rest (PKCS #8, PBES2 with AES-256), as openssl reads them too. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { WlbError } from '../base/error.js'
import { systemCode, touching } from '../base/file-failure.js'
import { readPrivateKey, type Signer } from '../x509/index.js'
import type { AuthorityFolder } from './folder.js'
import type { AuthorityIndex } from './index-file.js'

/** Whose certificate and key: the intermediate's or the root's. */
export type Issuer = AuthorityIndex['issuer']

/** OpenSSL's own limits: it asks for no shorter and reads no longer one. */
const PASSPHRASE_LEAST = 4
const PASSPHRASE_MOST_BYTES = 1023

/** What is wrong with a passphrase for a new authority, as the end of a sentence; undefined when it may stand. */
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
 * Opens a key with the passphrase, and proves that it is the certificate's.
 *
 * @throws KEY_PASSPHRASE_WRONG when it does not open, KEY_MISSING and KEY_MALFORMED when there is no key to open.
 * @throws AUTHORITY_DAMAGED when a file is not what was written, or the two do not belong together.
 */
export async function openSigner(place: AuthorityFolder, issuer: Issuer, passphrase: string): Promise<Signer> {
  const { key } = filesOf(place, issuer)
  const certificate = await readAuthorityCertificate(place, issuer)
  const privateKey = await readPart(key, (bytes) => readPrivateKey(bytes, passphrase, key))
  if (!certificate.checkPrivateKey(privateKey)) throw damaged(key, 'it is not the key of the certificate beside it')
  return { certificate, privateKey }
}

function filesOf(place: AuthorityFolder, issuer: Issuer): { certificate: string; key: string } {
  return issuer === 'intermediate'
    ? { certificate: place.intermediateCertificate, key: place.intermediateKey }
    : { certificate: place.rootCertificate, key: place.rootKey }
}

async function readPart<T>(file: string, parse: (bytes: Buffer) => T): Promise<T> {
  const bytes = await touching(file, () => readFile(file)).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? damaged(file, 'it is not there') : error
  })
  try {
    return parse(bytes)
  } catch (error) {
    throw error instanceof WlbError ? error : damaged(file, error instanceof Error ? error.message : String(error))
  }
}

function damaged(file: string, found: string): WlbError {
  return new WlbError(
    'AUTHORITY_DAMAGED',
    'A file of the authority is not what was written there.',
    { file, found },
    `ls -l ${file}   # put a copy back that was kept elsewhere`,
  )
}
