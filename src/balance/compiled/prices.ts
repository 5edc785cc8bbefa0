/**
 * What a little more load costs on a host, in each scenario: the slope of its congestion. Congestion is convex, so that an exchange
 * of VMs never gains more than the prices say; most exchanges are ruled out by them alone.
 */
import { type CompiledPool, RESOURCES } from './compiled-pool.js'
import { KNOTS, MEMORY_KNOTS, memoryGoalBytes } from './congestion.js'
import type { Placement } from './placement.js'

export interface Prices {
  /** [r * scenarioCount + s], for one unit of the resource. */
  readonly load: Float64Array
  /** For a byte of wanted memory. */
  readonly memory: number
}

export function pricesOf(pool: CompiledPool, placement: Placement, h: number): Prices {
  const { scenarioCount, scenarioWeight, capacity, usedResources, resourceWeight } = pool
  const load = new Float64Array(RESOURCES.length * scenarioCount)
  if (pool.isLive[h] === 0) return { load, memory: 0 }
  for (const r of usedResources) {
    const full = capacity[h * RESOURCES.length + r] ?? 0
    if (full === Number.POSITIVE_INFINITY) continue
    const from = (h * RESOURCES.length + r) * scenarioCount
    for (let s = 0; s < scenarioCount; s++) {
      const slope = slopeAt((placement.load[from + s] ?? 0) / full, KNOTS)
      load[r * scenarioCount + s] = ((resourceWeight[r] ?? 0) * (scenarioWeight[s] ?? 0) * slope) / full
    }
  }
  const goal = memoryGoalBytes(pool, h)
  const memory = goal > 0 ? (pool.memoryWeight * slopeAt((placement.wantBytes[h] ?? 0) / goal, MEMORY_KNOTS)) / goal : 0
  return { load, memory }
}

function slopeAt(share: number, knots: readonly (readonly [share: number, slope: number])[]): number {
  let slope = 0
  for (const [knot, more] of knots) if (share > knot) slope += more
  return slope
}

/** What VM `v` costs at these prices. */
export function priceOf(pool: CompiledPool, { load, memory }: Prices, v: number): number {
  const { scenarioCount, demand, usedResources } = pool
  let price = memory * (pool.wantBytes[v] ?? 0)
  for (const r of usedResources) {
    const at = (v * RESOURCES.length + r) * scenarioCount
    const from = r * scenarioCount
    for (let s = 0; s < scenarioCount; s++) price += (load[from + s] ?? 0) * (demand[at + s] ?? 0)
  }
  return price
}
