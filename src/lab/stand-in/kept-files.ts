/** The appliance's own files, copied aside before a fault changes them and put back afterwards. */
import { copyFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureFolder } from '../../base/durable-file.js'
import { type AppliancePaths, paths } from '../../config/index.js'
import { readState, type StandInLayout, type StandInState, writeState } from './layout.js'

export type KeptFile = StandInState['kept'][number]

/** Only the first time: what a fault has put there is nothing to go back to. */
export async function keepFiles(root: string, layout: StandInLayout, names: readonly KeptFile[]): Promise<void> {
  const state = await readState(layout)
  const missing = names.filter((name) => !state.kept.includes(name))
  if (missing.length === 0) return
  await ensureFolder(layout.kept, 0o700)
  for (const name of missing) await copyFile(placeOf(paths(root), name), join(layout.kept, name))
  await writeState(layout, { ...state, kept: [...state.kept, ...missing] })
}

/** Modes come back with the files. */
export async function putBack(root: string, layout: StandInLayout, names: readonly KeptFile[]): Promise<void> {
  for (const name of names) {
    const place = placeOf(paths(root), name)
    const copy = `${place}.kept`
    await copyFile(keptPath(layout, name), copy)
    await rename(copy, place)
  }
}

export function keptPath(layout: StandInLayout, name: KeptFile): string {
  return join(layout.kept, name)
}

function placeOf({ certificate, key, settings }: AppliancePaths, name: KeptFile): string {
  return { certificate, key, settings }[name]
}
