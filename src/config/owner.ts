/**
 * Whose an appliance is. What root makes in a folder that belongs to another user's appliance belongs to that user: its
 * key is readable by its owner alone, and an appliance that cannot read its key does not start again.
 */
import { chown, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { AppliancePaths } from './paths.js'

/** Gives a folder and everything in it to whoever owns the appliance's state. Nothing happens unless root asks. */
export async function giveToOwner(folder: string, paths: AppliancePaths): Promise<void> {
  const owner = await otherOwner(paths)
  if (!owner) return
  for (const name of ['', ...(await readdir(folder, { recursive: true }))]) {
    await chown(join(folder, name), owner.uid, owner.gid)
  }
}

/** Gives one file. */
export async function giveFileToOwner(file: string, paths: AppliancePaths): Promise<void> {
  const owner = await otherOwner(paths)
  if (owner) await chown(file, owner.uid, owner.gid)
}

async function otherOwner({ stateFolder }: AppliancePaths): Promise<{ uid: number; gid: number } | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const { uid, gid } = await stat(stateFolder)
  return uid === 0 ? undefined : { uid, gid }
}
