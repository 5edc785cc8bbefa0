/** What the running appliance says when it is asked to look at the certificate and key on disk. */
import { z } from 'zod'
import { WlbError } from '../base/error.js'

const RELOADED = z.object({
  address: z.string(),
  port: z.number(),
  /** Of the leaf in service now. */
  fingerprintSha256: z.string(),
  /** Why what is on disk is not in service. */
  refused: z
    .object({
      code: z.string(),
      message: z.string(),
      facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
      remedy: z.string(),
    })
    .nullable(),
})
export type Reloaded = Readonly<z.infer<typeof RELOADED>>

export function readReloaded(answer: unknown): Reloaded {
  return RELOADED.parse(answer)
}

export function describeRefusal(error: unknown): NonNullable<Reloaded['refused']> {
  if (error instanceof WlbError) {
    const { code, message, facts, remedy } = error
    return { code, message, facts: { ...facts }, remedy }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'INTERNAL_ERROR', message, facts: {}, remedy: '' }
}
