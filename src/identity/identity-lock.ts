/** Who changes an identity does it alone: the lock is the one of the settings folder, which a set-up holds too. */
import { setTimeout as wait } from 'node:timers/promises'
import { type DirectoryLock, lockDirectory } from '../base/directory-lock.js'
import { WlbError } from '../base/error.js'
import type { AppliancePaths } from '../config/paths.js'
import { isUnsettled, settleIdentity } from './identity-change.js'

/** Long enough for a file operation of somebody else's, too short for somebody else's question. */
const PATIENCE_MS = 3000
const PAUSE_MS = 100

/**
 * Does `work` while nobody else changes the identity; waits three seconds for its turn.
 *
 * @throws DIRECTORY_IN_USE when somebody else is still at it then.
 */
export async function lockedIdentity<T>(
  { settingsFolder }: AppliancePaths,
  work: () => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const lock = await lockPatiently(settingsFolder, patienceMs)
  return work().finally(() => lock.release())
}

/**
 * Finishes what a killed command left, where this user may and nobody is at work there. What cannot be finished here is
 * left to the next one: readers see the decided pair either way.
 */
export async function settleIfLeft(paths: AppliancePaths): Promise<void> {
  if (!isUnsettled(paths)) return
  await lockedIdentity(paths, () => settleIdentity(paths), 0).catch(() => {})
}

async function lockPatiently(folder: string, patienceMs: number): Promise<DirectoryLock> {
  for (let leftMs = patienceMs; ; leftMs -= PAUSE_MS) {
    try {
      return await lockDirectory(folder)
    } catch (error) {
      if (leftMs <= 0 || !(error instanceof WlbError) || error.code !== 'DIRECTORY_IN_USE') throw error
      await wait(PAUSE_MS)
    }
  }
}
