/** Where a VM may run and whether it may move: xapi's order of checks and xapi's codes; and what each step of a plan must keep. */
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/balance/compiled/compile.js'
import { checkMoves } from '../../src/balance/rules/check-step.js'
import { mayMove } from '../../src/balance/rules/may-move.js'
import { mayRun } from '../../src/balance/rules/may-run.js'
import { document, poolOf } from './pools.js'

const GIB = 2 ** 30

describe('where a VM may run', () => {
  // every line adds a defect to those below it, so that the table is the order
  const defects: [code: string, host: object, vm: object][] = [
    ['HOST_NOT_LIVE', { live: false }, {}],
    ['HOST_DISABLED', { enabled: false }, {}],
    ['NOT_SUPPORTED_DURING_UPGRADE', { version: '8.2.1' }, {}],
    ['VM_INCOMPATIBLE_WITH_THIS_HOST', { cpuVendor: 'AuthenticAMD' }, { cpuFlags: { vendor: 'GenuineIntel' } }],
    ['VM_REQUIRES_SR', { storageRepositories: [] }, { storageRepositories: ['sr'] }],
    ['VM_REQUIRES_NETWORK', { networks: [] }, { networks: ['net'] }],
    ['VM_REQUIRES_IOMMU', { provides: [] }, { needs: ['iommu', 'gpu', 'usb', 'sriov'] }],
    ['VM_REQUIRES_GPU', { provides: ['iommu'] }, { needs: ['iommu', 'gpu', 'usb', 'sriov'] }],
    ['OPERATION_NOT_ALLOWED', { provides: ['iommu', 'gpu'] }, { needs: ['usb', 'sriov', 'hvm'] }],
    ['NETWORK_SRIOV_INSUFFICIENT_CAPACITY', { provides: ['usb'] }, { needs: ['usb', 'sriov', 'hvm'] }],
    ['VM_HVM_REQUIRED', { provides: [] }, { needs: ['hvm'] }],
    ['HOST_NOT_ENOUGH_FREE_MEMORY', { memoryBytes: GIB }, {}],
    ['HOST_NOT_ENOUGH_PCPUS', { cpus: 1 }, {}],
  ]

  it.each(defects.map(([code], at) => [code, at] as const))('%s comes before what follows it', (code, at) => {
    const [, host, vm] = defects[at] ?? ['', {}, {}]
    const rest = Object.assign(
      {},
      ...defects
        .slice(at + 1)
        .map((defect) => defect[1])
        .reverse(),
    )
    const restVm = Object.assign(
      {},
      ...defects
        .slice(at + 1)
        .map((defect) => defect[2])
        .reverse(),
    )
    const pool = poolOf(document([{ version: '8.3.0' }, { ...rest, ...host }], [{ ...restVm, ...vm }]))
    const [source, target] = pool.hosts
    const [asked] = pool.vms
    if (!source || !target || !asked) throw new Error('a pool of two hosts and a VM')
    expect(mayRun(asked, target, target.memoryBytes, source)?.code).toBe(code)
  })

  const passes: [what: string, host: object, vm: object][] = [
    ['nothing is asked', {}, {}],
    ['unknown storage repositories are taken to be shared', {}, { storageRepositories: ['sr'] }],
    ['a newer version', { version: '8.10.0' }, {}],
    ['features in hex: a subset', { cpuFeatures: '17cbfbff-f7fa3223' }, { cpuFlags: '17cbfbfe-f7fa3203' }],
    ['features by name: a subset', { cpuFeatures: ['avx', 'avx2'] }, { cpuFlags: { features: ['avx'] } }],
    ['a halted VM has no CPU yet', { cpuVendor: 'A' }, { cpuFlags: { vendor: 'B' }, state: 'halted', host: null }],
    ['more vCPUs than CPUs, on purpose', { cpus: 1 }, { vcpuUnrestricted: true }],
    ['its floor fits, to the byte', { memoryBytes: 2 * GIB }, {}],
  ]
  it.each(passes)('%s: it may', (_, host, vm) => {
    const pool = poolOf(
      document([{ version: '8.3.0' }, host as Record<string, unknown>], [vm as Record<string, unknown>]),
    )
    const [source, target] = pool.hosts
    const [asked] = pool.vms
    expect(asked && target && mayRun(asked, target, target.memoryBytes, source)).toBeUndefined()
  })

  it('a feature that is missing is named', () => {
    const pool = poolOf(document([{ cpuFeatures: '00000001' }], [{ cpuFlags: '00000003' }]))
    const [host] = pool.hosts
    const [vm] = pool.vms
    expect(host && vm && mayRun(vm, host)?.why).toBe('the CPU lacks the feature 0.1')
  })
})

describe('what may move', () => {
  const cases: [vm: object, code: string | undefined][] = [
    [{}, undefined],
    [{ state: 'paused' }, 'VM_BAD_POWER_STATE'],
    [{ state: 'halted', host: null }, 'VM_BAD_POWER_STATE'],
    [{ immovable: 'VM_HAS_PCI_ATTACHED' }, 'VM_HAS_PCI_ATTACHED'],
    [{ needs: ['usb'] }, 'VM_HAS_VUSBS'],
    [{ lastMovedAt: '2026-03-01T11:29:59Z' }, undefined],
    [{ lastMovedAt: '2026-03-01T11:30:00Z' }, 'RECENTLY_MOVED'],
    [{ lastMovedAt: '2026-03-01T13:40:00+01:00' }, 'RECENTLY_MOVED'],
    [{ lastMovedAt: '2026-03-09T00:00:00Z' }, 'RECENTLY_MOVED'],
  ]
  it.each(cases)('%j: %s', (vm, code) => {
    const pool = poolOf(document([{}], [{ ...vm }]))
    expect(pool.vms[0] && mayMove(pool.vms[0], pool)?.code).toBe(code)
  })
})

describe('what a step must keep', () => {
  const big = { memoryFloorBytes: 20 * GIB }
  const cases: [what: string, hosts: object[], vms: object[], more: object, steps: string, outcome: string][] = [
    ['nothing against it', [{}, {}], [{}], {}, 'v1 h1 h2', 'all'],
    ['not where it is said to be', [{}, {}], [{}], {}, 'v1 h2 h1', '0 VM_NOT_RESIDENT_HERE'],
    ['nowhere to go', [{}, {}], [{}], {}, 'v1 h1 h1', '0 VM_ALREADY_THERE'],
    ['accepts nothing', [{}, { excluded: ['accepting'] }], [{}], {}, 'v1 h1 h2', '0 HOST_EXCLUDED'],
    [
      'an exchange of large VMs',
      [{}, {}, {}],
      [big, { ...big, host: 'h2' }],
      {},
      'v1 h1 h2, v2 h2 h1',
      '0 HOST_NOT_ENOUGH_FREE_MEMORY',
    ],
    [
      'the exchange by way of a third',
      [{}, {}, {}],
      [big, { ...big, host: 'h2' }],
      {},
      'v1 h1 h3, v2 h2 h1, v1 h3 h2',
      'all',
    ],
    [
      'memory of the coordinator',
      [{}, {}],
      [{ host: 'h2', memoryFloorBytes: 29 * GIB }],
      {},
      'v1 h2 h1',
      '0 COORDINATOR_RESERVE',
    ],
    [
      'CPU of the coordinator',
      [{}, {}],
      [{ host: 'h2', demand: { cpu: [7.3] } }],
      {},
      'v1 h2 h1',
      '0 COORDINATOR_RESERVE',
    ],
    [
      'apart',
      [{}, {}],
      [{}, { host: 'h2' }],
      { rules: [{ kind: 'apart', vms: ['v1', 'v2'] }] },
      'v1 h1 h2',
      '0 RULE_WOULD_BREAK',
    ],
    [
      'apart as a wish',
      [{}, {}],
      [{}, { host: 'h2' }],
      { rules: [{ kind: 'apart', strength: 'should', vms: ['v1', 'v2'] }] },
      'v1 h1 h2',
      'all',
    ],
    [
      'together',
      [{}, {}],
      [{}, {}],
      { rules: [{ kind: 'together', vms: ['v1', 'v2'] }] },
      'v1 h1 h2',
      '0 RULE_WOULD_BREAK',
    ],
    [
      'pinned elsewhere',
      [{}, {}],
      [{}],
      { rules: [{ kind: 'pin', vms: ['v1'], hosts: ['h1'] }] },
      'v1 h1 h2',
      '0 RULE_WOULD_BREAK',
    ],
    [
      'to be avoided',
      [{}, {}],
      [{}],
      { rules: [{ kind: 'avoid', vms: ['v1'], hosts: ['h2'] }] },
      'v1 h1 h2',
      '0 RULE_WOULD_BREAK',
    ],
    [
      'a group all on one host',
      [{}, {}],
      [{ group: 'web' }, { group: 'web', host: 'h2' }],
      {},
      'v1 h1 h2',
      '0 RULE_WOULD_BREAK',
    ],
    [
      'a group of which one is elsewhere',
      [{}, {}, {}],
      [{ group: 'web' }, { group: 'web', host: 'h2' }, { group: 'web', host: 'h3' }],
      {},
      'v1 h1 h2',
      'all',
    ],
    [
      'the last room for a failure',
      [{}, {}, {}],
      [
        { ...big, haProtected: true },
        { host: 'h2', memoryFloorBytes: 10 * GIB },
      ],
      { pool: { uuid: 'p', coordinator: 'h1', ha: { enabled: true, planExistsFor: 1 } } },
      'v2 h2 h3, v2 h3 h2',
      'all',
    ],
    [
      'no room for a failure would be left',
      [{}, {}],
      [{ ...big, haProtected: true, host: 'h2' }, { memoryFloorBytes: 12 * GIB, host: 'h2' }, {}],
      { pool: { uuid: 'p', coordinator: 'h1', ha: { enabled: true, planExistsFor: 1 } } },
      'v2 h2 h1',
      '0 HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN',
    ],
    [
      'the same where overcommitment is allowed',
      [{}, {}],
      [{ ...big, haProtected: true, host: 'h2' }, { memoryFloorBytes: 12 * GIB, host: 'h2' }, {}],
      { pool: { uuid: 'p', coordinator: 'h1', ha: { enabled: true, planExistsFor: 1, allowOvercommit: true } } },
      'v2 h2 h1',
      'all',
    ],
  ]
  it.each(cases)('%s', (_, hosts, vms, more, steps, outcome) => {
    const pool = compile(
      poolOf(
        document(
          hosts.map((one) => ({ ...one })),
          vms.map((one) => ({ ...one })),
          { ...more },
        ),
      ),
    )
    const moves = steps.split(', ').map((step) => {
      const [vm = '', from = '', to = ''] = step.split(' ')
      return { vm, from, to }
    })
    const refused = checkMoves(pool, moves)
    expect(refused ? `${refused.step} ${refused.refusal.code}` : 'all').toBe(outcome)
  })
})
