/**
 * Moves that pay. A search finds where VMs should be; what does not pay by itself is taken out again; the rest is put in an order in
 * which every step is possible and none leaves the pool busier than it was.
 */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { moveCost } from '../compiled/congestion.js'
import { copyPlacement, type Placement, put, startPlacement } from '../compiled/placement.js'
import { checkStep } from '../rules/check-step.js'
import type { FailoverGate } from '../rules/failover-gate.js'
import { type Descent, descend, doesAnythingPay } from './descend.js'
import { gainOf } from './gain.js'
import { bestOutcome } from './restarts.js'
import { LEAST_SURPLUS, Search } from './search.js'
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
  const start = startPlacement(pool)
  for (const { v, to } of repairs) put(pool, start, v, to)
  const search = new Search(pool, start, repairs)
  const worthIt: Descent = { margin: 1 + MARGIN, gates }
  const steps = doesAnythingPay(search, worthIt) ? stepsTo(search, worthIt, repairs) : repairs
  const placement = startPlacement(pool)
  for (const { v, to } of steps) put(pool, placement, v, to)
  if (steps !== repairs) return { steps, placement, best: undefined }
  search.restart()
  const best = search.bestShift(0, new Set(), undefined, Number.NEGATIVE_INFINITY)
  return { steps, placement, best: best && { ...best, reason: 'Cpu' } }
}

/** To the best placement that can be found, or, where no order of moves leads there, down the straight way. */
function stepsTo(search: Search, worthIt: Descent, repairs: readonly Step[]): readonly Step[] {
  const order = (hostOf: Int32Array) => inOrder(search.pool, worthIt.gates, repairs, hostOf)
  const steps = order(target(search, worthIt.gates))
  if (steps) return steps
  search.restart()
  descend(search, worthIt)
  return order(search.placement.hostOf) ?? repairs
}

/** The best placement that was found, without the moves that do not pay in it. */
function target(search: Search, gates: readonly FailoverGate[]): Int32Array {
  return withoutWaste(search.pool, search.start, bestOutcome(search, gates))
}

/** Takes back moves that save less than they cost where everything else is as in the end, the worst first. */
function withoutWaste(pool: CompiledPool, start: Placement, hostOf: Int32Array): Int32Array {
  const end = copyPlacement(start)
  for (const [v, h] of hostOf.entries()) if (h !== start.hostOf[v]) put(pool, end, v, h)
  const isRepaired = (v: number) => start.hostOf[v] !== pool.hostOf[v]
  for (;;) {
    let worst = -1
    let least = 0
    for (const [v, h] of end.hostOf.entries()) {
      const home = start.hostOf[v] ?? NOWHERE
      if (h === home || isRepaired(v) || !hasRoom(pool, end, v, home)) continue
      const short = -gainOf(pool, end, v, home) - moveCost(pool, v)
      if (short >= least) continue
      least = short
      worst = v
    }
    if (worst < 0) return end.hostOf
    put(pool, end, worst, start.hostOf[worst] ?? NOWHERE)
  }
}

function hasRoom(pool: CompiledPool, { floorBytes }: Placement, v: number, h: number): boolean {
  return (floorBytes[h] ?? 0) + (pool.floorBytes[v] ?? 0) <= (pool.memoryBytes[h] ?? 0)
}

/**
 * Repairs first, each to where its VM is in the end if that is possible at once; then the move that gains most at the time. What
 * never becomes possible is left out, and with it what no longer pays. Nothing if that is all.
 */
function inOrder(
  pool: CompiledPool,
  gates: readonly FailoverGate[],
  repairs: readonly Step[],
  hostOf: Int32Array,
): readonly Step[] | undefined {
  const redirected = redirect(pool, gates, repairs, hostOf)
  const placement = startPlacement(pool)
  for (const { v, to } of redirected) put(pool, placement, v, to)
  const start = copyPlacement(placement)
  const steps: Step[] = []
  // an exchange may add load for a while, but never more than has been saved by then
  let saved = 0
  let left = [...hostOf].flatMap((to, v) => (to === start.hostOf[v] ? [] : [{ v, to }]))
  while (left.length > 0) {
    const next = left
      .map(({ v, to }) => ({ v, to, gain: gainOf(pool, placement, v, to) }))
      .filter(({ gain }) => saved + gain > -LEAST_SURPLUS)
      .sort((one, other) => other.gain - one.gain || one.v - other.v)
      .find(({ v, to }) => checkStep(pool, placement, gates, v, to) === undefined)
    if (!next) break
    saved += next.gain
    steps.push({ ...next, from: placement.hostOf[next.v] ?? NOWHERE, reason: 'Cpu' })
    put(pool, placement, next.v, next.to)
    left = left.filter(({ v }) => v !== next.v)
  }
  const kept = left.length === 0 ? placement.hostOf : withoutWaste(pool, start, placement.hostOf)
  if (kept.some((h, v) => h !== placement.hostOf[v])) return inOrder(pool, gates, redirected, kept)
  const isChanged = redirected.some(({ to }, at) => to !== repairs[at]?.to)
  return steps.length > 0 || isChanged ? [...redirected, ...steps] : undefined
}

/** Repairs with the final hosts of their VMs, as far as each is possible in its place. */
function redirect(
  pool: CompiledPool,
  gates: readonly FailoverGate[],
  repairs: readonly Step[],
  hostOf: Int32Array,
): readonly Step[] {
  let steps = repairs
  for (const [at, step] of repairs.entries()) {
    const to = hostOf[step.v] ?? NOWHERE
    const isLast = !repairs.some(({ v }, later) => later > at && v === step.v)
    if (to === step.to || !isLast || step.reason === 'Rule') continue
    if (step.reason === 'Evacuate' && pool.hosts[to]?.excluded.includes('evacuation')) continue
    const changed = steps.with(at, { ...step, to })
    if (isPossible(pool, gates, changed)) steps = changed
  }
  return steps
}

/** Tells whether each of the steps is possible when it is taken. */
export function isPossible(pool: CompiledPool, gates: readonly FailoverGate[], steps: readonly Step[]): boolean {
  const placement = startPlacement(pool)
  return steps.every(({ v, from, to }) => {
    if (placement.hostOf[v] !== from || checkStep(pool, placement, gates, v, to)) return false
    put(pool, placement, v, to)
    return true
  })
}
