/**
 * Which parts of the past stand for what is to come. Demand is a small matrix: for each VM and resource one value a scenario.
 * A host's load in a scenario is the sum of its VMs' values in the same scenario, so that peaks that coincide add up and others
 * do not; no distribution has to be assumed.
 */
import type { Pool } from '../document/pool-document.js'
import { RESOURCES } from './compiled-pool.js'

/** A window of the past, counted backwards from the time of the document. */
export interface Scenario {
  /** Exclusive end and inclusive start, in samples before the last one: `from` 0 and `to` 1 is the last sample. */
  readonly from: number
  readonly to: number
  /** All weights of a choice add up to 1. */
  readonly weight: number
}

const WINDOW_SECONDS = 300
const MOST_WINDOWS = 72
/** Half of the weight is that of the last half hour or so, half that of the last hours: bursts count, and so does the level. */
const HALF_LIVES_SECONDS = [1800, 9000] as const

/** The last six hours in windows of five minutes, the older the lighter. Shorter series have fewer scenarios. */
export function recentScenarios({ demand: { stepSeconds }, vms }: Pool): readonly Scenario[] {
  const width = Math.max(1, Math.round(WINDOW_SECONDS / stepSeconds))
  const count = Math.min(MOST_WINDOWS, Math.ceil(longestSeries(vms) / width))
  const weights = Array.from({ length: count }, () => 0)
  for (const halfLife of HALF_LIVES_SECONDS) {
    const raw = weights.map((_, index) => 2 ** ((-index * width * stepSeconds) / halfLife))
    const total = raw.reduce((sum, weight) => sum + weight, 0)
    for (const [index, weight] of raw.entries()) {
      weights[index] = (weights[index] ?? 0) + weight / total / HALF_LIVES_SECONDS.length
    }
  }
  return weights.map((weight, index) => ({ from: index * width, to: (index + 1) * width, weight }))
}

function longestSeries(vms: Pool['vms']): number {
  let longest = 1
  for (const { demand } of vms) {
    for (const resource of RESOURCES) longest = Math.max(longest, demand[resource]?.length ?? 0)
  }
  return longest
}
