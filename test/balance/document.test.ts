/** Documents that are wrong, odd or huge: refused with the place of what is wrong, or read as said in docs/pool-document.md. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { renderPoolDocument } from '../../scripts/pool-document-page.js'
import { compile } from '../../src/balance/compiled/compile.js'
import { LIMITS, optimise, readPool } from '../../src/balance/index.js'
import { faultsOf, resultOf } from './own-arithmetic.js'
import { document, poolOf } from './pools.js'

const GIB = 2 ** 30
const host = { uuid: 'h1', cpus: 8, memoryBytes: 32 * GIB }
const vm = { uuid: 'v1', host: 'h1', vcpus: 2, memoryFloorBytes: GIB }
const good = {
  format: 'openwlb-pool/1',
  at: '2026-03-01T12:00:00Z',
  pool: { uuid: 'p', coordinator: 'h1' },
  hosts: [host],
}

const refused: [what: string, given: unknown, path: string, problem: RegExp][] = [
  ['not a document', 7, '', /expected object/],
  ['another format', { ...good, format: 'openwlb-pool/2' }, 'format', /openwlb-pool\/1/],
  ['no time', { ...good, at: undefined }, 'at', /received undefined/],
  ['a time without a zone', { ...good, at: '2026-03-01T12:00:00' }, 'at', /Invalid ISO/],
  ['no hosts', { ...good, hosts: undefined }, 'hosts', /received undefined/],
  ['no coordinator', { ...good, pool: { uuid: 'p' } }, 'pool.coordinator', /received undefined/],
  ['an unknown coordinator', { ...good, pool: { uuid: 'p', coordinator: 'h9' } }, 'pool.coordinator', /names no host/],
  ['a host without CPUs', { ...good, hosts: [{ ...host, cpus: 0 }] }, 'hosts[0].cpus', />=1/],
  ['negative memory', { ...good, hosts: [{ ...host, memoryBytes: -1 }] }, 'hosts[0].memoryBytes', />=0/],
  ['the same host twice', { ...good, hosts: [host, host] }, 'hosts[1].uuid', /the same as hosts\[0\]/],
  ['the same VM twice', { ...good, vms: [vm, vm] }, 'vms[1].uuid', /the same as vms\[0\]/],
  ['a VM on an unknown host', { ...good, vms: [{ ...vm, host: 'h9' }] }, 'vms[0].host', /names no host/],
  ['a running VM on no host', { ...good, vms: [{ ...vm, host: null }] }, 'vms[0].host', /running has a host/],
  ['an unknown state', { ...good, vms: [{ ...vm, state: 'crashed' }] }, 'vms[0].state', /expected one of/],
  [
    'a sample that is text',
    { ...good, vms: [{ ...vm, demand: { cpu: [1, '2'] } }] },
    'vms[0].demand.cpu[1]',
    /number or null/,
  ],
  ['a series that is a number', { ...good, vms: [{ ...vm, demand: { cpu: 1 } }] }, 'vms[0].demand.cpu', /array/],
  [
    'a series that is too long',
    { ...good, vms: [{ ...vm, demand: { diskRead: Array.from({ length: LIMITS.samples + 1 }, () => 0) } }] },
    'vms[0].demand.diskRead',
    /at most 20160 samples/,
  ],
  [
    'a rule about an unknown VM',
    { ...good, rules: [{ kind: 'apart', vms: ['v9'] }] },
    'rules[0].vms[0]',
    /names no VM/,
  ],
  [
    'a pin without a host',
    { ...good, vms: [vm], rules: [{ kind: 'pin', vms: ['v1'] }] },
    'rules[0].hosts',
    /names hosts/,
  ],
  [
    'an unknown rule',
    { ...good, vms: [vm], rules: [{ kind: 'near', vms: ['v1'] }] },
    'rules[0].kind',
    /expected one of/,
  ],
  ['more hosts than are read', { ...good, hosts: Array.from({ length: 1025 }, () => 0) }, 'hosts', /at most 1024/],
  ['more VMs than are read', { ...good, vms: Array.from({ length: 20_001 }, () => 0) }, 'vms', /at most 20000/],
]

it.each(refused)('%s is refused, and its place is named', (_, given, path, problem) => {
  const reading = readPool(JSON.stringify(given))
  expect(reading.state === 'refused' && reading.problems[0]).toEqual({ path, problem: expect.stringMatching(problem) })
})

test('text that is no JSON, and text that is too long', () => {
  for (const [text, problem] of [
    ['{"format":', /not JSON/],
    ['[NaN]', /not JSON/],
    [' '.repeat(LIMITS.documentBytes + 1), /larger than/],
  ] as const) {
    const reading = readPool(text)
    expect(reading.state === 'refused' && reading.problems[0].problem).toMatch(problem)
  }
})

test('every problem of a document is listed, twenty at most', () => {
  const reading = readPool(JSON.stringify({ ...good, vms: Array.from({ length: 30 }, () => ({ ...vm, vcpus: 0 })) }))
  expect(reading.state === 'refused' && reading.problems.length).toBe(20)
})

test('unknown keys are kept and ignored, and null stands for a key that is missing', () => {
  const pool = poolOf({ ...good, ours: 1, vms: [{ ...vm, colour: 'red', immovable: null, lastMovedAt: null }] })
  expect(pool).toMatchObject({ ours: 1, vms: [{ colour: 'red' }] })
  expect(pool.vms[0]?.immovable).toBeUndefined()
})

/** Every key of the page that may be missing, with the object it belongs to; of a VM that runs, `host` may not. */
const optional = [...renderPoolDocument().matchAll(/^## `?(.*?)`?\n\n((?:\|.*\n)+)/gm)]
  .flatMap(([, place = '', table = '']) =>
    [...table.matchAll(/^\| `(\w+)` \| .*? \| (.*?) \|/gm)].map(([, key = '', otherwise]) => ({
      place,
      key,
      otherwise,
    })),
  )
  .filter(({ place, key, otherwise }) => otherwise !== 'required' && `${place}.${key}` !== 'vms.host')

test('null is the same as a key that is missing, whatever the key', () => {
  const documentWith = (extra: object, where: string) => {
    const more = (place: string) => (place === where ? extra : {})
    const series = { cpu: [1], ...more('hosts.base') }
    const power = { changedAt: good.at, ...more('hosts.power') }
    const parts = { network: { ...more('hosts.network') }, storage: { ...more('hosts.storage') }, base: series, power }
    return {
      ...good,
      pool: { ...good.pool, ha: { ...more('pool.ha') }, ...more('pool') },
      demand: { ...more('demand') },
      settings: { ...more('settings') },
      hosts: [{ ...host, ...parts, ...more('hosts') }],
      vms: [{ ...vm, demand: { ...more('vms.demand') }, ...more('vms') }],
      rules: where === 'rules' ? [{ kind: 'apart', vms: ['v1'], ...extra }] : [],
      ...more('The document'),
    }
  }
  expect(optional.length).toBeGreaterThan(60)
  for (const { place, key } of optional) {
    const [given, expected] = [null, undefined].map((value) =>
      readPool(JSON.stringify(documentWith({ [key]: value }, place))),
    )
    expect({ place, key, ...given }).toEqual({ place, key, ...expected })
    expect(given?.state).toBe('read')
  }
})

const ALL = ['placement', 'evacuation', 'optimisation', 'accepting']

/** Odd, and read: what becomes of it. The VM v1 is on h1 with h2 beside it; the plan is the verdict and the moves. */
const read: [what: string, hosts: object[], vms: object[], more: object, plan: string][] = [
  ['no VM', [{}, {}], [], {}, 'nothing-to-do'],
  ['one host', [{}], [{ demand: { cpu: [9] } }], {}, 'nothing-to-do'],
  ['a VM on a dead host', [{}, { live: false }], [{ host: 'h2' }], {}, 'nothing-to-do; h2 HOST_NOT_LIVE'],
  [
    'all hosts excluded',
    [{}, { excluded: ['accepting'] }],
    [{ demand: { cpu: [4] } }, { demand: { cpu: [4] } }],
    {},
    'nothing-to-do',
  ],
  [
    'every host excluded from everything',
    [{ excluded: ALL }, { excluded: ALL }, { excluded: ALL, enabled: false }],
    [{ demand: { cpu: [4] } }, { demand: { cpu: [4] } }, { host: 'h3' }],
    {},
    'cannot; v3 NO_TARGET',
  ],
  [
    'the only host is disabled, whatever else holds its VMs',
    [{ enabled: false }],
    [{}, { immovable: 'VM_HAS_VGPU' }, {}],
    {},
    'cannot; v1 NO_TARGET; v2 VM_HAS_VGPU; v3 NO_TARGET',
  ],
  [
    'a rule that is broken by one VM does not blame another',
    [{}, { cpus: 1 }],
    [{}, { host: 'h2', immovable: 'VM_HAS_VGPU' }],
    { rules: [{ kind: 'pin', vms: ['v1', 'v2'], hosts: ['h2'] }] },
    'cannot; v1 HOST_NOT_ENOUGH_PCPUS',
  ],
  [
    'a floor above what is wanted',
    [{}, {}],
    [{ memoryFloorBytes: 3 * GIB, memoryWantBytes: GIB }],
    {},
    'nothing-to-do',
  ],
  [
    'a VM larger than any host',
    [{}, { enabled: false }],
    [{ host: 'h2', memoryFloorBytes: 64 * GIB }],
    {},
    'cannot; v1 HOST_NOT_ENOUGH_FREE_MEMORY',
  ],
  [
    'a host with less memory than its VMs hold',
    [{ memoryBytes: 3 * GIB }, {}],
    [{}, {}],
    {},
    'plan; v1 to h2 (Memory)',
  ],
  ['no load is known', [{}, {}], [{ demand: {} }, { demand: { cpu: [null, null] } }], {}, 'nothing-to-do'],
  ['all samples impossible', [{}, {}], [{ demand: { cpu: [-1, 1e300] } }, {}], {}, 'nothing-to-do'],
  [
    'the clock went back',
    [{}, { enabled: false }],
    [{ host: 'h2', lastMovedAt: '2027-01-01T00:00:00Z' }],
    {},
    'cannot; v1 RECENTLY_MOVED',
  ],
  [
    'moved an hour ago',
    [{}, { enabled: false }],
    [{ host: 'h2', lastMovedAt: '2026-03-01T11:00:00Z' }],
    {},
    'plan; v1 to h1 (Evacuate)',
  ],
  [
    'rules that contradict each other',
    [{}, {}],
    [{}, {}],
    {
      rules: [
        { kind: 'apart', vms: ['v1', 'v2'] },
        { kind: 'together', vms: ['v1', 'v2'] },
      ],
    },
    'cannot; v1 RULE_WOULD_BREAK; v2 RULE_WOULD_BREAK',
  ],
  [
    'a rule that one host cannot keep',
    [{}],
    [{}, {}],
    { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] },
    'cannot; v1 NO_TARGET',
  ],
  [
    'a wish, kept by a move that load is no reason for',
    [{}, {}],
    [{}, {}],
    { rules: [{ kind: 'apart', strength: 'should', vms: ['v1', 'v2'] }] },
    'plan; v1 to h2 (Rule)',
  ],
  [
    'a group that is not all on one host, spread further',
    [{}, {}, {}],
    [{ group: 'web' }, { group: 'web' }, { group: 'web', host: 'h2' }],
    {},
    'plan; v1 to h3 (Rule)',
  ],
  [
    'a wish that counts less than the load that is saved',
    [{}, {}],
    [{ demand: { cpu: [8] } }, { demand: { cpu: [4] } }],
    { rules: [{ kind: 'apart', strength: 'should', vms: ['v1', 'v2'] }] },
    'plan; v1 to h2 (Cpu)',
  ],
  [
    'a failover plan that does not exist',
    [{}, { enabled: false }],
    [{ host: 'h2', haProtected: true, memoryFloorBytes: 20 * GIB }],
    { pool: { uuid: 'p', coordinator: 'h1', ha: { enabled: true, planExistsFor: 2 } } },
    'plan; v1 to h1 (Evacuate)',
  ],
]

it.each(read)('%s: read, and planned for', (_, hosts, vms, more, expected) => {
  const { verdict, moves, stuck } = optimise(
    poolOf(
      document(
        hosts.map((one) => ({ ...one })),
        vms.map((one) => ({ ...one })),
        { ...more },
      ),
    ),
  )
  const parts = [
    verdict,
    ...moves.map(({ vm: name, to, reason }) => `${name} to ${to} (${reason})`),
    ...stuck.map((one) => `${'vm' in one ? one.vm : one.host} ${one.code}`),
  ]
  expect(parts.join('; ')).toBe(expected)
})

it.each(read)('%s: planned for in density too, every step possible', (_, hosts, vms, more) => {
  const power = { managed: true, tested: true }
  const given = document(
    hosts.map((one) => ({ power, ...one })),
    vms.map((one) => ({ ...one })),
    { ...more, mode: 'density' },
  )
  const pool = poolOf(given)
  const plan = optimise(pool)
  expect(faultsOf(pool, plan)).toEqual([])
  expect(optimise(resultOf(pool, plan))).toMatchObject({ moves: [], power: [] })
})

test('docs/pool-document.md is what the schema says (npm run docs writes it), and its example is a pool', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/pool-document.md'), 'utf8')
  expect(page).toBe(renderPoolDocument())
  const [, example = ''] = /```json\n(.*?)```/s.exec(page) ?? []
  const reading = readPool(example)
  expect(reading.state === 'read' && optimise(reading.pool).moves.length).toBe(1)
})

test('a wish is no emergency, a rule that must be kept is one', () => {
  const severityWith = (strength: string) => {
    const rules = [{ kind: 'apart', strength, vms: ['v1', 'v2'] }]
    const { severity, moves } = optimise(poolOf(document([{}, {}], [{}, {}], { rules })))
    return [severity, moves[0]?.why]
  }
  expect(severityWith('should')).toEqual([
    'Low',
    expect.stringMatching(/^rules\[0\] \(should apart\) is kept better; /),
  ])
  expect(severityWith('must')).toEqual(['Critical', expect.stringMatching(/^rules\[0\] \(apart\) is broken; /)])
})

test('a pool of no host: nothing to do', () => {
  expect(optimise(poolOf({ ...good, hosts: [] }))).toMatchObject({
    verdict: 'nothing-to-do',
    because: 'the pool has no host',
  })
})

test('nothing worth doing says which move came closest, and what is in its way', () => {
  const because = (more: Record<string, unknown>) => {
    const vms = [
      { host: 'h2', vcpus: 4, demand: { cpu: [4] } },
      { host: 'h2', demand: { cpu: [3.4] } },
      { haProtected: true, memoryFloorBytes: 20 * GIB, host: 'h3' },
      { host: 'h1', memoryFloorBytes: 10 * GIB },
      { host: 'h2', memoryFloorBytes: 11 * GIB },
    ]
    return optimise(poolOf(document([{}, {}, {}], vms, more))).because
  }
  expect(because({ settings: { horizonMinutes: 1 } })).toMatch(
    /^the best move \(v1 to h[13]\) gains [0-9.]+ congested host-minutes and costs 5\.3; at least 6\.625 /,
  )
  expect(because({ rules: [{ kind: 'pin', vms: ['v1', 'v2', 'v5'], hosts: ['h2'] }] })).toBe(
    'no move is possible that would lower the load of a congested host',
  )
})

test('series of different length end at the same time, and what is unknown is the mean of the VM', () => {
  const vms = [
    { demand: { cpu: [9, 9, 0.5] } },
    { demand: { cpu: [0.5] } },
    { demand: { cpu: [1, null, 3] } },
    { demand: {} },
  ]
  const { demand, scenarioWeight, scenarioCount } = compile(poolOf(document([{}, {}], vms)))
  const cpuOf = (v: number) => [...demand.slice(v * 5 * scenarioCount, v * 5 * scenarioCount + scenarioCount)]
  const [last = 0, , first = 0] = scenarioWeight
  expect(cpuOf(0)).toEqual([0.5, 9, 9])
  expect(cpuOf(1)).toEqual([0.5, 0.5, 0.5])
  expect(cpuOf(2)).toEqual([3, (3 * last + first) / (last + first), 1])
  const others = [0, 1, 2].flatMap((v) => cpuOf(v).map((cores, s) => cores * (scenarioWeight[s] ?? 0)))
  expect(cpuOf(3)[0]).toBeCloseTo(others.reduce((sum, cores) => sum + cores, 0) / 3)
})

test('10,000 VMs are read and planned for', { tags: 'long', timeout: 120_000 }, () => {
  const hosts = Array.from({ length: 64 }, () => ({ cpus: 256, memoryBytes: 1024 * GIB }))
  const vms = Array.from({ length: 10_000 }, (_, at) => ({
    host: `h${(at % 64) + 1}`,
    demand: { cpu: [0.4, 0.6, 0.5] },
  }))
  expect(optimise(poolOf(document(hosts, vms))).verdict).toBe('nothing-to-do')
})
