/** Where a VM's archives are: with the host it runs on; those of a VM that does not run, with the coordinator. */
import { z } from 'zod'
import type { Database } from '../../database/database.js'

const placeSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('unknown') }),
  z.object({ kind: z.literal('archived') }),
  z.object({ kind: z.literal('running'), address: z.string() }),
])

export type VmPlace = Readonly<z.infer<typeof placeSchema>>

export function placeOfVm(database: Database, uuid: string): VmPlace {
  const found = database.rows('VM').find(([, record]) => record.uuid === uuid)
  if (!found) return { kind: 'unknown' }
  const host = database.find('host', String(found[1].resident_on))
  return host ? { kind: 'running', address: String(host.address) } : { kind: 'archived' }
}

export function parseVmPlace(text: string): VmPlace {
  return placeSchema.parse(JSON.parse(text))
}
