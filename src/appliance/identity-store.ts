/**
 * The appliance's certificate and key on disk. Two files cannot be renamed in one step, so a new pair is written beside
 * them, complete, into a folder whose renaming is the decision; then each file is moved to its place. After a kill at any
 * point the next start finishes what was decided and forgets what was not.
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureFolder, replaceFile, syncFolder } from '../durable-file.js'
import { WlbError } from '../error.js'
import { checkIdentity, type ServedIdentity } from '../tls/index.js'
import { systemCode, touching } from './file-failure.js'
import type { AppliancePaths } from './paths.js'

const CERTIFICATE_MODE = 0o644
const KEY_MODE = 0o600

/** @throws IDENTITY_INCOMPLETE when one of the two files is missing. */
export async function readIdentity(paths: AppliancePaths): Promise<ServedIdentity> {
  const [certificatePem, privateKeyPem] = await Promise.all([readText(paths.certificate), readText(paths.key)])
  if (certificatePem === undefined) throw identityIncomplete(paths.certificate)
  if (privateKeyPem === undefined) throw identityIncomplete(paths.key)
  return { certificatePem, privateKeyPem }
}

/**
 * Proves that a pair that was read from there fits; a refusal names the files. Returns the leaf.
 *
 * @throws the codes of `checkIdentity`.
 */
export function checkStoredIdentity(paths: AppliancePaths, identity: ServedIdentity): X509Certificate {
  try {
    return checkIdentity(identity)
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    const { certificate, key } = paths
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

/** Puts a pair in place: both files or neither, whatever happens. The key is never readable by others, not for a moment. */
export async function installIdentity(paths: AppliancePaths, identity: ServedIdentity): Promise<void> {
  const { undecided, decided } = stages(paths)
  await touching(paths.certificate, async () => {
    await ensureFolder(paths.certificateFolder, 0o755)
    await settleIdentity(paths)
    try {
      await ensureFolder(undecided, 0o700)
      await replaceFile(join(undecided, 'server.key'), identity.privateKeyPem, KEY_MODE)
      await replaceFile(join(undecided, 'server.pem'), identity.certificatePem, CERTIFICATE_MODE)
    } catch (error) {
      await rm(undecided, { recursive: true, force: true })
      throw error
    }
    await rename(undecided, decided)
    await syncFolder(paths.certificateFolder)
    await settleIdentity(paths)
  })
}

/** Tells whether an `installIdentity` was interrupted, or is going on. */
export function isUnsettled(paths: AppliancePaths): boolean {
  return Object.values(stages(paths)).some((stage) => existsSync(stage))
}

/** Finishes or undoes what an interrupted `installIdentity` left. */
export async function settleIdentity(paths: AppliancePaths): Promise<void> {
  const { undecided, decided } = stages(paths)
  await touching(paths.certificateFolder, async () => {
    if (existsSync(decided)) {
      await moveIfThere(join(decided, 'server.key'), paths.key)
      await moveIfThere(join(decided, 'server.pem'), paths.certificate)
      await syncFolder(paths.certificateFolder) // before the folder goes: a power cut must not leave one file of each pair
      await rm(decided, { recursive: true })
    }
    await rm(undecided, { recursive: true, force: true })
  })
}

function stages({ certificateFolder }: AppliancePaths): { undecided: string; decided: string } {
  return { undecided: join(certificateFolder, '.server.staging'), decided: join(certificateFolder, '.server.next') }
}

async function moveIfThere(from: string, to: string): Promise<void> {
  if (existsSync(from)) await rename(from, to)
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
