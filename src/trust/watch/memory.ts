/** The state of the watch: the last snapshot of each pool, and the events not delivered yet, in one file of mode 0600. */
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { readOwnFile } from '../../base/files/limited-file.js'
import { SNAPSHOT } from './snapshot.js'

const EVENT = z.object({
  code: z.enum([
    ...([
      'POOL_UNREACHABLE',
      'HOST_VERIFIES',
      'VERIFICATION',
      'STORE_CHANGED',
      'IDENTITY_CHANGED',
      'ADDRESS_CHANGED',
    ] as const),
    ...(['EXPIRY', 'CLOCK', 'RENEWAL_HELD_BACK', 'TEST'] as const),
  ]),
  kind: z.enum(['problem', 'mended', 'notice']),
  pool: z.string(),
  subject: z.string(),
  text: z.string(),
  at: z.string(),
})
export type DatedEvent = Readonly<z.infer<typeof EVENT>>

const MEMORY = z.object({
  pools: z.record(z.string(), z.object({ snapshot: SNAPSHOT, announced: z.array(z.string()) })),
  /** By channel, the oldest first. */
  outbox: z.record(z.string(), z.array(EVENT)),
})
export type WatchMemory = Readonly<z.infer<typeof MEMORY>>

const FILE = 'watch.json'
/** Events kept for one channel; older ones are dropped. */
export const OUTBOX_LIMIT = 1000

/** Empty where there is no file, or none that can be read: then every problem is reported once more. */
export async function readMemory(folder: string): Promise<WatchMemory> {
  try {
    return MEMORY.parse(JSON.parse(await readOwnFile(join(folder, FILE))))
  } catch {
    return { pools: {}, outbox: {} }
  }
}

export async function writeMemory(folder: string, memory: WatchMemory): Promise<void> {
  await ensureFolder(folder, 0o700)
  await replaceFile(join(folder, FILE), `${JSON.stringify(memory, undefined, 1)}\n`, 0o600)
}
