/**
 * How much of a host its VMs need when hosts are filled up: the mean of what they consume and two standard deviations, so that a host
 * is full before its peaks are cut. The deviation is that of the sum: VMs that are busy at different times share the room for peaks.
 */
import { type CompiledPool, RESOURCES } from '../compiled/compiled-pool.js'
import type { Placement } from '../compiled/placement.js'
import type { Reason } from '../plan.js'

/** A host is filled up to this share of what it has, and relieved when it needs more than all of it. */
const TARGET = 0.9
const DEVIATIONS = 2
/** Of a load that is higher now than it was in the mean, this part is expected to stay. */
const RISEN = 0.5
/** What a host costs that needs a hundredth more than it has, a minute; about what congestion costs there. */
const COST_BEYOND = 10

/** By resource; memory is the last one. */
const REASONS: readonly Reason[] = ['Cpu', 'NetworkRead', 'NetworkWrite', 'DiskRead', 'DiskWrite', 'Memory']
const WORDS = ['CPU', 'network (received)', 'network (sent)', 'disk (read)', 'disk (written)', 'memory']

/** What is missing on a host: the share beyond what it has, and of what. */
export interface Shortage {
  readonly reason: Reason
  readonly words: string
}

/** Share of resource `r` (or of wanted memory, after the last resource) that host `h` needs with VM `v` more (1) or less (-1). */
function needOf(pool: CompiledPool, placement: Placement, h: number, r: number, v: number, sign: number): number {
  if (r === RESOURCES.length) return memoryNeedOf(pool, placement, h, v, sign)
  const full = pool.capacity[h * RESOURCES.length + r] ?? 0
  if (full === Number.POSITIVE_INFINITY || pool.resourceWeight[r] === 0) return 0
  const { scenarioCount, scenarioWeight, demand } = pool
  const loadAt = (h * RESOURCES.length + r) * scenarioCount
  const demandAt = (v * RESOURCES.length + r) * scenarioCount
  let mean = 0
  let squares = 0
  const now = (placement.load[loadAt] ?? 0) + (sign === 0 ? 0 : sign * (demand[demandAt] ?? 0))
  for (let s = 0; s < scenarioCount; s++) {
    const used = (placement.load[loadAt + s] ?? 0) + (sign === 0 ? 0 : sign * (demand[demandAt + s] ?? 0))
    const weighted = (scenarioWeight[s] ?? 0) * used
    mean += weighted
    squares += weighted * used
  }
  const risen = RISEN * Math.max(0, now - mean)
  return full > 0 ? (mean + risen + DEVIATIONS * Math.sqrt(Math.max(0, squares - mean * mean))) / full : 0
}

/** Wanted memory, as a share that is full at TARGET when as much is free as the critical threshold says. */
function memoryNeedOf(pool: CompiledPool, { wantBytes }: Placement, h: number, v: number, sign: number): number {
  if (pool.memoryWeight === 0) return 0
  const all = pool.memoryBytes[h] ?? 0
  const free = (pool.memoryReserveBytes[h] ?? 0) + Math.min(all / 2, pool.pool.settings.hostMemoryThresholdCritical)
  const want = (wantBytes[h] ?? 0) + (sign === 0 ? 0 : sign * (pool.wantBytes[v] ?? 0))
  return all > free ? (TARGET * want) / (all - free) : 0
}

/** How full host `h` would be with VM `v`: at most 1 where it has room for it, and the larger the less room is left. */
export function fullness(pool: CompiledPool, placement: Placement, h: number, v: number): number {
  let most = 0
  for (let r = 0; r <= RESOURCES.length; r++) most = Math.max(most, needOf(pool, placement, h, r, v, 1) / TARGET)
  return most
}

/** The largest share of what host `h` has that VM `v` takes in the mean: those that are hardest to place have the largest. */
export function sizeOf(pool: CompiledPool, h: number, v: number): number {
  let most = (pool.wantBytes[v] ?? 0) / Math.max(1, pool.memoryBytes[h] ?? 0)
  for (let r = 0; r < RESOURCES.length; r++) {
    const at = (v * RESOURCES.length + r) * pool.scenarioCount
    const mean = pool.scenarioWeight.reduce((sum, weight, s) => sum + weight * (pool.demand[at + s] ?? 0), 0)
    const full = pool.capacity[h * RESOURCES.length + r] ?? 0
    if (full > 0) most = Math.max(most, mean / full)
  }
  return most
}

/** What it costs a minute that host `h` needs more than it has; 0 where it does not. */
export function shortageCost(pool: CompiledPool, placement: Placement, h: number, v = -1, sign = 0): number {
  let cost = 0
  for (let r = 0; r <= RESOURCES.length; r++) {
    const need = needOf(pool, placement, h, r, v, sign)
    if (need > 1) cost += COST_BEYOND * weightOf(pool, r) * (need - 1)
  }
  return cost
}

/** What is short on host `h`, the worst first in its words; nothing where nothing is. */
export function shortageOf(pool: CompiledPool, placement: Placement, h: number): Shortage | undefined {
  const needs = Array.from({ length: RESOURCES.length + 1 }, (_, r) => needOf(pool, placement, h, r, -1, 0))
  const costs = needs.map((need, r) => (need > 1 ? weightOf(pool, r) * (need - 1) : 0))
  const most = Math.max(...costs)
  const r = costs.indexOf(most)
  if (most === 0) return undefined
  return {
    reason: REASONS[r] ?? 'Cpu',
    words: `needs ${Math.round(100 * (needs[r] ?? 0))} % of its ${WORDS[r]} with its peaks`,
  }
}

function weightOf({ resourceWeight, memoryWeight }: CompiledPool, r: number): number {
  return r === RESOURCES.length ? memoryWeight : (resourceWeight[r] ?? 0)
}
