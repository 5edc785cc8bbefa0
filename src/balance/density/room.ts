/**
 * How much of a host its VMs need when hosts are filled up: the mean of what they consume and 2.1 standard deviations, so that a host
 * is full before its peaks are cut. The deviation is that of the sum: VMs that are busy at different times share the room for peaks.
 */
import { type CompiledPool, RESOURCES } from '../compiled/compiled-pool.js'
import type { Placement } from '../compiled/placement.js'
import type { Reason } from '../plan.js'

/** A host is filled up to this share of what it has, and relieved when it needs more than all of it. */
const TARGET = 0.9
const DEVIATIONS = 2.1
/** What it costs a minute that peaks may be cut: for each hundredth that is needed beyond what there is. */
const COST_OF_PEAKS = 0.01
/** The same for the mean beyond TARGET: that is load which will be there, and costs what congestion costs. */
const COST_OF_LOAD = 0.1

/** By resource; memory is the last one. */
const REASONS: readonly Reason[] = ['Cpu', 'NetworkRead', 'NetworkWrite', 'DiskRead', 'DiskWrite', 'Memory']
const WORDS = ['CPU', 'network (received)', 'network (sent)', 'disk (read)', 'disk (written)', 'memory']

/** What is missing on a host: the share beyond what it has, and of what. */
export interface Shortage {
  readonly reason: Reason
  readonly words: string
}

/** Shares of what a host has. */
interface Use {
  readonly mean: number
  /** With its peaks. */
  readonly need: number
}
const NO_USE: Use = { mean: 0, need: 0 }

/** Of resource `r` (or of wanted memory, after the last resource) on host `h` with VM `v` more (1) or less (-1). */
function useOf(pool: CompiledPool, placement: Placement, h: number, r: number, v: number, sign: number): Use {
  if (r === RESOURCES.length) return memoryUseOf(pool, placement, h, v, sign)
  const full = pool.capacity[h * RESOURCES.length + r] ?? 0
  if (full === Number.POSITIVE_INFINITY || pool.resourceWeight[r] === 0) return NO_USE
  const { scenarioCount, scenarioWeight, demand } = pool
  const loadAt = (h * RESOURCES.length + r) * scenarioCount
  const demandAt = (v * RESOURCES.length + r) * scenarioCount
  let mean = 0
  let squares = 0
  for (let s = 0; s < scenarioCount; s++) {
    const used = (placement.load[loadAt + s] ?? 0) + (sign === 0 ? 0 : sign * (demand[demandAt + s] ?? 0))
    const weighted = (scenarioWeight[s] ?? 0) * used
    mean += weighted
    squares += weighted * used
  }
  if (full <= 0) return NO_USE
  return { mean: mean / full, need: (mean + DEVIATIONS * Math.sqrt(Math.max(0, squares - mean * mean))) / full }
}

/** Wanted memory, as a share that is full at TARGET when as much is free as the critical threshold says. */
function memoryUseOf(pool: CompiledPool, { wantBytes }: Placement, h: number, v: number, sign: number): Use {
  if (pool.memoryWeight === 0) return NO_USE
  const all = pool.memoryBytes[h] ?? 0
  const free = (pool.memoryReserveBytes[h] ?? 0) + Math.min(all / 2, pool.pool.settings.hostMemoryThresholdCritical)
  const want = (wantBytes[h] ?? 0) + (sign === 0 ? 0 : sign * (pool.wantBytes[v] ?? 0))
  const share = all > free ? (TARGET * want) / (all - free) : 0
  return { mean: share, need: share }
}

/** How full host `h` would be with VM `v`: at most 1 where it has room for it, and the larger the less room is left. */
export function fullness(pool: CompiledPool, placement: Placement, h: number, v: number): number {
  let most = 0
  for (let r = 0; r <= RESOURCES.length; r++) most = Math.max(most, useOf(pool, placement, h, r, v, 1).need / TARGET)
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
  return costBeyond(1, pool, placement, h, v, sign)
}

/** The same for what it needs beyond what hosts are filled up to. */
export function crowdingCost(pool: CompiledPool, placement: Placement, h: number, v = -1, sign = 0): number {
  return costBeyond(TARGET, pool, placement, h, v, sign)
}

function costBeyond(
  limit: number,
  pool: CompiledPool,
  placement: Placement,
  h: number,
  v: number,
  sign: number,
): number {
  let cost = 0
  for (let r = 0; r <= RESOURCES.length; r++) {
    const use = useOf(pool, placement, h, r, v, sign)
    if (use.need > limit) cost += weightOf(pool, r) * costOf(use, limit)
  }
  return cost
}

function costOf({ mean, need }: Use, limit: number): number {
  return 100 * (COST_OF_PEAKS * (need - limit) + COST_OF_LOAD * Math.max(0, mean - TARGET))
}

/** What is short most on host `h`, in words; nothing where nothing is. */
export function shortageOf(pool: CompiledPool, placement: Placement, h: number): Shortage | undefined {
  const uses = Array.from({ length: RESOURCES.length + 1 }, (_, r) => useOf(pool, placement, h, r, -1, 0))
  const costs = uses.map((use, r) => (use.need > 1 ? weightOf(pool, r) * costOf(use, 1) : 0))
  const most = Math.max(...costs)
  const r = costs.indexOf(most)
  if (most === 0) return undefined
  return {
    reason: REASONS[r] ?? 'Cpu',
    words: `needs ${Math.round(100 * (uses[r]?.need ?? 0))} % of its ${WORDS[r]} with its peaks`,
  }
}

function weightOf({ resourceWeight, memoryWeight }: CompiledPool, r: number): number {
  return r === RESOURCES.length ? memoryWeight : (resourceWeight[r] ?? 0)
}
