/**
 * What a host of the lab is made to believe of its surroundings: the time, and which addresses no way leads to. Kept in
 * its root folder, so that it outlives the process; the host reads it when it starts and when it is told to.
 */
import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { replaceFile } from '../../base/durable-file.js'
import type { HostLayout } from './layout.js'

const schema = z.object({
  /** How far this host's clock is ahead of the machine's; negative where it is behind. */
  clockOffsetMs: z.number().default(0),
  unroutable: z.array(z.string()).default([]),
})

export type Conditions = Readonly<z.infer<typeof schema>>

/** Those of the machine where nothing is written. */
export async function readConditions({ conditions }: HostLayout): Promise<Conditions> {
  const text = await readFile(conditions, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  return schema.parse(JSON.parse(text))
}

export async function writeConditions({ conditions }: HostLayout, changes: Partial<Conditions>): Promise<void> {
  await replaceFile(conditions, `${JSON.stringify(changes)}\n`, 0o644)
}
