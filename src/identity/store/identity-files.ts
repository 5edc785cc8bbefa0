/** Reads the appliance's certificate and key from disk, so that both are of one pair even while the pair is replaced. */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { systemCode, touching } from '../../base/files/file-failure.js'
import { readOwnFile } from '../../base/files/limited-file.js'
import type { AppliancePaths } from '../../config/index.js'
import { checkIdentity, type ServedIdentity } from '../../tls/index.js'
import { fail } from '../errors.js'

/** A pair as it is found; a file can be missing or hold anything after an edit by hand. */
export interface FoundPair {
  readonly certificatePem: string | undefined
  readonly privateKeyPem: string | undefined
}

/** File names of a pair in every folder that holds one. */
export const CERTIFICATE_FILE = 'server.pem'
export const KEY_FILE = 'server.key'

/** Holds a new pair from the moment its installation is decided until its files are moved into place. */
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

/** The two files change one after the other, so they are read until two readings agree. */
export async function readPair(paths: AppliancePaths): Promise<FoundPair> {
  let found = await readOnce(paths)
  for (let count = 1; count < READS; count++) {
    const again = await readOnce(paths)
    if (contentOf(again) === contentOf(found)) return again
    found = again
  }
  return found
}

/** Equal for pairs of the same content. */
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

/** Whether both files are there, belong together, and can be served. */
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
 * Whether there is a pair.
 *
 * @throws IDENTITY_INCOMPLETE when only one of the two files is there.
 */
export function hasIdentity({ certificate, key }: AppliancePaths): boolean {
  const missing = [certificate, key].filter((file) => !existsSync(file))
  if (missing[0] !== undefined && missing.length === 1) throw fail('IDENTITY_INCOMPLETE', { missing: missing[0] })
  return missing.length === 0
}

/**
 * Checks that a pair read from these files belongs together; an error names the files. Returns the leaf.
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

function requireBoth({ certificatePem, privateKeyPem }: FoundPair, certificate: string, key: string): ServedIdentity {
  if (certificatePem === undefined) throw fail('IDENTITY_INCOMPLETE', { missing: certificate })
  if (privateKeyPem === undefined) throw fail('IDENTITY_INCOMPLETE', { missing: key })
  return { certificatePem, privateKeyPem }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await touching(path, () => readOwnFile(path))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}
