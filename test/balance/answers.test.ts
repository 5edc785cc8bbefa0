/** Place, evacuate, capacity and what-if: facts, and laws that hold for any pool. */
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { capacity, compare, evacuate, type Pool, place } from '../../src/balance/index.js'
import { placedByXapi } from './placed-by-xapi.js'
import { anyDocument, document, poolOf } from './pools.js'

const GIB = 2 ** 30
const items = (given: readonly object[]) => given.map((one) => ({ ...one }))

describe('place', () => {
  /** The VM v1 is asked about; the answer is each host with its whole stars or its reason, the best first. */
  const cases: [what: string, hosts: object[], vms: object[], more: object, answer: string][] = [
    [
      'the less loaded host',
      [{}, {}, {}],
      [
        { host: null, state: 'halted' },
        { host: 'h2', demand: { cpu: [6] } },
        { host: 'h3', demand: { cpu: [2] } },
      ],
      {},
      'h1 5, h3 5, h2 1',
    ],
    ['where it is, all else being equal', [{}, {}, {}], [{ host: 'h3' }], {}, 'h3 5, h2 4, h1 4'],
    [
      'no memory',
      [{}, { memoryBytes: GIB }],
      [{ host: null, state: 'halted' }],
      {},
      'h1 5, h2 HOST_NOT_ENOUGH_FREE_MEMORY',
    ],
    [
      'disabled, and dead',
      [{}, { enabled: false }, { live: false }],
      [{ host: null, state: 'halted' }],
      {},
      'h1 5, h2 HOST_DISABLED',
    ],
    ['excluded', [{}, { excluded: ['placement'] }], [{ host: null, state: 'halted' }], {}, 'h1 5, h2 HOST_EXCLUDED'],
    ['excluded, although it is there', [{ excluded: ['placement'] }, {}], [{}], {}, 'h2 5, h1 HOST_EXCLUDED'],
    [
      'a storage repository that is missing where it is',
      [{ storageRepositories: [] }, {}],
      [{ storageRepositories: ['sr'] }],
      {},
      'h2 5, h1 VM_REQUIRES_SR',
    ],
    ['where it is, with all memory in use', [{ memoryBytes: GIB }, {}], [{}], {}, 'h2 5, h1 0'],
    ['disabled, and there: it stays', [{ enabled: false }, {}], [{}], {}, 'h1 5, h2 5'],
    [
      'where it is, which breaks a rule',
      [{}, {}],
      [{}, {}],
      { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] },
      'h2 5, h1 RULE_WOULD_BREAK',
    ],
    [
      'apart from one of its group: the group is a wish, the rule is none',
      [{}, {}],
      [{ group: 'web', host: null, state: 'halted' }, { group: 'web' }],
      { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] },
      'h2 5, h1 RULE_WOULD_BREAK',
    ],
    ['immovable', [{}, {}], [{ immovable: 'VM_HAS_VGPU' }], {}, 'h1 5, h2 VM_HAS_VGPU'],
    ['moved lately: who asks knows', [{}, {}], [{ lastMovedAt: '2026-03-01T11:59:00Z' }], {}, 'h1 5, h2 5'],
    [
      'apart from another',
      [{}, {}],
      [{ host: null, state: 'halted' }, {}],
      { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] },
      'h2 5, h1 RULE_WOULD_BREAK',
    ],
    [
      'pinned',
      [{}, {}],
      [{ host: null, state: 'halted' }],
      { rules: [{ kind: 'pin', vms: ['v1'], hosts: ['h1'] }] },
      'h1 5, h2 RULE_WOULD_BREAK',
    ],
    [
      'a group is spread',
      [{}, {}, {}],
      [
        { host: null, state: 'halted', group: 'web' },
        { host: 'h2', group: 'web' },
      ],
      {},
      'h3 5, h1 5, h2 3',
    ],
  ]
  it.each(cases)('%s', (_, hosts, vms, more, answer) => {
    const ratings = place(poolOf(document(items(hosts), items(vms), { ...more })), 'v1') ?? []
    const words = ratings.map(
      ({ host, stars, zeroReason }) => `${host} ${zeroReason === 'None' ? Math.round(stars) : zeroReason}`,
    )
    expect(words.join(', ')).toBe(answer)
  })

  test('of a VM that is not there: nothing', () => {
    expect(place(poolOf(document([{}], [])), 'v1')).toBeUndefined()
  })

  test('every live host once, stars from 0 to 5 and all different, a reason for each 0', () => {
    fc.assert(
      fc.property(anyDocument({ hosts: 8, vms: 10 }), (given) => {
        const pool = poolOf(given)
        for (const { uuid } of pool.vms) {
          const ratings = place(pool, uuid) ?? []
          expect(ratings.map(({ host }) => host).sort()).toEqual(liveHosts(pool))
          const positive = ratings.filter(({ stars }) => stars > 0)
          expect(new Set(positive.map(({ stars }) => stars)).size).toBe(positive.length)
          for (const { stars, zeroReason, why } of ratings) {
            expect(stars).toBeLessThanOrEqual(5)
            expect(stars > 0).toBe(zeroReason === 'None')
            expect(why).not.toBe('')
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})

function liveHosts({ hosts }: Pool): string[] {
  return hosts
    .filter(({ live }) => live)
    .map(({ uuid }) => uuid)
    .sort()
}

describe('evacuate', () => {
  /** The host h1 is emptied. */
  const cases: [what: string, hosts: object[], vms: object[], more: object, answer: string][] = [
    ['nothing there', [{}, {}], [], {}, 'complete'],
    ['to the lighter host', [{}, {}, {}], [{}, { host: 'h2', demand: { cpu: [7] } }], {}, 'complete: v1 h3'],
    ['one that cannot move', [{}, {}], [{}, { immovable: 'VM_HAS_VGPU' }], {}, 'v1 h2; v2 stays VM_HAS_VGPU'],
    ['a paused one', [{}, {}], [{ state: 'paused' }], {}, '; v1 stays VM_BAD_POWER_STATE'],
    ['moved lately: who asks knows', [{}, {}], [{ lastMovedAt: '2026-03-01T11:59:00Z' }], {}, 'complete: v1 h2'],
    ['no other host', [{}], [{}], {}, '; v1 stays HOST_NOT_ENOUGH_FREE_MEMORY'],
    ['a target that is excluded', [{}, { excluded: ['evacuation'] }], [{}], {}, '; v1 stays HOST_EXCLUDED'],
    ['a dead host', [{ live: false }, {}], [{}], {}, '; v1 stays HOST_NOT_LIVE'],
    [
      'too large',
      [{}, { memoryBytes: 3 * GIB }],
      [{ memoryFloorBytes: 4 * GIB }, {}],
      {},
      'v2 h2; v1 stays HOST_NOT_ENOUGH_FREE_MEMORY',
    ],
    [
      'one host is enough, where xapi wants every one',
      [{}, { storageRepositories: ['sr'] }, { storageRepositories: [] }],
      [{ storageRepositories: ['sr'] }],
      {},
      'complete: v1 h2',
    ],
    [
      'the flexible one makes room',
      [{}, { memoryBytes: 10 * GIB, storageRepositories: ['sr'] }, { memoryBytes: 6 * GIB, storageRepositories: [] }],
      [{ memoryFloorBytes: 6 * GIB }, { memoryFloorBytes: 8 * GIB, storageRepositories: ['sr'] }],
      {},
      'complete: v1 h3, v2 h2',
    ],
    [
      'together',
      [{}, {}, {}],
      [{ demand: { cpu: [5] } }, { demand: { cpu: [5] } }],
      { rules: [{ kind: 'together', vms: ['v1', 'v2'] }] },
      'complete: v1 h2, v2 h2',
    ],
    ['apart', [{}, {}, {}], [{}, {}], { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] }, 'complete: v1 h2, v2 h3'],
  ]
  it.each(cases)('%s', (_, hosts, vms, more, answer) => {
    const evacuation = evacuate(poolOf(document(items(hosts), items(vms), { ...more })), 'h1')
    const moves = (evacuation?.moves ?? []).map(({ vm, to }) => `${vm} ${to}`).join(', ')
    const stays = (evacuation?.stays ?? []).map(({ vm, code }) => `; ${vm} stays ${code}`).join('')
    expect(`${evacuation?.complete ? `complete${moves ? ': ' : ''}` : ''}${moves}${stays}`).toBe(answer)
  })

  function anyOrderIsPossible(pool: Pool): void {
    for (const { uuid: emptied } of pool.hosts) {
      const { moves, stays, complete } = evacuate(pool, emptied) ?? { moves: [], stays: [], complete: false }
      const residents = pool.vms.filter(
        (vm) => vm.host === emptied && (vm.state === 'running' || vm.state === 'paused'),
      )
      expect([...moves.map(({ vm }) => vm), ...stays.map(({ vm }) => vm)].sort()).toEqual(
        residents.map(({ uuid }) => uuid).sort(),
      )
      expect(complete).toBe(stays.length === 0)
      for (const target of pool.hosts) {
        const arriving = moves.filter(({ to }) => to === target.uuid).map(({ vm }) => vm)
        const there = pool.vms.filter(
          ({ uuid, host, state }) =>
            (host === target.uuid && (state === 'running' || state === 'paused')) || arriving.includes(uuid),
        )
        const needed = there.reduce((sum, vm) => sum + vm.memoryFloorBytes, 0)
        if (arriving.length > 0) {
          expect(needed).toBeLessThanOrEqual(target.memoryBytes)
          expect([
            target.live,
            target.enabled,
            target.uuid === emptied,
            target.excluded.includes('evacuation'),
          ]).toEqual([true, true, false, false])
        }
      }
      for (const uuid of placedByXapi(pool, emptied)) expect(moves.map(({ vm }) => vm)).toContain(uuid)
    }
  }
  // rules, exclusions and failover are ours to keep: without them we place whatever xapi places
  const plain = anyDocument({ hosts: 6, vms: 14 }).map((given) => ({
    ...given,
    pool: { uuid: 'pool', coordinator: 'h1' },
    rules: [],
    hosts: given.hosts.map((host) => ({ ...host, excluded: [] })),
  }))
  test('100 pools: possible in any order, and no VM stays that xapi would place', () => {
    fc.assert(
      fc.property(plain, (given) => anyOrderIsPossible(poolOf(given))),
      { numRuns: 100 },
    )
  })
  test('1,000 pools: the same', { tags: 'long', timeout: 300_000 }, () => {
    fc.assert(
      fc.property(plain, (given) => anyOrderIsPossible(poolOf(given))),
      { numRuns: 1000 },
    )
  })
})

describe('capacity', () => {
  const cases: [what: string, hosts: object[], vms: object[], more: number, limitedBy: string, failures: number][] = [
    ['memory', [{ memoryBytes: 10 * GIB }, { memoryBytes: 7 * GIB }], [{ demand: { cpu: [0.1] } }], 3 + 3, 'memory', 1],
    ['CPU', [{}, {}], [{ demand: { cpu: [2] } }], 2 + 3, 'cpu', 1],
    ['a disabled host', [{}, { enabled: false }], [{ demand: { cpu: [2] } }], 2, 'HOST_DISABLED', 0],
    ['two of three may fail', [{}, {}, {}], [{}, {}], 6 + 7 + 5, 'cpu', 2],
  ]
  it.each(cases.slice(0, 3))('%s', (_, hosts, vms, more, limitedBy, failures) => {
    const found = capacity(poolOf(document(items(hosts), items(vms))), 'v1')
    expect([found?.more?.total, found?.failures.hosts]).toEqual([more, failures])
    expect(found?.more?.hosts.map((one) => one.limitedBy)).toContain(limitedBy)
  })

  test('growth: a line through the days, whatever the hour', () => {
    const day = (level: number) => Array.from({ length: 24 }, (_, hour) => level + (hour < 8 ? -0.5 : 0.25))
    const pool = poolOf(
      document([{}, {}], [{ demand: { cpu: [...day(1), ...day(2), ...day(3)] } }], {
        demand: { stepSeconds: 3600 },
        settings: { coordinatorReserve: 0 },
      }),
    )
    const [cpu] = capacity(pool)?.trends ?? []
    // 3 of 16 CPUs, one more a day, 90 % are 14.4
    expect([cpu?.share, cpu?.sharePerDay, cpu?.fullAt]).toEqual([3 / 16, 1 / 16, '2026-03-12T21:36:00.000Z'])
  })

  test('no growth is claimed from less than two days', () => {
    expect(capacity(poolOf(document([{}], [{}])))?.trends).toMatchObject([{ sharePerDay: null, fullAt: null }])
  })
})

describe('what-if', () => {
  const pool = poolOf(
    document([{}, {}], [{ demand: { cpu: [4] } }, { demand: { cpu: [4] } }, { host: 'h2', demand: { cpu: [5] } }]),
  )
  test('a host more, a host less, a rule more', () => {
    const ask = (...changes: Parameters<typeof compare>[1]) => {
      const answer = compare(pool, changes)
      if ('problems' in answer) return answer.problems[0]
      return answer.comparison.then.plan.moves.map(({ vm, to, reason }) => `${vm} ${to} ${reason}`)
    }
    expect(ask({ kind: 'add-host', like: 'h2' })).toEqual(['v1 h2-2 Cpu'])
    expect(ask({ kind: 'remove-host', host: 'h2' })).toEqual([])
    expect(ask({ kind: 'add-rule', rule: { kind: 'pin', strength: 'must', vms: ['v2'], hosts: ['h2'] } })).toContain(
      'v2 h2 Rule',
    )
    expect(ask({ kind: 'remove-host', host: 'h9' })).toEqual({
      path: 'remove-host',
      problem: 'h9 is no host of this document',
    })
    expect(
      ask({ kind: 'add-rule', rule: { kind: 'pin', strength: 'must', vms: ['v9'], hosts: ['h2'] } }),
    ).toMatchObject({ path: 'rules[0].vms[0]' })
  })
})
