/** The way down: the best shift again and again; where none pays, the best exchange. */
import { NOWHERE } from '../compiled/compiled-pool.js'
import { put } from '../compiled/placement.js'
import { checkStep } from '../rules/check-step.js'
import type { FailoverGate } from '../rules/failover-gate.js'
import { gainOf } from './gain.js'
import type { Search, Shift } from './search.js'
import { bestSwap, type Swap } from './swaps.js'

/** When so many of the best are impossible, high availability or a rule forbids nearly all. */
const MOST_REFUSED = 200
/** Each round lowers what the pool costs; the bound is for the day that this is wrong. */
const ROUNDS_PER_VM = 4

export interface Descent {
  /** A gain must exceed the cost of its moves by this factor. */
  readonly margin: number
  readonly gates: readonly FailoverGate[]
  /** [v] 1: stays where it is. */
  readonly barred?: Uint8Array
}

/** Tells whether any shift or exchange pays at present. */
export function doesAnythingPay(search: Search, descent: Descent): boolean {
  return possibleShift(search, descent) !== undefined || possibleSwap(search, descent) !== undefined
}

/** Goes on until nothing pays. */
export function descend(search: Search, descent: Descent): void {
  const bound = ROUNDS_PER_VM * search.pool.vms.length
  for (let round = 0; round < bound; round++) {
    const shift = possibleShift(search, descent)
    if (shift) {
      search.apply(shift)
      continue
    }
    const swap = possibleSwap(search, descent)
    if (!swap) return
    for (const half of swap) search.apply(half)
  }
}

function possibleShift(search: Search, { margin, gates, barred }: Descent): Shift | undefined {
  const refused = new Set<number>()
  while (refused.size < MOST_REFUSED) {
    const shift = search.bestShift(margin, refused, barred)
    if (!shift || !checkStep(search.pool, search.placement, gates, shift.v, shift.to)) return shift
    refused.add(shift.v * search.pool.hosts.length + shift.to)
  }
  return undefined
}

function possibleSwap(search: Search, { margin, gates, barred }: Descent): Swap | undefined {
  const refused = new Set<number>()
  while (refused.size < MOST_REFUSED) {
    const swap = bestSwap(search, margin, refused, barred)
    if (!swap) return undefined
    const [out, back] = swap
    if (isPossible(search, gates, out, back)) return swap
    if (isPossible(search, gates, back, out)) return swap
    refused.add(out.v * search.pool.vms.length + back.v)
  }
  return undefined
}

/** One after the other, as they will be carried out; the first may add no more load than has been saved. */
function isPossible(search: Search, gates: readonly FailoverGate[], first: Shift, then: Shift): boolean {
  const { pool, placement } = search
  if (search.saved + gainOf(pool, placement, first.v, first.to) < 0) return false
  if (checkStep(pool, placement, gates, first.v, first.to)) return false
  const from = placement.hostOf[first.v] ?? NOWHERE
  put(pool, placement, first.v, first.to)
  const refusal = checkStep(pool, placement, gates, then.v, then.to)
  put(pool, placement, first.v, from)
  return refusal === undefined
}
