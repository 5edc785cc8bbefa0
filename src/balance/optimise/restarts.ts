/**
 * Other ways down. The first move decides where a descent ends: a large VM goes first where two small ones would have been better,
 * and no single move leads back. So other first moves are tried, and then the best outcome without each of its VMs.
 */
import type { FailoverGate } from '../rules/failover-gate.js'
import { type Descent, descend } from './descend.js'
import { LEAST_SURPLUS, type Search, type Shift } from './search.js'

/** First moves that are tried. */
const MOST_FIRST = 12
/** Loads of hosts that may be calculated: a second of processor time or less, whatever the pool. */
const MOST_EVALUATED_SCENARIOS = 8e6

/** The placement with the most surplus that any of the ways leads to. */
export function bestOutcome(search: Search, gates: readonly FailoverGate[]): Int32Array {
  const { pool } = search
  const worthIt: Descent = { margin: 1, gates }
  const scenarios = pool.scenarioCount * pool.usedResources.length
  const mayGoOn = () => search.evaluations * scenarios < MOST_EVALUATED_SCENARIOS
  const firsts = firstShifts(search)
  descend(search, worthIt)
  let most = search.surplus
  let best = search.placement.hostOf.slice()
  const tryWay = (first: Shift | undefined, barred?: Uint8Array): boolean => {
    search.restart()
    if (first) search.apply(first)
    descend(search, { ...worthIt, ...(barred ? { barred } : {}) })
    if (search.surplus <= most + LEAST_SURPLUS) return false
    most = search.surplus
    best = search.placement.hostOf.slice()
    return true
  }
  for (const first of firsts) if (mayGoOn()) tryWay(first)
  let isBetter = true
  while (isBetter && mayGoOn()) {
    isBetter = false
    for (const v of movedIn(search, best)) {
      if (!mayGoOn()) break
      const barred = new Uint8Array(pool.vms.length)
      barred[v] = 1
      if (tryWay(undefined, barred)) {
        isBetter = true
        break
      }
    }
  }
  return best
}

/** The best move of each of the VMs whose best moves are best. */
function firstShifts(search: Search): readonly Shift[] {
  const barred = new Uint8Array(search.pool.vms.length)
  const shifts: Shift[] = []
  while (shifts.length < MOST_FIRST) {
    const shift = search.bestShift(1, NONE, barred)
    if (!shift) break
    shifts.push(shift)
    barred[shift.v] = 1
  }
  return shifts.slice(1) // the first is where the descent begins by itself
}
const NONE: ReadonlySet<number> = new Set()

function movedIn({ start }: Search, hostOf: Int32Array): readonly number[] {
  return [...hostOf].flatMap((h, v) => (h === start.hostOf[v] ? [] : [v]))
}
