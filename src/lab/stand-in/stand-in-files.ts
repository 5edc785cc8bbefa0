/** The files of a stand-in below the lab's folder, and the record of what it has changed and must restore. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { replaceFile } from '../../base/files/durable-file.js'
import { labFolder } from '../launcher/lab-file.js'
import { behaviourSchema, FAULTLESS } from './behaviour.js'

export interface StandInLayout {
  readonly folder: string
  readonly state: string
  /** The orders of the process, keys included. */
  readonly orders: string
  readonly socket: string
  readonly pidFile: string
  readonly log: string
  /** Keys of its authorities: they outlive a fault, because making them takes longest. */
  readonly keys: string
  /** The appliance's files as they were before the first fault. */
  readonly kept: string
}

export function standInLayout(root: string): StandInLayout {
  const folder = join(labFolder(root), 'stand-in')
  return {
    folder,
    state: join(folder, 'state.json'),
    orders: join(folder, 'orders.json'),
    socket: join(folder, 'stand-in.sock'),
    pidFile: join(folder, 'stand-in.pid'),
    log: join(folder, 'stand-in.log'),
    keys: join(folder, 'keys'),
    kept: join(folder, 'kept'),
  }
}

const schema = z.object({
  behaviour: behaviourSchema,
  /** Files of the appliance that were copied to `kept` before they were changed. */
  kept: z.array(z.enum(['certificate', 'key', 'settings'])),
  /** What was installed in the pool, by name. */
  certificates: z.record(z.string(), z.string()),
  crls: z.record(z.string(), z.string()),
})

export type StandInState = Readonly<z.infer<typeof schema>>

const NOTHING: StandInState = { behaviour: FAULTLESS, kept: [], certificates: {}, crls: {} }

/** Reads the record; without a file nothing was changed. */
export async function readState(layout: StandInLayout): Promise<StandInState> {
  const text = await readFile(layout.state, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return text === undefined ? NOTHING : schema.parse(JSON.parse(text))
}

export async function writeState(layout: StandInLayout, state: StandInState): Promise<void> {
  await replaceFile(layout.state, `${JSON.stringify(state, undefined, 2)}\n`, 0o600)
}
