/** Replays of pools under policies, their metrics summed, and how they are printed. */
import { type Metrics, type Policy, type Pool, simulate } from '../../src/balance/index.js'
import type { Table } from './table.js'
import { share, whole } from './table.js'

/** Of several replays: sums of what is counted, means of what is a share, the most of what is a worst. */
export interface Total extends Metrics {
  readonly replays: number
}

export interface Contender {
  readonly name: string
  /** For a pool: oracles know its day. */
  readonly policy: (pool: Pool) => Policy
}

export interface PoolCase {
  readonly pool: Pool
  /** Of the judge, not of the policy. */
  readonly knownSamples?: number
}

export function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

export function replayAll(cases: readonly PoolCase[], { policy }: Contender): Total {
  const all = cases.map(
    ({ pool, knownSamples = 0 }) => simulate(pool, policy(pool), { knownSamples, clock: processorMs }).metrics,
  )
  const sum = (of: (metrics: Metrics) => number) => all.reduce((total, metrics) => total + of(metrics), 0)
  const mean = (of: (metrics: Metrics) => number) => sum(of) / Math.max(1, all.length)
  const most = (of: (metrics: Metrics) => number) => Math.max(0, ...all.map(of))
  return {
    replays: all.length,
    minutesOver765: sum((one) => one.minutesOver765),
    minutesOver90: sum((one) => one.minutesOver90),
    minutesFull: sum((one) => one.minutesFull),
    hostMinutes: sum((one) => one.hostMinutes),
    hostsOn: mean((one) => one.hostsOn),
    worstShare: most((one) => one.worstShare),
    standardDeviation: mean((one) => one.standardDeviation),
    lostShare: mean((one) => one.lostShare),
    migrationLossShare: mean((one) => one.migrationLossShare),
    moves: sum((one) => one.moves),
    movedGib: sum((one) => one.movedGib),
    returns: sum((one) => one.returns),
    kwhG4: sum((one) => one.kwhG4),
    kwhG5: sum((one) => one.kwhG5),
    decisionMsMedian: mean((one) => one.decisionMsMedian),
    decisionMsMost: most((one) => one.decisionMsMost),
  }
}

const fine = (value: number) => `${(100 * value).toFixed(3)} %`

/** Every metric for every policy. */
export function metricsTable(title: string, totals: ReadonlyMap<string, Total>): Table {
  const lines: readonly (readonly [what: string, of: (total: Total) => string])[] = [
    ['host-minutes over 90 %', (one) => whole(one.minutesOver90)],
    ['host-minutes over 76.5 %', (one) => whole(one.minutesOver765)],
    ['host-minutes at 100 %', (one) => whole(one.minutesFull)],
    ['minutes over 90 %, per host and hour', (one) => ((60 * one.minutesOver90) / one.hostMinutes).toFixed(2)],
    ['moves', (one) => whole(one.moves)],
    ['GiB moved', (one) => whole(one.movedGib)],
    ['moves back within 3 h', (one) => whole(one.returns)],
    ['fullest host', (one) => `${whole(100 * one.worstShare)} %`],
    ['standard deviation of hosts', (one) => one.standardDeviation.toFixed(3)],
    ['demand lost', (one) => fine(one.lostShare)],
    ['demand lost by moves (PDM)', (one) => fine(one.migrationLossShare)],
    ['time at 100 % (SLATAH)', (one) => fine(one.minutesFull / one.hostMinutes)],
    ['hosts on', (one) => one.hostsOn.toFixed(1)],
    ['kWh, G4 / G5', (one) => `${whole(one.kwhG4)} / ${whole(one.kwhG5)}`],
    ['kWh x SLATAH x PDM x 1e6, G4', (one) => energyProduct(one).toFixed(2)],
    [
      'ms of processor a decision, median / most',
      (one) => `${whole(one.decisionMsMedian)} / ${whole(one.decisionMsMost)}`,
    ],
  ]
  return {
    title,
    head: ['', ...totals.keys()],
    lines: lines.map(([what, of]) => [what, ...[...totals.values()].map(of)]),
  }
}

function energyProduct({ kwhG4, minutesFull, hostMinutes, migrationLossShare }: Total): number {
  return 1e6 * kwhG4 * (minutesFull / hostMinutes) * migrationLossShare
}

type Counted = 'minutesOver90' | 'minutesOver765' | 'minutesFull' | 'moves' | 'movedGib'

const NAMES: Readonly<Record<Counted, string>> = {
  minutesOver90: 'time over 90 %',
  minutesOver765: 'time over 76.5 %',
  minutesFull: 'time at 100 %',
  moves: 'moves',
  movedGib: 'GiB moved',
}

/** Ours as shares of a peer's, with goals in per cent. */
export function goalRows(
  where: string,
  goals: readonly (readonly [of: Counted, atMost: number])[],
  ours: Total,
  peer: Readonly<Record<Counted, number>>,
): string[][] {
  return goals.map(([of, atMost]) => [
    `${where}: ${NAMES[of]}`,
    share(ours[of], peer[of]),
    `<= ${atMost} %`,
    100 * ours[of] <= atMost * peer[of] ? 'reached' : 'missed',
  ])
}
export const GOAL_HEAD = ['what', 'ours', 'goal', ''] as const
