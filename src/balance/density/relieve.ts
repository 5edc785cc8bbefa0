/** Hosts that need more than they have give VMs away: the moves that save most, to hosts with room, as long as they pay. */
import type { CompiledPool } from '../compiled/compiled-pool.js'
import { horizonMinutes, moveCost } from '../compiled/congestion.js'
import { nameOfHost } from '../compiled/describe.js'
import { softGain } from '../compiled/soft-rules.js'
import { MARGIN } from '../optimise/improve.js'
import { type Draft, refuseMove, withMoves } from './draft.js'
import { crowdingCost, shortageCost, shortageOf } from './room.js'
import { targetsFor, worstFit } from './targets.js'

/** Relieves the host that is worst off, again and again. */
export function relieve(draft: Draft): Draft {
  let relieved = draft
  // each move lowers what is short in the pool by more than it costs; the bound is for the day that this is wrong
  for (let round = 0; round < 4 * draft.pool.vms.length; round++) {
    const next = relieveOne(relieved)
    if (!next) return relieved
    relieved = next
  }
  return relieved
}

/** What it costs a minute that hosts need more than they have. */
export function totalShortage({ pool, placement }: Draft): number {
  return pool.hosts.reduce((sum, _, h) => sum + (pool.isEnabled[h] === 1 ? shortageCost(pool, placement, h) : 0), 0)
}

function relieveOne(draft: Draft): Draft | undefined {
  const { pool, placement } = draft
  const short = pool.hosts
    .flatMap((_, h) => {
      const cost = pool.isEnabled[h] === 1 && pool.isGiving[h] === 1 ? shortageCost(pool, placement, h) : 0
      return cost > 0 ? [{ h, cost }] : []
    })
    .sort((one, other) => other.cost - one.cost || one.h - other.h)
  for (const { h, cost } of short) {
    const next = bestMove(draft, h, cost)
    if (next) return next
  }
  return undefined
}

/** The VM that makes most room for what its move costs: the host is not to be short again with the next peak. */
function bestMove(draft: Draft, from: number, shortage: number): Draft | undefined {
  const { pool, placement } = draft
  const candidates = pool.vms
    .flatMap((_, v) =>
      placement.hostOf[v] === from && pool.isMovable[v] === 1 && pool.isLoadKnown[v] === 1 ? [v] : [],
    )
    .map((v) => ({
      v,
      relief: horizonMinutes(pool) * (shortage - shortageCost(pool, placement, from, v, -1)),
      left: horizonMinutes(pool) * crowdingCost(pool, placement, from, v, -1) + moveCost(pool, v),
    }))
    .filter(({ v, relief }) => isWorthIt(pool, v, relief))
    .sort((one, other) => one.left - other.left || one.v - other.v)
  for (const { v, relief } of candidates) {
    for (const { to, gain } of destinations(draft, v, relief)) {
      if (!isWorthIt(pool, v, gain) || refuseMove(draft, v, to)) continue
      const { reason = 'Cpu', words = '' } = shortageOf(pool, placement, from) ?? {}
      return withMoves(draft, [{ v, from, to, reason, gain, because: `${nameOfHost(pool, from)} ${words}` }])
    }
  }
  return undefined
}

/** Hosts with room, the emptiest first, so that what was relieved stays so; those that might be switched off last. Where there are none, those that would be short of less than this one is. */
function destinations(draft: Draft, v: number, relief: number): readonly { to: number; gain: number }[] {
  const { pool, placement } = draft
  const gainAt = (to: number) => {
    const burden = shortageCost(pool, placement, to, v, 1) - shortageCost(pool, placement, to)
    return { to, gain: relief - horizonMinutes(pool) * burden + softGain(pool, placement.hostOf, v, to) }
  }
  const roomy = worstFit(draft, v)
  if (roomy.length > 0) return roomy.map(({ h }) => gainAt(h))
  return targetsFor(draft, v)
    .map(gainAt)
    .sort((one, other) => other.gain - one.gain || one.to - other.to)
}

function isWorthIt(pool: CompiledPool, v: number, gain: number): boolean {
  return gain > moveCost(pool, v) * (1 + MARGIN)
}
