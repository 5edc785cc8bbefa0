/**
 * Replaces the appliance's certificate and key. Two files cannot be renamed in one step, so all new files are first written
 * into a folder beside them; renaming that folder decides the change, and after it only renames follow. After a kill at any
 * point the next command or start completes a decided change and removes an undecided one.
 */
import { existsSync, renameSync } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { lockDirectory } from '../../base/files/directory-lock.js'
import { ensureFolder, syncFolder, writeNewFile } from '../../base/files/durable-file.js'
import { touching } from '../../base/files/file-failure.js'
import { type AppliancePaths, giveToOwner } from '../../config/index.js'
import { checkIdentity, type ServedIdentity } from '../../tls/index.js'
import { readPemBlocks } from '../../x509/index.js'
import { fail } from '../errors.js'
import {
  CERTIFICATE_FILE,
  decidedFolder,
  type FoundPair,
  isUsable,
  KEY_FILE,
  readOriginal,
  readPair,
} from './identity-files.js'
import {
  addIdentity,
  describePair,
  forgetUndecided,
  type IdentityRecord,
  type IdentitySource,
  identityId,
  listRecords,
  prepareIdentity,
  pruneIdentities,
  publishPending,
  replaceRecord,
} from './identity-history.js'

export interface IdentityChange {
  readonly how: IdentitySource
  readonly now: Date
  /**
   * To undo a change: the pair that `server.pem_orig` and `server.key_orig` hold afterwards (null: the files are removed).
   * Left out, they hold the pair that is replaced, if it can be served.
   */
  readonly original?: ServedIdentity | null
}

/** `already so`: this pair is in place already, and nothing was changed. */
export interface Installed {
  readonly state: 'installed' | 'already so'
  readonly id: string
  /** In the history; undefined where nothing was replaced. */
  readonly replaced: IdentityRecord | undefined
}

const CERTIFICATE_MODE = 0o644
const KEY_MODE = 0o600
const ORIGINAL_CERTIFICATE_FILE = 'server.pem_orig'
const ORIGINAL_KEY_FILE = 'server.key_orig'
/** Its presence in the decided folder means that the `_orig` files are removed. */
const NO_ORIGINAL_FILE = 'no_orig'

/**
 * Puts a pair in place, both files or neither, and keeps the one before as `_orig` and in the history. Keys are readable by
 * their owner only from the moment the file exists. The caller holds the lock (`lockedIdentity`).
 *
 * @throws the codes of `checkIdentity`, PATH_NOT_PERMITTED, DISK_FULL, PATH_OCCUPIED with nothing changed.
 * @throws IDENTITY_UNSETTLED when it is decided and the files cannot be moved; the next command completes it.
 */
export async function installIdentity(
  paths: AppliancePaths,
  identity: ServedIdentity,
  change: IdentityChange,
): Promise<Installed> {
  checkIdentity(identity)
  return touching(paths.certificate, async () => {
    await ensureFolder(paths.certificateFolder, 0o755)
    await touching(paths.identities, () => ensureFolder(paths.identities, 0o700))
    await settleIdentity(paths)
    const current = await readPair(paths)
    if (isSame(current, identity)) return { state: 'already so', id: identityId(current), replaced: undefined }

    const replaced = await prepare(paths, identity, current, change).catch(async (error: unknown) => {
      // what cannot be removed now is removed by the next command; the first error is the one to report
      await forget(paths).catch(() => {})
      throw error
    })
    await settleIdentity(paths)
      .catch(() => settleIdentity(paths))
      .catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        throw fail('IDENTITY_UNSETTLED', { folder: paths.certificateFolder, why }, error)
      })
    return { state: 'installed', id: identityId(identity), replaced }
  })
}

/** Whether an `installIdentity` was interrupted, or is under way. */
export function isUnsettled(paths: AppliancePaths): boolean {
  return existsSync(decidedFolder(paths)) || existsSync(undecidedFolder(paths))
}

/** Completes or undoes an interrupted `installIdentity`. The caller holds the lock. */
export async function settleIdentity(paths: AppliancePaths): Promise<void> {
  const decided = decidedFolder(paths)
  await touching(paths.certificateFolder, async () => {
    if (existsSync(decided)) {
      await syncFolder(paths.certificateFolder) // the decision is on disk before anything that follows from it
      await publishPending(paths.identities)
      moveAtOnce([
        [join(decided, KEY_FILE), paths.key],
        [join(decided, CERTIFICATE_FILE), paths.certificate],
        [join(decided, ORIGINAL_KEY_FILE), paths.originalKey],
        [join(decided, ORIGINAL_CERTIFICATE_FILE), paths.originalCertificate],
      ])
      if (existsSync(join(decided, NO_ORIGINAL_FILE))) {
        await rm(paths.originalKey, { force: true })
        await rm(paths.originalCertificate, { force: true })
      }
      await syncFolder(paths.certificateFolder) // before the folder is removed: a power cut must not leave one file of each pair
      await rm(decided, { recursive: true })
    }
    await forget(paths)
  })
}

/** Writes all new files and decides the change. Returns the record of what is replaced. */
async function prepare(
  paths: AppliancePaths,
  identity: ServedIdentity,
  current: FoundPair,
  change: IdentityChange,
): Promise<IdentityRecord | undefined> {
  const installedAt = change.now.toISOString()
  const original = change.original === undefined ? (isUsable(current) ? current : undefined) : change.original
  const history = <T>(work: () => Promise<T>) => touching(paths.identities, work)
  await history(async () => pruneIdentities(paths.identities, await idsInUse(paths, current)))
  const replaced = await history(() => keepReplaced(paths, current, installedAt))

  const records = await listRecords(paths.identities)
  const known = records.find(({ id }) => id === identityId(identity))
  const sequence = (records.at(-1)?.sequence ?? 0) + 1
  const isPutBack = change.original !== undefined && known !== undefined
  const record = isPutBack
    ? { ...known, replacedAt: null }
    : describePair(identity, { sequence, how: change.how, installedAt })
  await history(() => prepareIdentity(paths.identities, identity, record))
  await history(() => giveToOwner(paths.identities, paths))

  const undecided = undecidedFolder(paths)
  await ensureFolder(undecided, 0o700)
  await writeNewFile(join(undecided, KEY_FILE), identity.privateKeyPem, KEY_MODE)
  await writeNewFile(join(undecided, CERTIFICATE_FILE), identity.certificatePem, CERTIFICATE_MODE)
  if (original) {
    await writeNewFile(join(undecided, ORIGINAL_KEY_FILE), original.privateKeyPem, KEY_MODE)
    await writeNewFile(join(undecided, ORIGINAL_CERTIFICATE_FILE), original.certificatePem, CERTIFICATE_MODE)
  } else if (original === null) await writeNewFile(join(undecided, NO_ORIGINAL_FILE), '', KEY_MODE)
  await giveToOwner(undecided, paths)
  await syncFolder(undecided)
  await rename(undecided, decidedFolder(paths))
  return replaced
}

/** Adds the pair in place to the history, if it is not there, and records when it was replaced. */
async function keepReplaced(
  paths: AppliancePaths,
  current: FoundPair,
  replacedAt: string,
): Promise<IdentityRecord | undefined> {
  if (current.certificatePem === undefined && current.privateKeyPem === undefined) return undefined
  const known = await recordInPlace(paths, current)
  const records = await listRecords(paths.identities)
  const record = { ...known, replacedAt }
  if (records.some(({ id }) => id === record.id)) await replaceRecord(paths.identities, record)
  else await addIdentity(paths.identities, current, record)
  return record
}

/** The record of the pair in place; for files put there by hand, the newer modification time is when it came. */
export async function recordInPlace(paths: AppliancePaths, current: FoundPair): Promise<IdentityRecord> {
  const records = await listRecords(paths.identities)
  const known = records.find(({ id }) => id === identityId(current))
  if (known) return { ...known, replacedAt: null }
  const times = await Promise.all([timeOf(paths.certificate), timeOf(paths.key)])
  const installedAt = new Date(Math.max(...times)).toISOString()
  return describePair(current, { sequence: (records.at(-1)?.sequence ?? 0) + 1, how: 'found', installedAt })
}

async function timeOf(path: string): Promise<number> {
  return existsSync(path) ? (await stat(path)).mtimeMs : 0
}

async function idsInUse(paths: AppliancePaths, current: FoundPair): Promise<string[]> {
  const original = await readOriginal(paths).catch(() => undefined) // an incomplete `_orig` pair counts as none
  return [identityId(current), ...(original ? [identityId(original)] : [])]
}

/** The same certificates and a matching key are the same identity, however the PEM is laid out. */
function isSame(current: FoundPair, identity: ServedIdentity): boolean {
  if (!isUsable(current)) return false
  const contentOfChain = ({ certificatePem }: ServedIdentity) =>
    readPemBlocks(certificatePem)
      .filter(({ label }) => label === 'CERTIFICATE')
      .map(({ der }) => der.toString('base64'))
      .join(' ')
  return contentOfChain(current) === contentOfChain(identity)
}

async function forget(paths: AppliancePaths): Promise<void> {
  await rm(undecidedFolder(paths), { recursive: true, force: true })
  await forgetUndecided(paths.identities)
}

function undecidedFolder({ certificateFolder }: AppliancePaths): string {
  return join(certificateFolder, '.server.staging')
}

/**
 * Moves what has not been moved yet. Other programs that read the two files between the renames see one of each pair, so the
 * renames follow each other synchronously, without a turn of the event loop.
 */
function moveAtOnce(moves: readonly (readonly [from: string, to: string])[]): void {
  const left = moves.filter(([from]) => existsSync(from))
  for (const [from, to] of left) renameSync(from, to)
}

/** Whether this pair is in place already. */
export async function isInPlace(paths: AppliancePaths, identity: ServedIdentity): Promise<boolean> {
  return isSame(await readPair(paths), identity)
}

/** Long enough for another command's file operations, too short for a command that waits for an answer. */
const PATIENCE_MS = 3000

/**
 * Does `work` under the lock of the settings folder, which a set-up holds too; waits three seconds for it.
 *
 * @throws DIRECTORY_IN_USE when another process holds it for longer.
 */
export async function lockedIdentity<T>(
  { settingsFolder }: AppliancePaths,
  work: () => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const lock = await lockDirectory(settingsFolder, patienceMs)
  return work().finally(() => lock.release())
}

/**
 * Completes what a killed command left, if this user may and no other process holds the lock. Otherwise the next command does:
 * readers see the decided pair either way.
 */
export async function settleIfLeft(paths: AppliancePaths): Promise<void> {
  if (!isUnsettled(paths)) return
  await lockedIdentity(paths, () => settleIdentity(paths), 0).catch(() => {})
}
