/** Moves that pay: the single move with the largest gain, again and again, until none gains more than it costs and a margin. */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes, moveCost } from '../compiled/congestion.js'
import { type Placement, put } from '../compiled/placement.js'
import { softGain } from '../compiled/soft-rules.js'
import { checkStep, checkStepApartFromFailover } from '../rules/check-step.js'
import type { FailoverGate } from '../rules/failover-gate.js'
import type { Step } from './step.js'

/** A gain must exceed its cost by this share, or noise would move VMs. */
export const MARGIN = 0.25

export interface Improvement {
  readonly steps: readonly Step[]
  /** The best move that was found in the end and not worth it. */
  readonly best: Step | undefined
}

/** Improves `placement` as long as it pays, and returns the steps. */
export function improve(pool: CompiledPool, placement: Placement, gates: readonly FailoverGate[]): Improvement {
  const steps: Step[] = []
  const moved = new Set<number>()
  while (steps.length < pool.vms.length) {
    const candidates = candidatesOf(pool, placement, moved)
    const step = candidates.find(
      ({ v, to, gain }) =>
        gain > moveCost(pool, v) * (1 + MARGIN) && checkStep(pool, placement, gates, v, to) === undefined,
    )
    if (!step) return { steps, best: candidates[0] }
    put(pool, placement, step.v, step.to)
    moved.add(step.v)
    steps.push(step)
  }
  return { steps, best: undefined }
}

/** Every move that may be made because of load, the largest surplus over its cost first. */
function candidatesOf(pool: CompiledPool, placement: Placement, moved: ReadonlySet<number>): Step[] {
  const hosts = pool.hosts.length
  const congestion = pool.hosts.map((_, h) => congestionOf(pool, placement, h))
  const found: Step[] = []
  for (const [v, from] of placement.hostOf.entries()) {
    if (from === NOWHERE || pool.isMovable[v] === 0 || pool.isLoadKnown[v] === 0 || moved.has(v)) continue
    if (pool.isGiving[from] === 0 || pool.isEnabled[from] === 0) continue
    const out = (congestion[from] ?? 0) - congestionOf(pool, placement, from, v, -1)
    if (out <= 0 && (pool.rulesOf[v] ?? []).length === 0) continue
    for (let to = 0; to < hosts; to++) {
      if (to === from || pool.mayRun[v * hosts + to] === 0 || pool.isAccepting[to] === 0) continue
      if (pool.isHostLoadKnown[to] === 0) continue
      const more = congestionOf(pool, placement, to, v, 1) - (congestion[to] ?? 0)
      const gain = horizonMinutes(pool) * (out - more) + softGain(pool, placement.hostOf, v, to)
      if (gain > 0 && !checkStepApartFromFailover(pool, placement, v, to))
        found.push({ v, from, to, reason: 'Cpu', gain })
    }
  }
  const surplus = ({ v, gain }: Step) => gain - moveCost(pool, v)
  return found.sort((one, other) => surplus(other) - surplus(one) || one.v - other.v || one.to - other.to)
}
