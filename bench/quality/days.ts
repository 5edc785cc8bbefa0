/** Whole days of PlanetLab and of offices: rows 1 to 4 of docs/quality.md. */
import { greedy } from './greedy.js'
import { nothing, oracle, ours, repack } from './policies.js'
import { poolFrom } from './pools.js'
import { type Contender, GOAL_HEAD, goalRows, metricsTable, type PoolCase, replayAll, type Total } from './replays.js'
import type { Table } from './table.js'
import { officeDays, planetLab, type Trace } from './traces.js'

const CONTENDERS: readonly Contender[] = [
  { name: 'nothing', policy: nothing },
  { name: 'repack', policy: repack },
  { name: 'greedy', policy: greedy },
  { name: 'ours', policy: ours },
  { name: 'knowing 4 h', policy: oracle },
]

function casesOf(traces: readonly Trace[], hosts: readonly number[], loads: readonly number[]): readonly PoolCase[] {
  return hosts.flatMap((count) =>
    loads.flatMap((load) => [1, 2].map((seed) => ({ pool: poolFrom(traces, { hosts: count, load, seed }) }))),
  )
}

function compete(cases: readonly PoolCase[], names = CONTENDERS.map(({ name }) => name)): ReadonlyMap<string, Total> {
  const chosen = CONTENDERS.filter(({ name }) => names.includes(name))
  return new Map(chosen.map((contender) => [contender.name, replayAll(cases, contender)]))
}

/** What a balancer by thresholds of other people made of the day 20110303, in pools drawn in the same way. */
const PUBLISHED = {
  minutesOver90: 6838,
  minutesOver765: 21_690,
  minutesFull: 3731,
  moves: 1234,
  movedGib: 9634,
} as const
const PUBLISHED_HELD_OUT = {
  minutesOver90: 10_415,
  minutesOver765: 30_264,
  minutesFull: 5270,
  moves: 1941,
  movedGib: 15_076,
} as const
const GOALS = [
  ['minutesOver90', 28],
  ['minutesOver765', 68],
  ['moves', 50],
  ['movedGib', 36],
] as const

/** Row 1: 40 and 64 hosts, load .45 and .55, two seeds. */
export function planetLabDay(day: '20110303' | '20110306'): readonly Table[] {
  const traces = planetLab(day)
  if (!traces) return [missing(`PlanetLab ${day}`)]
  const totals = compete(casesOf(traces, [40, 64], [0.45, 0.55]))
  const peer = totals.get('greedy')
  const own = totals.get('ours')
  if (!peer || !own) return []
  return [
    metricsTable(`PlanetLab ${day}, 8 pools`, totals),
    {
      title: `1. PlanetLab ${day}, load .45 and .55`,
      head: [...GOAL_HEAD],
      lines: [
        ...goalRows('against the greedy', GOALS, own, peer),
        ...goalRows('against XO as published', GOALS, own, day === '20110303' ? PUBLISHED : PUBLISHED_HELD_OUT),
        returnsRow(own),
      ],
    },
  ]
}

/** Row 2: 264 VMs on 16 hosts for four days and nights. */
export function offices(): readonly Table[] {
  const cases = [1, 2].flatMap((seed) =>
    [0.4, 0.5, 0.6].map((load) => ({ pool: poolFrom(officeDays(264, 4, seed), { hosts: 16, load, seed }) })),
  )
  const totals = compete(cases)
  const [peer, own] = [totals.get('greedy'), totals.get('ours')]
  if (!peer || !own) return []
  const goals = [
    ['minutesOver90', 20],
    ['minutesFull', 3],
    ['moves', 60],
  ] as const
  return [
    metricsTable('Offices, 6 pools, 4 days', totals),
    {
      title: '2. Days and nights of offices',
      head: [...GOAL_HEAD],
      lines: [...goalRows('against the greedy', goals, own, peer), returnsRow(own)],
    },
  ]
}

/** Row 3: pools that are hardly busy, and pools that are nearly full. */
export function loads(): readonly Table[] {
  const traces = planetLab('20110303')
  if (!traces) return [missing('PlanetLab 20110303')]
  const rows = ([0.35, 0.65] as const).flatMap((load) => {
    const totals = compete(casesOf(traces, [40, 64], [load]), ['greedy', 'ours'])
    const [peer, own] = [totals.get('greedy'), totals.get('ours')]
    const goals = {
      0.35: [
        ['minutesOver765', 100],
        ['moves', 50],
      ],
      0.65: [
        ['minutesOver90', 25],
        ['moves', 65],
      ],
    } as const
    return peer && own ? [...goalRows(`load ${load}`, goals[load], own, peer), returnsRow(own)] : []
  })
  return [{ title: '3. Light and heavy load, 4 pools each', head: [...GOAL_HEAD], lines: rows }]
}

/** Row 4. */
function returnsRow({ returns, moves }: Total): string[] {
  const percent = (100 * returns) / Math.max(1, moves)
  return [
    `moves back within 3 h (${returns} of ${moves})`,
    `${percent.toFixed(1)} %`,
    '<= 1 %',
    percent <= 1 ? 'reached' : 'missed',
  ]
}

function missing(what: string): Table {
  return { title: `${what}: skipped, the data is not there`, head: [''], lines: [] }
}
