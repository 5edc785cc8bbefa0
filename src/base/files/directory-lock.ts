/**
 * One process owns a directory. The lock is a file in it that only the directory's owner can open, locked by flock(2): the kernel
 * lets go of it when the process ends, however it ends. Node has no flock, but such a lock belongs to the open file and not to the
 * process that asked for it: the program `flock` locks the file that it inherits from us, ends, and our descriptor holds the lock.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fchmodSync, fchownSync, fstatSync, openSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { WlbError } from '../error.js'
import { fail } from '../errors.js'
import { systemCode } from './file-failure.js'
import { findLockHolder, writeHolder } from './lock-holder.js'

export interface DirectoryLock {
  /** A process that inherits it holds the lock, too, for as long as it lives. */
  readonly descriptor: number
  release(): Promise<void>
}

/** It stays when the lock is released: two processes could lock two files of this name if one of them were removed. */
export const LOCK_FILE = 'openwlb.lock'

const PAUSE_MS = 100
/** How often the file may be another one after it was locked; somebody replaces it all the time then. */
const REPLACED_LIMIT = 10

/**
 * Locks a directory that exists; waits for another holder for `patienceMs`. A directory that is renamed takes its lock along.
 *
 * @throws DIRECTORY_IN_USE when another process (or this one) holds it for longer.
 * @throws LOCK_FILE_UNUSABLE when the file is a link or not the owner's, LOCK_PROGRAM_MISSING, LOCK_IMPOSSIBLE,
 *   PATH_NOT_PERMITTED, DISK_FULL; otherwise the lower error (`ENOENT`, ...).
 */
export async function lockDirectory(directory: string, patienceMs = 0): Promise<DirectoryLock> {
  const endMs = performance.now() + patienceMs
  for (;;) {
    try {
      return await lockNow(directory)
    } catch (error) {
      const isHeld = error instanceof WlbError && error.code === 'DIRECTORY_IN_USE'
      if (!isHeld || performance.now() >= endMs) throw error
      await pause(PAUSE_MS)
    }
  }
}

async function lockNow(directory: string): Promise<DirectoryLock> {
  const path = join(directory, LOCK_FILE)
  for (let attempt = 0; attempt < REPLACED_LIMIT; attempt++) {
    const file = openLockFile(path)
    try {
      if (!(await lockFile(file, path))) throw fail('DIRECTORY_IN_USE', { directory, ...findLockHolder(file) })
      if (isSameFile(fstatSync(file), statSync(path))) return holdLock(file)
    } catch (error) {
      closeSync(file)
      throw error
    }
    closeSync(file)
  }
  throw fail('LOCK_FILE_UNUSABLE', { path, found: 'it is replaced again and again' })
}

function holdLock(file: number): DirectoryLock {
  try {
    writeHolder(file)
  } catch (error) {
    if (!isFull(error)) throw error // the number is there to be shown; the lock holds without
  }
  return { descriptor: file, release: async () => closeSync(file) }
}

/** Opens the file as its owner's alone. Node marks what it opens: no program that we start inherits it by accident. */
function openLockFile(path: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
  let file: number
  try {
    file = openSync(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600)
  } catch (error) {
    throw explainOpening(error, path)
  }
  try {
    const found = fstatSync(file)
    const owner = statSync(join(path, '..'))
    const user = process.geteuid?.() ?? owner.uid
    const odd = describeOddFile(found, [owner.uid, user])
    if (odd) throw fail('LOCK_FILE_UNUSABLE', { path, found: odd })
    // what root made in another user's folder is that user's, or the appliance could not lock it again
    if (user === 0 && found.uid !== owner.uid) fchownSync(file, owner.uid, owner.gid)
    if ((found.mode & 0o077) !== 0) fchmodSync(file, 0o600)
    return file
  } catch (error) {
    closeSync(file)
    throw error
  }
}

/** A link, planted by somebody, would have us lock and write a file that lies elsewhere. */
function describeOddFile(found: Stats, owners: readonly number[]): string | undefined {
  if (!found.isFile()) return 'it is not a file'
  if (found.nlink > 1) return 'it is a hard link'
  return owners.includes(found.uid) ? undefined : `it belongs to the user ${found.uid}`
}

function explainOpening(error: unknown, path: string): unknown {
  const systemError = systemCode(error) ?? ''
  if (systemError === 'ELOOP') return fail('LOCK_FILE_UNUSABLE', { path, found: 'it is a symbolic link' }, error)
  if (systemError === 'EISDIR' || systemError === 'ENXIO')
    return fail('LOCK_FILE_UNUSABLE', { path, found: 'it is not a file' }, error)
  if (['EACCES', 'EPERM', 'EROFS'].includes(systemError))
    return fail('PATH_NOT_PERMITTED', { path, systemError }, error)
  return isFull(error) ? fail('DISK_FULL', { path }, error) : error
}

function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '')
}

/** Exit code of `flock` (util-linux and busybox) when somebody else holds the lock. */
const HELD = 1

/** False when it is held elsewhere. In a process group of its own: a Ctrl-C is not for it. */
async function lockFile(file: number, path: string): Promise<boolean> {
  const child = spawn('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'pipe', file], detached: true })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    said += piece
  })
  let exitCode: unknown
  try {
    ;[exitCode] = await once(child, 'close')
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? fail('LOCK_PROGRAM_MISSING', { program: 'flock' }, error) : error
  }
  if (exitCode === 0 || exitCode === HELD) return exitCode === 0
  throw fail('LOCK_IMPOSSIBLE', { path, reason: said.trim().slice(0, 200) || `flock ended with ${exitCode}` })
}

function isSameFile(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev
}
