/** The replay of a day: what counts, what takes effect when, and what a policy may see. */
import { expect, it, test } from 'vitest'
import { type Decision, type Pool, simulate } from '../../src/balance/index.js'
import { document, poolOf } from './pools.js'

const GIB = 2 ** 30
/** Two hosts of 8 CPUs; a VM that is busy on h1 for two samples of five minutes, one that is idle. */
const pool = poolOf(document([{}, {}], [{ demand: { cpu: [8, 8, 4, 4] } }, { demand: { cpu: [0, 0, 0, 0] } }]))
const everything = { unscoredMinutes: 0 }
const nothing = { everyMinutes: 5, decide: (): Decision => ({ moves: [] }) }
const always = (decision: Decision) => ({ everyMinutes: 5, decide: () => decision })

test('with no policy: every minute of every host is counted', () => {
  const { metrics, hosts, moves } = simulate(pool, nothing, everything)
  expect(metrics).toMatchObject({
    minutesOver765: 10,
    minutesOver90: 10,
    minutesFull: 10,
    hostMinutes: 40,
    hostsOn: 2,
    worstShare: 1,
    lostShare: 0,
    moves: 0,
  })
  expect(metrics.standardDeviation).toBeCloseTo((10 * 0.5 + 10 * 0.25) / 20)
  expect(hosts.map(({ shares }) => [...shares])).toEqual([
    [1, 1, 0.5, 0.5],
    [0, 0, 0, 0],
  ])
  expect(moves).toEqual([])
})

const unscored: [minutes: number, counted: number][] = [
  [0, 10],
  [3, 7],
  [10, 0],
  [60, 0],
]
it.each(unscored)('%i minutes unscored: %i host-minutes over 90 %%', (unscoredMinutes, counted) => {
  expect(simulate(pool, nothing, { unscoredMinutes }).metrics.minutesOver90).toBe(counted)
})

test('demand beyond what a host has is lost', () => {
  const full = poolOf(document([{}], [{ demand: { cpu: [6] } }, { demand: { cpu: [4] } }]))
  expect(simulate(full, nothing, everything).metrics).toMatchObject({ lostShare: 0.2, worstShare: 1.25 })
})

test('the fullest resource counts, and an unknown capacity does not', () => {
  const network = { receiveBytesPerSecond: 100 }
  const busy = poolOf(
    document([{ network }], [{ demand: { cpu: [1], networkReceive: [95], networkTransmit: [1e9], diskRead: [1e9] } }]),
  )
  expect(simulate(busy, nothing, everything).metrics).toMatchObject({ minutesOver90: 5, worstShare: 0.95 })
})

test('a move takes effect in the minute after the decision', () => {
  const { metrics, moves } = simulate(pool, always({ moves: [{ vm: 'v2', to: 'h2' }] }), everything)
  expect(moves).toEqual([{ minute: 1, vm: 'v2', from: 'h1', to: 'h2' }])
  expect(metrics).toMatchObject({ moves: 1, movedGib: 2, returns: 0 })
})

test('a VM that comes back to a host within three hours has returned', () => {
  const restless = {
    everyMinutes: 5,
    decide: ({ vms }: Pool) => ({ moves: [{ vm: 'v1', to: vms[0]?.host === 'h1' ? 'h2' : 'h1' }] }),
  }
  expect(simulate(pool, restless, everything).metrics).toMatchObject({ moves: 4, returns: 3 })
})

const impossible: [what: string, hosts: object, move: object][] = [
  ['no memory', { memoryBytes: GIB }, { vm: 'v1', to: 'h2' }],
  ['a dead host', { live: false }, { vm: 'v1', to: 'h2' }],
  ['no such VM', {}, { vm: 'v9', to: 'h2' }],
  ['no such host', {}, { vm: 'v1', to: 'h9' }],
  ['where it is already', {}, { vm: 'v1', to: 'h1' }],
]
it.each(impossible)('%s: it is not moved', (_, host, move) => {
  const given = poolOf(document([{}, { ...host }], [{ demand: { cpu: [1, 1, 1] } }]))
  const decision = { moves: [{ vm: '', to: '', ...move }] }
  expect(simulate(given, always(decision), everything).metrics.moves).toBe(0)
})

test('a policy sees what is over, and nothing else', () => {
  const seen: unknown[] = []
  const spy = {
    everyMinutes: 5,
    decide: ({ at, vms }: Pool): Decision => {
      seen.push([at, vms[0]?.host, vms[0]?.lastMovedAt, vms[0]?.demand.cpu])
      return { moves: [{ vm: 'v1', to: 'h2' }] }
    },
  }
  simulate(pool, spy, everything)
  expect(seen).toEqual([
    ['2026-03-01T11:41:00.000Z', 'h1', undefined, [8]],
    ['2026-03-01T11:46:00.000Z', 'h2', '2026-03-01T11:41:00.000Z', [8, 8]],
    ['2026-03-01T11:51:00.000Z', 'h2', '2026-03-01T11:41:00.000Z', [8, 8, 4]],
    ['2026-03-01T11:56:00.000Z', 'h2', '2026-03-01T11:41:00.000Z', [8, 8, 4, 4]],
  ])
})

test('samples that are known at the beginning are seen and not replayed', () => {
  let first: Pool | undefined
  const spy = {
    everyMinutes: 5,
    decide: (given: Pool): Decision => {
      first ??= given
      return { moves: [] }
    },
  }
  const { metrics } = simulate(pool, spy, { ...everything, knownSamples: 2 })
  expect([metrics.hostMinutes, metrics.minutesOver90, first?.vms[0]?.demand.cpu]).toEqual([20, 0, [8, 8, 4]])
})

test('an unknown sample is as the one before it, the first as the first that is known', () => {
  const gaps = poolOf(document([{}], [{ demand: { cpu: [null, 8, null, 2] } }]))
  expect([...(simulate(gaps, nothing, everything).hosts[0]?.shares ?? [])]).toEqual([1, 1, 1, 0.25])
})

test('hosts are switched off when they are empty, never the coordinator, and on again', () => {
  const power = { managed: true, tested: true }
  const idle = poolOf(document([{ power }, { power }, { power }], [{ host: 'h3', demand: { cpu: [1, 1, 1, 1] } }]))
  const seen: unknown[] = []
  const policy = {
    everyMinutes: 5,
    decide: ({ hosts }: Pool): Decision => {
      seen.push(hosts.map(({ live, power: { poweredOffByUs = false } = {} }) => [live, poweredOffByUs]))
      const action = seen.length < 3 ? ('off' as const) : ('on' as const)
      return { moves: [], power: ['h1', 'h2', 'h3'].map((host) => ({ host, action, after: 0 })) }
    },
  }
  const { hosts, metrics } = simulate(idle, policy, everything)
  expect(seen[1]).toEqual([
    [true, false],
    [false, true],
    [true, false],
  ])
  expect(seen[3]).toEqual(Array.from({ length: 3 }, () => [true, false]))
  expect(hosts.map(({ shares }) => [...shares])).toEqual([
    [0, 0, 0, 0],
    [0, Number.NaN, 0, 0],
    [0.125, 0.125, 0.125, 0.125],
  ])
  expect(metrics).toMatchObject({ hostMinutes: 50, hostsOn: 2.5 })
  // watts of an idle host, and of one that is an eighth busy
  expect(metrics.kwhG4).toBeCloseTo((30 * 86 + 20 * (89.4 + 0.25 * 3.2)) / 60_000)
})

test('no VM, no sample, no host: a replay of nothing', () => {
  expect(
    simulate(poolOf(document([], [], { pool: { uuid: 'p', coordinator: 'none' } })), nothing).metrics,
  ).toMatchObject({ hostMinutes: 0, hostsOn: 0, standardDeviation: 0 })
})
