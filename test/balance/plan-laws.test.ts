/** What is true of every plan, whatever the pool: the laws that users and other programs may rely on. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { optimise } from '../../src/balance/index.js'
import { faultsOf, resultOf } from './own-arithmetic.js'
import { anyDocument, type Document, document, poolOf } from './pools.js'

const small = anyDocument({ hosts: 6, vms: 14 })

/** The same pools each time. */
function holds(documents: fc.Arbitrary<Document>, runs: number, law: (document: Document) => void): void {
  fc.assert(fc.property(documents, law), { numRuns: runs, seed: 20260301 })
}

function everyStepIsPossible(document: Document): void {
  const pool = poolOf(document)
  expect(faultsOf(pool, optimise(pool))).toEqual([])
}

function nothingIsLeft(document: Document): void {
  const pool = poolOf(document)
  const plan = optimise(pool)
  const { moves, power } = optimise(resultOf(pool, plan))
  expect({ moves, power }).toEqual({ moves: [], power: [] })
}

/** As it is when the plan has been carried out: its VMs rest. */
function nothingIsLeftForOthers(document: Document): void {
  const pool = poolOf(document)
  const plan = optimise(pool)
  const moved = new Set(plan.moves.map(({ vm }) => vm))
  const result = resultOf(pool, plan)
  const vms = result.vms.map((vm) => (moved.has(vm.uuid) ? { ...vm, lastMovedAt: pool.at } : vm))
  const { moves, power } = optimise({ ...result, vms })
  expect({ moves, power }).toEqual({ moves: [], power: [] })
}

describe('every step of a plan is possible when it is taken', () => {
  test('150 pools', () => holds(small, 150, everyStepIsPossible))
  test('1,000 pools', { tags: 'long', timeout: 300_000 }, () => holds(small, 1000, everyStepIsPossible))
})

describe('the plan for the result of a plan is empty', () => {
  test('150 pools', () => holds(small, 150, nothingIsLeft))
  test('1,000 pools', { tags: 'long', timeout: 300_000 }, () => holds(small, 1000, nothingIsLeft))
})

describe('while the VMs of a plan rest, there is nothing for the others to do', () => {
  test('150 pools', () => holds(small, 150, nothingIsLeftForOthers))
  test('1,000 pools', { tags: 'long', timeout: 300_000 }, () => holds(small, 1000, nothingIsLeftForOthers))
})

describe('with hosts that may be switched, in the mode density', () => {
  const density = anyDocument({ hosts: 8, vms: 20 }).map((given) => ({ ...given, mode: 'density' }))
  const both = (document: Document) => {
    everyStepIsPossible(document)
    nothingIsLeft(document)
  }
  test('100 pools', () => holds(density, 100, both))
  test('1,000 pools', { tags: 'long', timeout: 300_000 }, () => holds(density, 1000, both))

  test('hosts are emptied, woken and left alone, VMs relieved, in these pools', () => {
    const seen = new Set<string>()
    holds(density, 300, (document) => {
      const { verdict, power, moves } = optimise(poolOf(document))
      for (const one of [verdict, ...power.map(({ action }) => action), ...moves.map(({ reason }) => reason)])
        seen.add(one)
    })
    expect([...seen].sort()).toEqual(
      ['Consolidate', 'Cpu', 'Evacuate', 'Memory', 'Rule', 'cannot', 'nothing-to-do', 'off', 'on', 'plan'].sort(),
    )
  })
})

test('the order of the document does not matter', () => {
  fc.assert(
    fc.property(small, fc.infiniteStream(fc.nat()), (document, numbers) => {
      const shuffle = <Item>(items: readonly Item[]) =>
        items
          .map((item) => ({ item, key: numbers.next().value }))
          .sort((a, b) => a.key - b.key)
          .map(({ item }) => item)
      const other = { ...document, hosts: shuffle(document.hosts), vms: shuffle(document.vms) }
      expect(optimise(poolOf(other))).toEqual(optimise(poolOf(document)))
    }),
    { numRuns: 60 },
  )
})

/** Every resource with a demand and a capacity, the demands at different times. */
const allResources = small.map((given) => ({
  ...given,
  hosts: given.hosts.map((host) => {
    const bytes = Number(host.cpus) * 1e6
    return {
      ...host,
      network: { receiveBytesPerSecond: bytes, transmitBytesPerSecond: bytes },
      storage: { readBytesPerSecond: bytes, writeBytesPerSecond: bytes },
    }
  }),
  vms: poolOf(given).vms.map((vm) => {
    const cpu = vm.demand.cpu ?? []
    const scaled = (factor: number) => cpu.map((sample) => (sample === null ? null : sample * factor))
    const demand = {
      cpu,
      networkReceive: scaled(1.2e6).toReversed(),
      networkTransmit: scaled(0.9e6),
      diskRead: scaled(1.5e6).toReversed(),
      diskWrite: scaled(1.1e6),
    }
    return { ...vm, demand }
  }),
}))

/** Multiplies what VMs demand and what hosts have, of every resource but memory, which is what a move costs. */
function multiplied(given: Document, factor: number): Document {
  const times = (value: unknown): unknown => {
    if (typeof value === 'number') return value * factor
    if (Array.isArray(value)) return value.map(times)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, times(one)]))
  }
  return {
    ...given,
    hosts: given.hosts.map((host) => ({
      ...host,
      cpus: times(host.cpus),
      network: times(host.network),
      storage: times(host.storage),
    })),
    vms: given.vms.map((vm) => ({ ...vm, vcpus: times(vm.vcpus), demand: times(vm.demand) })),
  }
}

test.each([2, 8])('%d times the load, of every resource, on hosts so much larger: the same moves', (factor) => {
  const stepsOf = (given: Document) => {
    const { moves, power } = optimise(poolOf(given))
    return { moves: moves.map(({ vm, to, reason }) => `${vm} ${to} ${reason}`), power }
  }
  holds(allResources, 60, (given) => {
    expect(stepsOf(multiplied(given, factor))).toEqual(stepsOf(given))
  })
})

test('a move that is no repair gains more than it costs', () => {
  holds(small, 100, (document) => {
    for (const { reason, gain, cost } of optimise(poolOf(document)).moves) {
      if (!['Rule', 'Evacuate', 'Memory', 'Consolidate'].includes(reason)) expect(gain).toBeGreaterThan(cost)
    }
  })
})

test('an exchange, where no single move pays: no step leaves the pool busier than it was at the start', () => {
  // v2 relieves h1 and fills h2 as much; only with v3 the other way both are better off
  const cores = (at: number) => ({ demand: { cpu: [at] } })
  const pool = poolOf(
    document(
      [{}, {}],
      [
        { ...cores(4), immovable: 'VM_HAS_VGPU' },
        cores(3),
        { host: 'h2', ...cores(1.2) },
        { host: 'h2', ...cores(2.75) },
      ],
      { settings: { coordinatorReserve: 0 } },
    ),
  )
  const { moves, before, after } = optimise(pool)
  expect(moves.map(({ vm, to }) => `${vm} ${to}`)).toEqual(['v2 h2', 'v3 h1'])
  expect(after.congestion).toBeLessThan(before.congestion)
  for (const { gain, cost, why } of moves) {
    expect(gain).toBeGreaterThan(cost)
    expect(why).toContain('part of an exchange')
  }
})

test('a prefix of a plan leaves the pool no busier than it was, where nothing is repaired', () => {
  holds(small, 150, (document) => {
    const pool = poolOf(document)
    const plan = optimise(pool)
    if (plan.moves.some(({ reason }) => ['Rule', 'Evacuate', 'Memory', 'Consolidate'].includes(reason))) return
    for (let length = 1; length < plan.moves.length; length++) {
      const { vms } = resultOf(pool, { ...plan, moves: plan.moves.slice(0, length), power: [] })
      // the figures at the start of a pool that may not move
      const { before } = optimise({ ...pool, vms: vms.map((vm) => ({ ...vm, immovable: 'OPERATION_BLOCKED' })) })
      expect(before.congestion).toBeLessThanOrEqual(plan.before.congestion + 0.001)
    }
  })
})

test('what is not known draws no VM', () => {
  holds(small, 100, (document) => {
    const pool = poolOf(document)
    const { moves } = optimise(pool)
    const unknown = new Set(
      pool.vms
        .filter(({ uuid }) => !moves.some(({ vm }) => vm === uuid)) // one that leaves makes its host known
        .filter(({ state, demand }) => state === 'running' && !demand.cpu?.slice(-3).some((sample) => sample !== null))
        .map(({ host }) => host),
    )
    const drawn = moves.filter(({ to, reason }) => unknown.has(to) && !['Rule', 'Evacuate', 'Memory'].includes(reason))
    expect(drawn).toEqual([])
  })
})

test('one more empty host never makes the outcome worse, where nothing but load counts', () => {
  const plain = small.map((given) => ({
    ...given,
    mode: 'performance',
    pool: { uuid: 'pool', coordinator: 'h1' },
    hosts: given.hosts.map((host) => ({ ...host, enabled: true, memoryBytes: 256 * 2 ** 30 })),
    vms: given.vms.map((vm) => ({ ...vm, group: null })),
    rules: [],
  }))
  const costOf = (given: Document) => {
    const { after, moves } = optimise(poolOf(given))
    return 240 * after.congestion + moves.reduce((sum, { cost }) => sum + cost, 0)
  }
  holds(plain, 150, (given) => {
    const more = { ...given, hosts: [...given.hosts, { uuid: 'more', cpus: 16, memoryBytes: 64 * 2 ** 30 }] }
    expect(costOf(more)).toBeLessThanOrEqual(costOf(given) + 1) // figures are rounded
  })
})
