/** What renewals have come to, kept over restarts: failures, and an identity that is held back until pools trust its anchor. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/durable-file.js'
import { systemCode, touching } from '../../base/file-failure.js'
import { giveToOwner } from '../../config/owner.js'
import type { AppliancePaths } from '../../config/paths.js'
import type { Failures } from './renewal.js'

const HINDRANCE = { pool: z.string(), code: z.string(), message: z.string(), remedy: z.string() }

const STATE = z.object({
  failure: z
    .object({
      count: z.number(),
      at: z.iso.datetime(),
      code: z.string(),
      message: z.string(),
      retryAfterSeconds: z.number().optional(),
    })
    .optional(),
  held: z
    .object({
      since: z.iso.datetime(),
      fingerprintSha256: z.string(),
      anchor: z.string(),
      /** Which pool could not be made to trust it, and why. */
      because: z.object(HINDRANCE).optional(),
    })
    .optional(),
  /** It serves, and a pool could not be rid of the anchor before. */
  unfinished: z.object({ ...HINDRANCE, at: z.iso.datetime(), count: z.number() }).optional(),
})
export type RenewalState = z.infer<typeof STATE>

/** Nothing is known where the file is missing or spoiled: then the next renewal finds out. */
export async function readRenewalState(paths: AppliancePaths): Promise<RenewalState> {
  const path = stateFile(paths)
  try {
    const text = await touching(path, () => readFile(path, 'utf8'))
    return STATE.parse(JSON.parse(text))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return {}
    throw error
  }
}

export async function writeRenewalState(paths: AppliancePaths, state: RenewalState): Promise<void> {
  const path = stateFile(paths)
  await touching(path, async () => {
    await ensureFolder(paths.acmeFolder, 0o700)
    await replaceFile(path, `${JSON.stringify(state)}\n`, 0o600)
  })
  await giveToOwner(paths.acmeFolder, paths)
}

export function failuresIn({ failure, unfinished }: RenewalState): Failures | undefined {
  if (failure) return { count: failure.count, at: new Date(failure.at), retryAfterSeconds: failure.retryAfterSeconds }
  return unfinished && { count: unfinished.count, at: new Date(unfinished.at) }
}

function stateFile({ acmeFolder }: AppliancePaths): string {
  return join(acmeFolder, 'renewal.json')
}
