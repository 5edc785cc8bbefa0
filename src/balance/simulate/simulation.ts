/**
 * The day that a document holds, replayed twice: with nothing done, and with the plan of every five minutes carried out. VMs start
 * where the document has them now, and demand what they demanded.
 */
import type { Pool } from '../document/pool-document.js'
import { optimise } from '../optimise/optimise.js'
import { readDay } from './day.js'
import type { Metrics } from './metrics.js'
import { type Replay, type ReplayOptions, simulate } from './simulate.js'

export interface Simulation {
  readonly format: 'openwlb-simulation/1'
  readonly mode: Pool['mode']
  /** Null: the best there is. */
  readonly horizonMinutes: number | null
  readonly from: string
  readonly to: string
  /** Minutes at the beginning that are replayed and not counted, as little has been seen yet. */
  readonly unscoredMinutes: number
  readonly stepMinutes: number
  readonly nothing: Metrics
  readonly ours: Metrics
  readonly hosts: readonly HostDay[]
  readonly moves: readonly { readonly at: string; readonly vm: string; readonly from: string; readonly to: string }[]
}

/** How full the fullest resource of a host was, a value a step; null while it was off. */
export interface HostDay {
  readonly host: string
  readonly nothing: readonly (number | null)[]
  readonly ours: readonly (number | null)[]
}

/** Replays what the series hold; `onDecision` is called before each plan, with the share of the day that is over. */
export function simulateDay(pool: Pool, onDecision: (share: number) => void = () => {}): Simulation {
  const everyMinutes = Math.max(5, Math.round(pool.demand.stepSeconds / 60))
  const { minutes } = readDay(pool, 0)
  const options: ReplayOptions = { unscoredMinutes: minutes >= 2 * UNSCORED_MINUTES ? UNSCORED_MINUTES : 0 }
  const nothing = simulate(pool, { everyMinutes: minutes + 1, decide: () => ({ moves: [] }) }, options)
  let decisions = 0
  const ours = simulate(
    pool,
    {
      everyMinutes,
      decide: (seen) => {
        onDecision((decisions++ * everyMinutes) / minutes)
        return optimise(seen)
      },
    },
    options,
  )
  const start = Date.parse(pool.at) - minutes * 60_000
  return {
    format: 'openwlb-simulation/1',
    mode: pool.mode,
    horizonMinutes: pool.settings.horizonMinutes ?? null,
    from: new Date(start).toISOString(),
    to: pool.at,
    unscoredMinutes: options.unscoredMinutes ?? 0,
    stepMinutes: ours.stepMinutes,
    nothing: nothing.metrics,
    ours: ours.metrics,
    hosts: pool.hosts.map(({ uuid }, h) => ({ host: uuid, nothing: sharesOf(nothing, h), ours: sharesOf(ours, h) })),
    moves: ours.moves.map(({ minute, vm, from, to }) => ({
      at: new Date(start + minute * 60_000).toISOString(),
      vm,
      from,
      to,
    })),
  }
}
const UNSCORED_MINUTES = 60

function sharesOf({ hosts }: Replay, h: number): (number | null)[] {
  return Array.from(hosts[h]?.shares ?? [], (share) => (Number.isNaN(share) ? null : Math.round(share * 1000) / 1000))
}
