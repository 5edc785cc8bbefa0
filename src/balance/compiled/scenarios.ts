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

const RECENT = { windowSeconds: 300, count: 48, halfLifeSeconds: 3600 } as const

/** The last four hours in windows of five minutes; an hour ago weighs half. Shorter series have fewer scenarios. */
export function recentScenarios({ demand: { stepSeconds }, vms }: Pool): readonly Scenario[] {
  const width = Math.max(1, Math.round(RECENT.windowSeconds / stepSeconds))
  const count = Math.min(RECENT.count, Math.ceil(longestSeries(vms) / width))
  const raw = Array.from(
    { length: count },
    (_, index) => 2 ** ((-index * width * stepSeconds) / RECENT.halfLifeSeconds),
  )
  const total = raw.reduce((sum, weight) => sum + weight, 0)
  return raw.map((weight, index) => ({ from: index * width, to: (index + 1) * width, weight: weight / total }))
}

function longestSeries(vms: Pool['vms']): number {
  let longest = 1
  for (const { demand } of vms) {
    for (const resource of RESOURCES) longest = Math.max(longest, demand[resource]?.length ?? 0)
  }
  return longest
}
