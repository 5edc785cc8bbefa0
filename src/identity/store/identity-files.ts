/** The appliance's certificate and key as they lie on disk, read so that both are of one pair even while it changes. */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { systemCode, touching } from '../../base/file-failure.js'
import type { AppliancePaths } from '../../config/paths.js'
import { checkIdentity, type ServedIdentity } from '../../tls/index.js'

/** A pair as it is found: by hand anything can be put there, or taken away. */
export interface FoundPair {
  readonly certificatePem: string | undefined
  readonly privateKeyPem: string | undefined
}

/** Names of a pair's files, wherever it is kept. */
export const CERTIFICATE_FILE = 'server.pem'
export const KEY_FILE = 'server.key'

/** Holds a new pair that is decided, until its files are in their places. */
export function decidedFolder({ certificateFolder }: AppliancePaths): string {
  return join(certificateFolder, '.server.next')
}

/** @throws IDENTITY_INCOMPLETE when one of the two files is missing. */
export async function readIdentity(paths: AppliancePaths): Promise<ServedIdentity> {
  return requireBoth(await readPair(paths), paths.certificate, paths.key)
}

/** What the pair in place replaced; undefined when there is none. @throws IDENTITY_INCOMPLETE when half of it is missing. */
export async function readOriginal(paths: AppliancePaths): Promise<ServedIdentity | undefined> {
  const { originalCertificate, originalKey } = paths
  const found = {
    certificatePem: await readText(originalCertificate),
    privateKeyPem: await readText(originalKey),
  }
  if (found.certificatePem === undefined && found.privateKeyPem === undefined) return undefined
  return requireBoth(found, originalCertificate, originalKey)
}

const READS = 5

/** The two files change one after the other: read until two readings say the same. */
export async function readPair(paths: AppliancePaths): Promise<FoundPair> {
  let found = await readOnce(paths)
  for (let count = 1; count < READS; count++) {
    const again = await readOnce(paths)
    if (contentOf(again) === contentOf(found)) return again
    found = again
  }
  return found
}

/** Two pairs of the same content are the same. */
export function contentOf({ certificatePem = '', privateKeyPem = '' }: FoundPair): string {
  return `${certificatePem}\0${privateKeyPem}`
}

async function readOnce(paths: AppliancePaths): Promise<FoundPair> {
  const decided = decidedFolder(paths)
  const read = async (name: string, path: string) => (await readText(join(decided, name))) ?? (await readText(path))
  const [certificatePem, privateKeyPem] = await Promise.all([
    read(CERTIFICATE_FILE, paths.certificate),
    read(KEY_FILE, paths.key),
  ])
  return { certificatePem, privateKeyPem }
}

/** The pair in a folder of its own. @throws IDENTITY_INCOMPLETE when one of the two files is missing. */
export async function readKept(folder: string): Promise<ServedIdentity> {
  const [certificate, key] = [join(folder, CERTIFICATE_FILE), join(folder, KEY_FILE)]
  const found = { certificatePem: await readText(certificate), privateKeyPem: await readText(key) }
  return requireBoth(found, certificate, key)
}

/** Tells whether both files are there, fit each other, and can be served. */
export function isUsable(found: FoundPair): found is ServedIdentity {
  return findFault(found) === undefined
}

/** The code of what is wrong with a pair. */
export function findFault({ certificatePem, privateKeyPem }: FoundPair): string | undefined {
  if (certificatePem === undefined || privateKeyPem === undefined) return 'IDENTITY_INCOMPLETE'
  try {
    checkIdentity({ certificatePem, privateKeyPem })
    return undefined
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}

/**
 * Proves that a pair that was read from there fits; a refusal names the files. Returns the leaf.
 *
 * @throws the codes of `checkIdentity`.
 */
export function checkStoredIdentity(
  { certificate, key }: Pick<AppliancePaths, 'certificate' | 'key'>,
  identity: ServedIdentity,
): X509Certificate {
  try {
    return checkIdentity(identity)
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    const { code, message, facts } = error
    const remedy = error.remedy.replaceAll('server.pem', certificate).replaceAll('server.key', key)
    throw new WlbError(code, message, { ...facts, certificate, key }, remedy, error)
  }
}

/** Which of the two files are there: both, none, or one of them. */
export function findIdentity({ certificate, key }: AppliancePaths): 'both' | 'none' | 'certificate' | 'key' {
  const [hasCertificate, hasKey] = [existsSync(certificate), existsSync(key)]
  if (hasCertificate && hasKey) return 'both'
  if (hasCertificate) return 'certificate'
  return hasKey ? 'key' : 'none'
}

function requireBoth({ certificatePem, privateKeyPem }: FoundPair, certificate: string, key: string): ServedIdentity {
  if (certificatePem === undefined) throw identityIncomplete(certificate)
  if (privateKeyPem === undefined) throw identityIncomplete(key)
  return { certificatePem, privateKeyPem }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await touching(path, () => readFile(path, 'utf8'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

export function identityIncomplete(missing: string): WlbError {
  return new WlbError(
    'IDENTITY_INCOMPLETE',
    'A certificate needs its key and a key its certificate: one of the two files is missing.',
    { missing },
    `ls -l ${missing.replace(/[^/]*$/, '')}`,
  )
}
