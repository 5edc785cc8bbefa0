/** `wlb lab load` on the coordinator: pins the demand of a VM, or of a host's control domain. */
import { z } from 'zod'
import type { Database } from '../../database/database.js'
import { addPin } from './lives.js'
import { readPoolFacts } from './pool-facts.js'

const commandSchema = z.object({
  /** A name or a uuid. */
  target: z.string(),
  cores: z.number(),
  /** 0: until the next one. */
  forSeconds: z.number(),
})

export type LoadCommand = Readonly<z.infer<typeof commandSchema>>

const pinnedSchema = z.union([
  z.object({ kind: z.enum(['vm', 'host']), uuid: z.string(), name: z.string() }),
  z.object({ kind: z.literal('unknown') }),
  z.object({ kind: z.literal('several'), uuids: z.array(z.string()) }),
  z.object({ kind: z.literal('too-much'), name: z.string(), most: z.number() }),
])

/** What was pinned, or why nothing was. */
export type Pinned = Readonly<z.infer<typeof pinnedSchema>>

export function parsePinned(text: string): Pinned {
  return pinnedSchema.parse(JSON.parse(text))
}

/** @param now seconds since the epoch */
export async function carryOutLoad(database: Database, text: string, now: number): Promise<Pinned> {
  const { target, cores, forSeconds } = commandSchema.parse(JSON.parse(text))
  const { hosts, vms } = readPoolFacts(database)
  const candidates = [
    ...hosts.map(({ uuid, name, controlDomain }) => ({ kind: 'host' as const, uuid, name, most: controlDomain.vcpus })),
    ...vms.map(({ uuid, name, mostCores }) => ({ kind: 'vm' as const, uuid, name, most: mostCores })),
  ]
  const found = candidates.filter(({ uuid, name }) => uuid === target || name === target)
  const [one] = found
  if (!one) return { kind: 'unknown' }
  if (found.length > 1) return { kind: 'several', uuids: found.map(({ uuid }) => uuid) }
  const { kind, uuid, name, most } = one
  if (cores > most) return { kind: 'too-much', name, most }
  addPin(database, uuid, { from: now, until: forSeconds === 0 ? 0 : now + forSeconds, cores })
  await database.durable()
  return { kind, uuid, name }
}
