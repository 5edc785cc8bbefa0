/** Density: which hosts are emptied, switched off and woken, and what forbids it, each as a line of facts. */
import { describe, expect, it, test } from 'vitest'
import { optimise } from '../../src/balance/index.js'
import { faultsOf, resultOf } from './own-arithmetic.js'
import { document, poolOf } from './pools.js'

const GIB = 2 ** 30
const OURS = { managed: true, tested: true }
const ASLEEP = { live: false, enabled: false, power: { ...OURS, poweredOffByUs: true } }

type Item = Readonly<Record<string, unknown>>

/** Three hosts of 8 CPUs and 32 GiB; a VM on each of the second and third. */
function pool(hosts: readonly Item[], vms: readonly Item[], more: Item = {}, poolMore: Item = {}) {
  const given = document(hosts, vms, { mode: 'density', ...more })
  return poolOf({ ...given, pool: { ...given.pool, ...poolMore } })
}

/** "v1 h2>h1 Consolidate, off h2": the plan in the order in which it is carried out. */
function wordsOf(given: ReturnType<typeof pool>): string {
  const plan = optimise(given)
  expect(faultsOf(given, plan)).toEqual([])
  const { moves, power } = optimise(resultOf(given, plan))
  expect({ moves, power }).toEqual({ moves: [], power: [] })
  const words: string[] = []
  for (let step = 0; step <= plan.moves.length; step++) {
    for (const { host, action, after } of plan.power) if (after === step) words.push(`${action} ${host}`)
    const move = plan.moves[step]
    if (move) words.push(`${move.vm} ${move.from}>${move.to} ${move.reason}`)
  }
  return words.join(', ') || `nothing: ${plan.because}`
}

const three = [{}, { power: OURS }, { power: OURS }]
const onTwoAndThree = [{ host: 'h2' }, { host: 'h3' }]

const facts: [what: string, words: string, given: Parameters<typeof pool>][] = [
  [
    'both are emptied onto the coordinator',
    'v1 h2>h1 Consolidate, off h2, v2 h3>h1 Consolidate, off h3',
    [three, onTwoAndThree],
  ],
  ['an empty host is switched off at once', 'off h2', [[{}, { power: OURS }], []]],
  [
    'never the coordinator',
    'nothing: no host may be switched off: besides the coordinator none is managed and tested',
    [[{ power: OURS }], []],
  ],
  [
    'only hosts that are managed',
    'nothing: no host may be switched off: besides the coordinator none is managed and tested',
    [[{}, { power: { tested: true } }], []],
  ],
  [
    'only hosts that were tested',
    'nothing: no host may be switched off: besides the coordinator none is managed and tested',
    [[{}, { power: { managed: true } }], []],
  ],
  [
    'not one that is disabled: somebody works on it',
    'nothing: h2 stays on: it is disabled: whoever did that decides about it',
    [[{}, { power: OURS, enabled: false }], []],
  ],
  [
    'not one that is excluded from optimisation',
    'nothing: h2 stays on: it is excluded from optimisation',
    [[{}, { power: OURS, excluded: ['optimisation'] }], []],
  ],
  [
    'not one that was switched on half an hour ago',
    'nothing: h2 stays on: it was switched on 30 minutes ago, and stays on for 60',
    [[{}, { power: { ...OURS, changedAt: '2026-03-01T11:30:00Z' } }], []],
  ],
  [
    'one that was switched on two hours ago',
    'off h2',
    [[{}, { power: { ...OURS, changedAt: '2026-03-01T10:00:00Z' } }], []],
  ],
  [
    'not one with a VM that moved lately',
    'nothing: h2 stays on: v1 stays: it moved 5 minutes ago; a VM rests for 30 minutes',
    [[{}, { power: OURS }], [{ host: 'h2', lastMovedAt: '2026-03-01T11:55:00Z' }]],
  ],
  [
    'not one with a VM that cannot move',
    'nothing: h2 stays on: v1 stays: its migration is refused with VM_HAS_VGPU',
    [[{}, { power: OURS }], [{ host: 'h2', immovable: 'VM_HAS_VGPU' }]],
  ],
  [
    'not one with a VM that is paused',
    'nothing: h2 stays on: v1 stays: the VM is paused, not running',
    [[{}, { power: OURS }], [{ host: 'h2', state: 'paused' }]],
  ],
  [
    'not one whose load is not known',
    'nothing: h2 stays on: the load of v1 is not known',
    [[{}, { power: OURS }], [{ host: 'h2', demand: { cpu: [null, null, null] } }]],
  ],
  [
    'not when its VM would fill another host beyond 90 %',
    'nothing: h2 stays on: v1 finds no other host: no other host has room for it and its peaks',
    [
      [{}, { power: OURS }],
      [
        { host: 'h2', vcpus: 4, demand: { cpu: [4] } },
        { host: 'h1', vcpus: 4, demand: { cpu: [3] } },
      ],
    ],
  ],
  [
    'not when peaks would meet, though the means have room',
    'nothing: h2 stays on: v1 finds no other host: no other host has room for it and its peaks',
    [
      [{}, { power: OURS }],
      [
        { host: 'h2', vcpus: 4, demand: { cpu: [0, 4, 0, 4] } },
        { host: 'h1', vcpus: 4, demand: { cpu: [0, 4, 0, 4] } },
      ],
    ],
  ],
  [
    'when peaks do not meet',
    'v1 h2>h1 Consolidate, off h2',
    [
      [{}, { power: OURS }],
      [
        { host: 'h2', vcpus: 4, demand: { cpu: [0, 4, 0, 4] } },
        { host: 'h1', vcpus: 4, demand: { cpu: [4, 0, 4, 0] } },
      ],
    ],
  ],
  [
    'not when the moves cost more than the host is worth',
    'nothing: h2 stays on: its VMs cost 14.75 congested host-minutes to move, and a host less is worth 10',
    [[{}, { power: OURS }], [{ host: 'h2', memoryFloorBytes: 12 * GIB }], { settings: { horizonMinutes: 10 } }],
  ],
  [
    'a must rule keeps VMs apart: two hosts stay on',
    'v1 h2>h1 Consolidate, off h2',
    [three, onTwoAndThree, { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] }],
  ],
  [
    'a host that receives in no evacuation receives none of them',
    'v1 h2>h3 Consolidate, off h2',
    [[{ excluded: ['evacuation'] }, { power: OURS }, { power: OURS }], onTwoAndThree],
  ],
  ['one host is kept for a failure', 'v1 h2>h3 Consolidate, off h2', [three, onTwoAndThree, {}, { reserveHosts: 1 }]],
  [
    'two hosts are kept for two failures',
    'nothing: h2 stays on: the VMs that run would not find room after 2 host failures of 3',
    [three, onTwoAndThree, {}, { reserveHosts: 2 }],
  ],
  [
    'high availability keeps a host',
    'v1 h2>h3 Consolidate, off h2',
    [three, onTwoAndThree.map((vm) => ({ ...vm, haProtected: true })), {}, { ha: { enabled: true, planExistsFor: 1 } }],
  ],
  [
    'with clustered storage one host is down at most',
    'v1 h2>h3 Consolidate, off h2',
    [three, onTwoAndThree, {}, { clusteredStorage: true }],
  ],
  [
    'with clustered storage none when one is down already',
    'nothing: h2 stays on: with clustered storage one host at most may be down',
    [[{}, { power: OURS }, { live: false }], [], {}, { clusteredStorage: true }],
  ],
  [
    'an overloaded host is relieved in density too',
    'v1 h2>h1 Cpu',
    [
      [{}, {}],
      [
        { host: 'h2', vcpus: 4, demand: { cpu: [4] } },
        { host: 'h2', vcpus: 4, demand: { cpu: [5] } },
      ],
    ],
  ],
  [
    'a host is woken when an overloaded one cannot be relieved otherwise',
    'on h3, v2 h2>h3 Cpu',
    [
      [{}, {}, ASLEEP],
      [
        { host: 'h1', vcpus: 8, demand: { cpu: [7] } },
        { host: 'h2', vcpus: 4, demand: { cpu: [4] } },
        { host: 'h2', vcpus: 4, demand: { cpu: [5] } },
      ],
    ],
  ],
  [
    'a host is woken when too few are left for a failure',
    'on h2',
    [[{}, ASLEEP, ASLEEP], [{ memoryFloorBytes: 8 * GIB }], {}, { reserveHosts: 1 }],
  ],
  [
    'two are woken where one would not do',
    'on h2, on h3',
    [[{}, ASLEEP, ASLEEP], [{ memoryFloorBytes: 8 * GIB }], {}, { reserveHosts: 2 }],
  ],
  [
    'a host that somebody else switched off stays off',
    'nothing: no host may be switched off: besides the coordinator none is managed and tested',
    [[{}, { ...ASLEEP, power: OURS }], [{}], {}, { reserveHosts: 1 }],
  ],
  [
    'one that is asleep stays so while nothing is wrong',
    'nothing: no host may be switched off: besides the coordinator none is managed and tested',
    [[{}, ASLEEP], [{}]],
  ],
  [
    'a disabled host is emptied, with a host that is woken for it',
    'on h3, v1 h2>h3 Evacuate',
    [
      [{}, { enabled: false }, ASLEEP],
      [{ host: 'h2', memoryFloorBytes: 30 * GIB }, { memoryFloorBytes: 20 * GIB }],
    ],
  ],
  ['performance switches nothing', 'nothing: no host is congested', [three, onTwoAndThree, { mode: 'performance' }]],
]
it.each(facts)('%s: %s', (_, words, given) => expect(wordsOf(pool(...given))).toBe(words))

describe('what the plan says', () => {
  test('of consolidation: hosts on, what it is worth, and why', () => {
    const plan = optimise(pool(three, onTwoAndThree))
    expect(plan).toMatchObject({ verdict: 'plan', before: { hostsOn: 3 }, after: { hostsOn: 1 }, severity: 'Low' })
    expect(plan.because).toMatch(/^2 moves, 2 hosts switched off, /)
    expect(plan.moves[0]?.why).toMatch(
      /^h2 is emptied and switched off, which is worth 240 for 1 move; h2: CPU 13 -> 0 %/,
    )
  })
  test('of relief: what the host needs', () => {
    const overloaded = [4, 5].map((cores) => ({ host: 'h2', vcpus: 4, demand: { cpu: [cores] } }))
    expect(optimise(pool([{}, {}], overloaded)).moves[0]?.why).toMatch(/^h2 needs 113 % of its CPU with its peaks; /)
  })
})
