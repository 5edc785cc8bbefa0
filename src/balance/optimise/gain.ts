import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes } from '../compiled/congestion.js'
import type { Placement } from '../compiled/placement.js'
import { softGain } from '../compiled/soft-rules.js'

/** What moving `v` alone would save over the horizon. */
export function gainOf(pool: CompiledPool, placement: Placement, v: number, to: number): number {
  const from = placement.hostOf[v] ?? NOWHERE
  const saved =
    congestionOf(pool, placement, from) -
    congestionOf(pool, placement, from, v, -1) -
    (congestionOf(pool, placement, to, v, 1) - congestionOf(pool, placement, to))
  return horizonMinutes(pool) * saved + softGain(pool, placement.hostOf, v, to)
}
