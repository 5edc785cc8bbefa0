/** Every row that can be injected: its number, where it is brought about, what happens. */
import { APPLIANCE_FAULTS } from './appliance-faults.js'
import { CERTIFICATE_FAULTS } from './certificate-faults.js'
import type { PoolFault } from './pool-stage.js'
import { RECORD_FAULTS } from './record-faults.js'
import { REVOCATION_FAULTS } from './revocation-faults.js'
import { SURROUNDINGS_FAULTS } from './surroundings-faults.js'

export const POOL_FAULTS: ReadonlyMap<number, PoolFault> = new Map(
  [...CERTIFICATE_FAULTS, ...SURROUNDINGS_FAULTS, ...RECORD_FAULTS, ...REVOCATION_FAULTS].map((fault) => [
    fault.row,
    fault,
  ]),
)

export interface FaultRow {
  readonly row: number
  /** `pool`, `every host`, `a member`, `the coordinator` or `appliance`. */
  readonly where: string
  readonly what: string
  /** Empty where there is one form only. */
  readonly variants: readonly string[]
}

export function listFaults(): FaultRow[] {
  const pool = [...POOL_FAULTS.values()].map(({ row, scope, what, variants = [] }) => ({
    row,
    where: scope,
    what,
    variants,
  }))
  const appliance = [...APPLIANCE_FAULTS.values()].map(({ row, what }) => ({
    row,
    where: 'appliance',
    what,
    variants: [],
  }))
  return [...pool, ...appliance].sort((one, other) => one.row - other.row)
}
