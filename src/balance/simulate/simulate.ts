/**
 * The replay of a pool's past: its VMs demand what they demanded, and a policy that sees only what is over at the time decides who
 * moves. Every minute counts; what is decided in one takes effect in the next.
 */
import type { Pool } from '../document/pool-document.js'
import type { PowerStep } from '../plan.js'
import { type DoneMove, loadsOf, type Replayed, readDay } from './day.js'
import { closeTally, type Metrics, openTally, tallyDecision, tallyMinute, tallyMove } from './metrics.js'
import { viewOf } from './seen.js'

/** A plan is one, and so is less than a plan. */
export interface Decision {
  readonly moves: readonly { readonly vm: string; readonly to: string }[]
  readonly power?: readonly PowerStep[]
}

export interface Policy {
  readonly everyMinutes: number
  /** `seen` is the pool as it was at `seen.at`: where everything is then, and the samples until then. */
  readonly decide: (seen: Pool) => Decision
}

export interface ReplayOptions {
  /** Samples of the series that are over when the replay begins (default: none). */
  readonly knownSamples?: number
  /** From the beginning on, these minutes are replayed and not counted, as a policy has seen nothing yet (default: 60). Moves are. */
  readonly unscoredMinutes?: number
  /** Of the processor, in milliseconds: how long decisions take is measured with it. */
  readonly clock?: () => number
}

export interface Replay {
  readonly metrics: Metrics
  readonly moves: readonly DoneMove[]
  /** One a host, in the order of the document. */
  readonly hosts: readonly {
    readonly uuid: string
    /** How full its fullest resource was while it was on, the mean of each step; NaN where it was off all the time. */
    readonly shares: Float32Array
  }[]
  /** Minutes between two of `shares`. */
  readonly stepMinutes: number
}

/** Replays the series of `pool`, which is where its VMs are at the beginning. */
export function simulate(pool: Pool, policy: Policy, options: ReplayOptions = {}): Replay {
  const { knownSamples = 0, unscoredMinutes = 60, clock } = options
  const day = readDay(pool, knownSamples)
  const stepMinutes = Math.max(5, Math.round(pool.demand.stepSeconds / 60))
  const steps = Math.ceil(day.minutes / stepMinutes)
  const shares = pool.hosts.map(() => new Float32Array(steps))
  const minutesOn = pool.hosts.map(() => new Int32Array(steps))
  const see = viewOf(pool, day)
  const tally = openTally(pool)
  const moves: DoneMove[] = []
  let due: Decision = { moves: [] }
  for (let minute = 0; minute < day.minutes; minute++) {
    for (const move of carryOut(pool, day, due, minute)) {
      moves.push(move)
      tallyMove(tally, day, move)
    }
    const loads = loadsOf(pool, day, minute)
    if (minute >= unscoredMinutes) tallyMinute(tally, loads)
    const step = Math.floor(minute / stepMinutes)
    for (const [h, share] of loads.share.entries()) {
      const [row, count] = [shares[h], minutesOn[h]]
      if (!row || !count || Number.isNaN(share)) continue
      row[step] = (row[step] ?? 0) + share
      count[step] = (count[step] ?? 0) + 1
    }
    due = { moves: [] }
    if (minute + 1 >= day.minutes || minute % policy.everyMinutes !== 0) continue
    const seen = see(minute + 1)
    const start = clock?.() ?? 0
    due = policy.decide(seen)
    if (clock) tallyDecision(tally, clock() - start)
  }
  return {
    metrics: closeTally(tally),
    moves,
    hosts: pool.hosts.map(({ uuid }, h) => ({
      uuid,
      shares: Float32Array.from(shares[h] ?? [], (sum, at) => sum / (minutesOn[h]?.[at] ?? 0)),
    })),
    stepMinutes,
  }
}

/** Does what was decided, in its order; what is impossible by then is left out. */
function* carryOut(pool: Pool, day: Replayed, { moves, power = [] }: Decision, minute: number): Iterable<DoneMove> {
  for (let at = 0; at <= moves.length; at++) {
    for (const { host, action, after } of power) {
      if (after === at) switchHost(pool, day, day.hostNumbers.get(host), action, minute)
    }
    const move = moves[at]
    const v = move && day.vmNumbers.get(move.vm)
    const to = move && day.hostNumbers.get(move.to)
    if (v === undefined || to === undefined) continue
    const from = day.hostOf[v] ?? -1
    if (from === to || !isPossible(pool, day, v, from, to)) continue
    day.hostOf[v] = to
    day.movedAtMinute[v] = minute
    yield { minute, vm: pool.vms[v]?.uuid ?? '', from: pool.hosts[from]?.uuid ?? '', to: pool.hosts[to]?.uuid ?? '' }
  }
}

function isPossible(pool: Pool, { hostOf, isOn }: Replayed, v: number, from: number, to: number): boolean {
  if (pool.vms[v]?.state !== 'running' || isOn[from] !== 1 || isOn[to] !== 1) return false
  const there = pool.vms.reduce((sum, vm, other) => sum + (hostOf[other] === to ? vm.memoryFloorBytes : 0), 0)
  return there + (pool.vms[v]?.memoryFloorBytes ?? 0) <= (pool.hosts[to]?.memoryBytes ?? 0)
}

function switchHost(
  { pool }: Pool,
  day: Replayed,
  h: number | undefined,
  action: PowerStep['action'],
  minute: number,
): void {
  if (h === undefined) return
  const isOff = action === 'off'
  if (isOff && (day.hostOf.includes(h) || h === day.hostNumbers.get(pool.coordinator))) return
  day.isOn[h] = Number(!isOff)
  day.switchedAtMinute[h] = minute
  if (isOff) day.isOffByUs[h] = 1
}
