/**
 * Which faults are injected, written down before each change: a program that dies in the middle leaves an entry from
 * which everything can be taken back.
 */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/durable-file.js'
import { labFolder } from '../launcher/lab-file.js'

const entrySchema = z.object({
  /** Names the folder that keeps what was there before. */
  id: z.number(),
  row: z.number(),
  side: z.enum(['pool', 'appliance']),
  host: z.string().optional(),
  variant: z.string().optional(),
  /** `begun` until the change is complete. */
  state: z.enum(['begun', 'there']),
})
const schema = z.object({ entries: z.array(entrySchema) })

export type FaultEntry = Readonly<z.infer<typeof entrySchema>>

export async function readEntries(root: string): Promise<readonly FaultEntry[]> {
  try {
    return schema.parse(JSON.parse(await readFile(stateFile(root), 'utf8'))).entries
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

export async function writeEntries(root: string, entries: readonly FaultEntry[]): Promise<void> {
  await ensureFolder(faultFolder(root), 0o700)
  await replaceFile(stateFile(root), `${JSON.stringify({ entries }, undefined, 2)}\n`, 0o600)
}

/** Forgets everything, copies included. */
export async function removeState(root: string): Promise<void> {
  await rm(faultFolder(root), { recursive: true, force: true })
}

/** Where the state of before an entry is kept. */
export function copyFolder(root: string, { id }: Pick<FaultEntry, 'id'>): string {
  return join(faultFolder(root), String(id))
}

function faultFolder(root: string): string {
  return join(labFolder(root), 'faults')
}

function stateFile(root: string): string {
  return join(faultFolder(root), 'state.json')
}
