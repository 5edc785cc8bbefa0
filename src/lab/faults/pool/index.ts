/** The rows that are brought about on the pool, by number. */
import { ANCHOR_FAULTS } from './anchors.js'
import { DAMAGE_FAULTS } from './damage.js'
import { MEMBER_FAULTS } from './members.js'
import { NAME_FAULTS } from './names.js'
import { RECORD_FAULTS } from './records-faults.js'
import { REVOCATION_FAULTS } from './revocation.js'
import type { PoolFault } from './stage.js'
import { SURROUNDINGS_FAULTS } from './surroundings.js'

const all: readonly PoolFault[] = [
  ...ANCHOR_FAULTS,
  ...DAMAGE_FAULTS,
  ...MEMBER_FAULTS,
  ...NAME_FAULTS,
  ...RECORD_FAULTS,
  ...REVOCATION_FAULTS,
  ...SURROUNDINGS_FAULTS,
]

export const POOL_FAULTS: ReadonlyMap<number, PoolFault> = new Map(all.map((fault) => [fault.row, fault]))
