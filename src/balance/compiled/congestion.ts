/**
 * What it costs that hosts are busy: a convex function of how full a resource is, summed over hosts, resources and scenarios. The
 * unit is congested host-minutes per minute, so that it can be compared with what a migration costs.
 */
import { type CompiledPool, RESOURCES } from './compiled-pool.js'
import type { Placement } from './placement.js'

/** From each of these shares on, cost rises faster. They are the protocol's thresholds, in shares of what counts as full. */
export const KNOTS = [
  [0.5, 0.05],
  [0.65, 0.6],
  [0.765, 1.5],
  [0.9, 3],
  [1, 6],
] as const
/** Memory is no less fast at 80 %: only its shortage costs. */
export const MEMORY_KNOTS = KNOTS.filter(([share]) => share >= 0.9)

/** How long a placement is expected to hold where the document does not say. */
const DEFAULT_HORIZON_MINUTES = 240
/** What has been seen for less than an hour is expected to hold for less, but not for less than a quarter. */
const EVIDENCE_MINUTES = 60
const LEAST_SHARE = 0.25

/** Minutes of host time that congestion is summed over. */
export function horizonMinutes({ pool, scenarioCount }: CompiledPool): number {
  const { settings, demand } = pool
  if (settings.horizonMinutes !== undefined) return settings.horizonMinutes
  const seenMinutes = scenarioCount * Math.max(5, demand.stepSeconds / 60)
  return DEFAULT_HORIZON_MINUTES * Math.max(LEAST_SHARE, Math.min(1, seenMinutes / EVIDENCE_MINUTES))
}

function costAt(share: number, knots: readonly (readonly [share: number, slope: number])[]): number {
  let cost = 0
  for (const [knot, slope] of knots) {
    if (share <= knot) break
    cost += slope * (share - knot)
  }
  return cost
}

/**
 * Congestion of host `h` in the placement, with the demand of one VM more (`sign` 1) or less (-1) if `v` is given. Nothing for a
 * host that is not live.
 */
export function congestionOf(pool: CompiledPool, placement: Placement, h: number, v = -1, sign = 0): number {
  return sign > 0 ? congestionWith(pool, placement, h, v, -1) : congestionWith(pool, placement, h, -1, v)
}

/** The same with VM `came` more and VM `gone` less, either of which may be -1. */
export function congestionWith(
  pool: CompiledPool,
  placement: Placement,
  h: number,
  came: number,
  gone: number,
): number {
  if (pool.isLive[h] === 0) return 0
  const { scenarioCount, scenarioWeight, demand, capacity, usedResources } = pool
  const { load } = placement
  let total = 0
  for (const r of usedResources) {
    const full = capacity[h * RESOURCES.length + r] ?? 0
    if (full === Number.POSITIVE_INFINITY) continue
    const knot = full * K0
    const loadAt = (h * RESOURCES.length + r) * scenarioCount
    const cameAt = came < 0 ? -1 : (came * RESOURCES.length + r) * scenarioCount
    const goneAt = gone < 0 ? -1 : (gone * RESOURCES.length + r) * scenarioCount
    let sum = 0
    for (let s = 0; s < scenarioCount; s++) {
      let used = load[loadAt + s] ?? 0
      if (cameAt >= 0) used += demand[cameAt + s] ?? 0
      if (goneAt >= 0) used -= demand[goneAt + s] ?? 0
      if (used > knot) sum += (scenarioWeight[s] ?? 0) * loadCost(used / full)
    }
    total += (pool.resourceWeight[r] ?? 0) * sum
  }
  const want = (placement.wantBytes[h] ?? 0) + (came < 0 ? 0 : (pool.wantBytes[came] ?? 0))
  return total + pool.memoryWeight * memoryCost(pool, h, want - (gone < 0 ? 0 : (pool.wantBytes[gone] ?? 0)))
}

/** `costAt` of KNOTS, unrolled: a plan for a large pool asks a hundred million times. */
function loadCost(share: number): number {
  let cost = K0S * (share - K0)
  if (share > K1) {
    cost += K1S * (share - K1)
    if (share > K2) {
      cost += K2S * (share - K2)
      if (share > K3) {
        cost += K3S * (share - K3)
        if (share > K4) cost += K4S * (share - K4)
      }
    }
  }
  return cost
}
const [[K0, K0S], [K1, K1S], [K2, K2S], [K3, K3S], [K4, K4S]] = KNOTS

/** Of wanted memory; the hard limit is another matter. */
function memoryCost(pool: CompiledPool, h: number, usedBytes: number): number {
  const full = memoryGoalBytes(pool, h)
  return full > 0 ? costAt(usedBytes / full, MEMORY_KNOTS) : 0
}

/** What wanted memory may fill up to before it is short: 90 % of this leaves free what the setting calls critical. */
export function memoryGoalBytes(pool: CompiledPool, h: number): number {
  const all = pool.memoryBytes[h] ?? 0
  return (
    (all - (pool.memoryReserveBytes[h] ?? 0) - Math.min(all / 2, pool.pool.settings.hostMemoryThresholdCritical)) / 0.9
  )
}

export function totalCongestion(pool: CompiledPool, placement: Placement): number {
  return pool.hosts.reduce((sum, _, h) => sum + congestionOf(pool, placement, h), 0)
}

/**
 * Expected host-minutes in the next hour with any resource over `share` of what the host has: of host `h`, or of all live hosts.
 * Reserves and thresholds do not count here, so that the figure can be checked against a graph of the host.
 */
export function minutesOver(pool: CompiledPool, placement: Placement, share: number, h?: number): number {
  if (h === undefined) return pool.hosts.reduce((sum, _, host) => sum + minutesOver(pool, placement, share, host), 0)
  if (pool.isLive[h] === 0) return 0
  let minutes = 0
  for (const [s, weight] of pool.scenarioWeight.entries()) {
    if (RESOURCES.some((_, r) => shareOf(pool, placement, h, r, s) > share)) minutes += 60 * weight
  }
  return minutes
}

/** How much of what host `h` has of resource number `r` is used in scenario `s`; 0 where its capacity is unknown. */
function shareOf(pool: CompiledPool, { load }: Placement, h: number, r: number, s: number): number {
  const at = h * RESOURCES.length + r
  const full = r === 0 ? (pool.hosts[h]?.cpus ?? 0) : (pool.capacity[at] ?? 0)
  return full > 0 ? (load[at * pool.scenarioCount + s] ?? 0) / full : 0
}

/** The weighted mean of `shareOf` over the scenarios. */
export function meanShareOf(pool: CompiledPool, placement: Placement, h: number, r: number): number {
  return pool.scenarioWeight.reduce((sum, weight, s) => sum + weight * shareOf(pool, placement, h, r, s), 0)
}

/** What moving `v` costs, in the same unit: effort that does not depend on size, and copying its memory. */
export function moveCost(pool: CompiledPool, v: number): number {
  return 4 + 0.65 * ((pool.wantBytes[v] ?? 0) / 2 ** 30)
}

/** Expected seconds of a migration: what the network carries, less what the VM writes meanwhile. */
export function moveSeconds(pool: CompiledPool, v: number): number {
  return Math.ceil((pool.wantBytes[v] ?? 0) / (STREAM_BYTES_PER_SECOND * (1 - DIRTIED_SHARE)))
}
/** Of a link of 1 Gbit/s. */
const STREAM_BYTES_PER_SECOND = 110e6
const DIRTIED_SHARE = 0.1
