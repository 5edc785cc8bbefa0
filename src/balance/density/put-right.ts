/** What must be different, and hosts that need more than they have: what comes before any host is switched off. */
import { findDefects, repair } from '../optimise/repair.js'
import { type Draft, stepsOf, withMoves } from './draft.js'
import { relieve, totalShortage } from './relieve.js'

/** What is wrong after a draft, the worst first; lower is better. */
type Distress = readonly [unrepaired: number, missingSpare: number, shortage: number]

/** Repairs, and relieves hosts. */
export function putRight(draft: Draft): Draft {
  const given = stepsOf(draft)
  const steps = repair(draft.pool, draft.gates, given)
  return relieve(withMoves(draft, steps.slice(given.length)))
}

export function distressOf(draft: Draft): Distress {
  const { pool, placement, spare } = draft
  const unrepaired = findDefects(pool, placement).reduce((sum, { vms }) => sum + vms.length, 0)
  return [unrepaired, pool.pool.pool.reserveHosts - spare, totalShortage(draft)]
}

export function isCalm(distress: Distress): boolean {
  return distress.every((part) => part === 0)
}

export function isLess(one: Distress, other: Distress): boolean {
  const at = one.findIndex((part, index) => Math.abs(part - (other[index] ?? 0)) > 1e-9)
  return at !== -1 && (one[at] ?? 0) < (other[at] ?? 0)
}
