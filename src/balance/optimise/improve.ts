/**
 * Moves that pay: the one with the largest surplus, again and again, until none gains more than it costs and a margin. When another
 * host turns out to be better for a VM that has moved, it goes there in the first place; only where that is impossible it moves
 * twice.
 */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes, moveCost } from '../compiled/congestion.js'
import { copyPlacement, type Placement, put, startPlacement } from '../compiled/placement.js'
import { softGain } from '../compiled/soft-rules.js'
import { checkStep } from '../rules/check-step.js'
import type { FailoverGate } from '../rules/failover-gate.js'
import { Gains } from './gains.js'
import type { Step } from './step.js'

/** A gain must exceed its cost by this share, or noise would move VMs. */
export const MARGIN = 0.25

export interface Improvement {
  /** Those that were given, possibly to other hosts, and those that pay. */
  readonly steps: readonly Step[]
  /** Where they lead. */
  readonly placement: Placement
  /** The best move that was found in the end: not worth it, or refused. */
  readonly best: Step | undefined
}

/** Adds steps to `repairs` as long as they pay. */
export function improve(pool: CompiledPool, gates: readonly FailoverGate[], repairs: readonly Step[]): Improvement {
  let plan = replay(pool, gates, repairs) ?? { steps: [], placement: startPlacement(pool) }
  const gains = new Gains(pool, plan.placement)
  // each round lowers the cost of the pool by more than rounding; the bound is for the day that this is wrong
  for (let round = 0; round < ROUNDS_PER_VM * pool.vms.length; round++) {
    const refused = new Set<number>()
    let next: Draft | undefined
    const first = gains.best(refused)
    let best = first
    while (best && isWorthIt(pool, best) && !next && refused.size < MOST_REFUSED) {
      next = redirect(pool, gates, plan, best) ?? append(pool, gates, plan, best)
      refused.add(best.v * pool.hosts.length + best.to)
      if (!next) best = gains.best(refused)
    }
    if (!next) return { ...plan, best: first }
    plan = next
    gains.follow(plan.placement)
  }
  return { ...plan, best: undefined }
}
const ROUNDS_PER_VM = 4
/** When so many of the best moves are impossible, high availability or a rule forbids nearly all. */
const MOST_REFUSED = 200

type Draft = Pick<Improvement, 'steps' | 'placement'>

function isWorthIt(pool: CompiledPool, { v, gain }: Step): boolean {
  return gain > moveCost(pool, v) * (1 + MARGIN)
}

function append(pool: CompiledPool, gates: readonly FailoverGate[], { steps, placement }: Draft, step: Step) {
  if (checkStep(pool, placement, gates, step.v, step.to)) return undefined
  const after = copyPlacement(placement)
  put(pool, after, step.v, step.to)
  return { steps: [...steps, step], placement: after }
}

/** The VM's earlier move leads to the new host: in its place, or else at the end; each step must still be possible and pay. */
function redirect(
  pool: CompiledPool,
  gates: readonly FailoverGate[],
  { steps }: Draft,
  { v, to }: Step,
): Draft | undefined {
  const before = steps.find((step) => step.v === v)
  if (!before || before.reason === 'Rule') return undefined // elsewhere it might repair nothing
  if (before.reason === 'Evacuate' && pool.hosts[to]?.excluded.includes('evacuation')) return undefined
  const others = steps.filter((step) => step !== before)
  const moved = { ...before, to }
  if (to === before.from) return replay(pool, gates, others)
  const inPlace = steps.map((step) => (step === before ? moved : step))
  return replay(pool, gates, inPlace) ?? replay(pool, gates, [...others, moved])
}

/** Takes the steps one after another, with the gain each has at that time; nothing if one is impossible or does not pay. */
function replay(pool: CompiledPool, gates: readonly FailoverGate[], steps: readonly Step[]): Draft | undefined {
  const placement = startPlacement(pool)
  const taken: Step[] = []
  for (const step of steps) {
    const now = { ...step, gain: gainOf(pool, placement, step.v, step.to) }
    if (step.because === undefined && !isWorthIt(pool, now)) return undefined
    if (checkStep(pool, placement, gates, step.v, step.to)) return undefined
    put(pool, placement, step.v, step.to)
    taken.push(now)
  }
  return { steps: taken, placement }
}

/** What moving `v` alone would save over the horizon. */
export function gainOf(pool: CompiledPool, placement: Placement, v: number, to: number): number {
  const from = placement.hostOf[v] ?? NOWHERE
  const saved =
    congestionOf(pool, placement, from) -
    congestionOf(pool, placement, from, v, -1) -
    (congestionOf(pool, placement, to, v, 1) - congestionOf(pool, placement, to))
  return horizonMinutes(pool) * saved + softGain(pool, placement.hostOf, v, to)
}
