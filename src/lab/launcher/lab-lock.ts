/** One command at a time starts or stops hosts of a lab: a second one waits for the first, then finds what it left. */
import { setTimeout as pause } from 'node:timers/promises'
import { type DirectoryLock, lockDirectory } from '../../base/directory-lock.js'
import { WlbError } from '../../base/error.js'
import { labFolder } from './lab-file.js'

/** Longer than the longest start of a pool that still comes up. */
const WAIT_MS = 90_000
const POLL_MS = 50

/**
 * Does `work` while nobody else starts or stops hosts of this lab, whose folder is there.
 *
 * @throws DIRECTORY_IN_USE when the other one does not come to an end.
 */
export async function withLabLocked<T>(root: string, work: () => Promise<T>): Promise<T> {
  const lock = await waitForLock(labFolder(root), Date.now() + WAIT_MS)
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

async function waitForLock(folder: string, deadline: number): Promise<DirectoryLock> {
  for (;;) {
    try {
      return await lockDirectory(folder)
    } catch (error) {
      if (!(error instanceof WlbError) || error.code !== 'DIRECTORY_IN_USE' || Date.now() > deadline) throw error
      await pause(POLL_MS)
    }
  }
}
