/** High availability, groups, and plans for an evacuation, asked of a database. */
import { describe, expect, it, test } from 'vitest'
import type { ApiRecord, Database } from '../../../src/lab/database/database.js'
import { planEvacuation } from '../../../src/lab/vms/checks/evacuation-plan.js'
import {
  isAgile,
  mostFailures,
  planExists,
  refreshFailoverFields,
  refuseArrival,
  refuseDeparture,
  refuseProtection,
} from '../../../src/lab/vms/checks/failover.js'
import { breachedOn, membersOn } from '../../../src/lab/vms/checks/groups.js'
import { chooseHost } from '../../../src/lab/vms/checks/placement.js'
import { depart, settle } from '../../../src/lab/vms/running/residence.js'
import { listOf, textOf } from '../../../src/lab/vms/values.js'
import { ApiFailure } from '../../../src/xapi/index.js'
import { NOW, newDatabase } from './new-database.js'

const GIB = 1024n ** 3n
const NOWHERE = 'OpaqueRef:NULL'

/**
 * Hosts with so many GiB for guests, and guests of so many GiB on them: `[4, 2] [1] []` are three hosts, the first with two guests. All
 * guests are protected, and nothing but memory counts.
 */
function poolOf(
  hostGib: number,
  guests: readonly (readonly number[])[],
  failures = 0,
): { database: Database; vms: string[][] } {
  const database = newDatabase({ hosts: guests.length, vms: guests.flat().length })
  for (const [ref] of database.rows('host_metrics')) {
    database.update('host_metrics', ref, { live: true, memory_total: BigInt(hostGib) * GIB })
  }
  const all = database.rows('VM').flatMap(([ref, vm]) => (vm.is_control_domain === true ? [] : [ref]))
  for (const ref of database.refs('host')) database.update('host', ref, { memory_overhead: 0n, resident_VMs: [] })
  for (const [ref, vm] of database.rows('VM')) {
    if (vm.is_control_domain === true)
      database.update('VM', ref, { resident_on: NOWHERE, scheduled_to_be_resident_on: NOWHERE })
    else database.update('VM', ref, { resident_on: NOWHERE })
  }
  const vms = guests.map((sizes, index) => {
    const host = database.refs('host')[index] ?? ''
    return sizes.map((gib) => {
      const vm = all.shift() ?? ''
      const bytes = BigInt(gib) * GIB
      database.update('VM', vm, {
        memory_static_max: bytes,
        memory_dynamic_max: bytes,
        memory_dynamic_min: bytes,
        memory_target: bytes,
        memory_overhead: 0n,
        VCPUs_max: 1n,
        ha_always_run: true,
        ha_restart_priority: 'restart',
        power_state: 'Halted',
      })
      settle(database, vm, host, NOW)
      return vm
    })
  })
  database.update('pool', database.pool.ref, {
    ha_enabled: true,
    coordinator_bias: false,
    ha_host_failures_to_tolerate: BigInt(failures),
  })
  refreshFailoverFields(database)
  return { database, vms }
}

describe('how many host failures a pool survives', () => {
  it.each([
    ['nothing runs', 8, [[], [], []], 3],
    ['one guest', 8, [[4], [], []], 2],
    ['room for one host elsewhere', 8, [[4], [4], [4]], 1],
    ['two full hosts and none free', 8, [[8], [8]], 0],
    ['one too large to be placed twice', 8, [[5], [5], []], 1],
    ['full', 4, [[4], [4], [4]], 0],
  ] as const)('%s', (_, gib, guests, most) => {
    const { database } = poolOf(gib, guests)
    expect(mostFailures(database)).toBe(most)
    expect([planExists(database, most), planExists(database, most + 1)]).toEqual([true, false])
  })

  test('what is not protected takes memory, and is not restarted', () => {
    const { database, vms } = poolOf(8, [[8], [8], []])
    expect(mostFailures(database)).toBe(1)
    database.update('VM', vms[0]?.[0] ?? '', { ha_always_run: false })
    database.update('VM', vms[1]?.[0] ?? '', { ha_always_run: false })
    expect(mostFailures(database)).toBe(3)
  })

  test('a VM with a disk on local storage is not agile', () => {
    const { database, vms } = poolOf(8, [[4], []])
    const vm = vms[0]?.[0] ?? ''
    expect(isAgile(database, vm)).toBe(true)
    const [vbd = ''] = listOf(database.get('VM', vm), 'VBDs')
    const local = database.rows('SR').find(([, sr]) => sr.shared === false)?.[0] ?? ''
    database.update('VDI', textOf(database.get('VBD', vbd), 'VDI'), { SR: local })
    expect(isAgile(database, vm)).toBe(false)
  })

  it.each([
    [1, 1n, false],
    [2, 1n, true],
  ])('%i wanted: a plan for %i, overcommitted %s', (wanted, exists, overcommitted) => {
    const { database } = poolOf(8, [[4], [4], [4]], wanted)
    expect(database.pool.record).toMatchObject({ ha_plan_exists_for: exists, ha_overcommitted: overcommitted })
  })
})

describe('what would end the plan', () => {
  const code = (failure: ApiFailure | undefined) => failure?.code ?? 'yes'
  const BREAKS = 'HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN'

  test('a migration: the VM counts on both hosts', () => {
    const { database, vms } = poolOf(8, [[5], [3], [5]], 1)
    const [, target = ''] = database.refs('host')
    expect(code(refuseArrival(database, vms[0]?.[0] ?? '', target))).toBe(BREAKS)
    expect(code(refuseArrival(database, vms[1]?.[0] ?? '', database.refs('host')[0] ?? ''))).toBe('yes')
  })

  test('nothing, where overcommitment is allowed, HA is off, or there is no plan', () => {
    const changes: ApiRecord[] = [{ ha_allow_overcommit: true }, { ha_enabled: false }, { ha_plan_exists_for: 3n }]
    for (const change of changes) {
      const { database, vms } = poolOf(8, [[5], [3], [5]], 1)
      database.update('pool', database.pool.ref, change)
      expect(code(refuseArrival(database, vms[0]?.[0] ?? '', database.refs('host')[1] ?? ''))).toBe('yes')
    }
  })

  test('a host that leaves', () => {
    const { database } = poolOf(8, [[4], [4], []], 1)
    expect(code(refuseDeparture(database, database.refs('host')[2] ?? ''))).toBe('yes')
    const full = poolOf(8, [[6], [6], []], 1).database
    expect(code(refuseDeparture(full, full.refs('host')[2] ?? ''))).toBe(BREAKS)
  })

  test('a VM that becomes protected', () => {
    const { database, vms } = poolOf(8, [[8], [8], []], 1)
    const vm = vms[0]?.[0] ?? ''
    database.update('VM', vms[1]?.[0] ?? '', { ha_always_run: false })
    database.update('VM', vm, { ha_always_run: false })
    refreshFailoverFields(database)
    expect(code(refuseProtection(database, vm))).toBe('yes')
    const crowded = poolOf(8, [[8], [8]], 1)
    const [[one = ''] = []] = crowded.vms
    for (const ref of crowded.vms.flat()) crowded.database.update('VM', ref, { ha_always_run: false })
    refreshFailoverFields(crowded.database)
    expect(code(refuseProtection(crowded.database, one))).toBe(BREAKS)
  })
})

describe('groups whose members are to be apart', () => {
  function grouped(guests: readonly (readonly number[])[]) {
    const { database, vms } = poolOf(16, guests)
    database.update('pool', database.pool.ref, { ha_enabled: false })
    const group = database.create('VM_group', { placement: 'anti_affinity', name_label: 'apart', VMs: vms.flat() })
    for (const vm of vms.flat()) database.update('VM', vm, { groups: [group] })
    return { database, vms, group, hosts: database.refs('host') }
  }
  const alerts = (database: Database) =>
    database.rows('message').filter(([, { name }]) => String(name).startsWith('ALL_RUNNING'))

  test('all running members on one host are a breach, and a message says so as long as it lasts', () => {
    const { database, vms, group, hosts } = grouped([[1, 1], [1], []])
    const [[one = '', two = ''] = [], [three = ''] = []] = vms
    expect(breachedOn(database, group)).toBeUndefined()
    depart(database, three, 'Halted', NOW)
    expect(breachedOn(database, group)).toBe(hosts[0])
    const [uuid, host] = [
      textOf(database.get('VM_group', group), 'uuid'),
      textOf(database.get('host', hosts[0] ?? ''), 'uuid'),
    ]
    expect(alerts(database).map(([, { cls, priority, body }]) => [cls, priority, body])).toEqual([
      [
        'Pool',
        3n,
        `<body><message>Breach on VM anti-affinity rules</message><VM_group>${uuid}</VM_group><host>${host}</host></body>`,
      ],
    ])
    settle(database, two, hosts[1] ?? '', NOW)
    expect(alerts(database)).toEqual([])
    depart(database, one, 'Halted', NOW)
    expect(breachedOn(database, group)).toBeUndefined() // one member alone breaks nothing
  })

  test('members count where they go', () => {
    const { database, vms, group, hosts } = grouped([[1, 1], [], []])
    database.update('VM', vms[0]?.[0] ?? '', { scheduled_to_be_resident_on: hosts[2] ?? '' })
    expect(Object.fromEntries(membersOn(database, group))).toEqual({ [hosts[0] ?? '']: 1, [hosts[2] ?? '']: 1 })
  })

  test('a member starts where the fewest of its group are, whatever the memory', () => {
    const { database, vms, group, hosts } = grouped([[1, 1], [1], [12]])
    const [, , [large = ''] = []] = vms
    database.update('VM', large, { groups: [] })
    database.update('VM_group', group, { VMs: vms.flat().filter((ref) => ref !== large) })
    const vm = vms[0]?.[1] ?? ''
    depart(database, vm, 'Halted', NOW)
    expect(chooseHost(database, vm)).toBe(hosts[2])
  })

  test('an evacuation spreads them', () => {
    const { database, hosts } = grouped([[1, 1, 1], [], [], []])
    const targets = [...planEvacuation(database, hosts[0] ?? '').values()].map((row) =>
      row instanceof ApiFailure ? row.code : row.host,
    )
    expect(new Set(targets)).toEqual(new Set(hosts.slice(1)))
  })
})

describe('an evacuation without advice', () => {
  const rowsOf = (database: Database, vms: readonly string[], hosts: readonly string[]) =>
    vms.map((vm) => {
      const row = planEvacuation(database, hosts[0] ?? '').get(vm)
      return row instanceof ApiFailure ? row.code : `host ${hosts.indexOf(row?.host ?? '') + 1}`
    })

  it.each([
    ['largest first, to the roomiest', [[2, 5], [3], []], ['host 2', 'host 3']],
    ['one that fits nowhere', [[7, 2], [3], [3]], ['HOST_NOT_ENOUGH_FREE_MEMORY', 'host 2']],
  ] as const)('%s', (_, guests, rows) => {
    const { database, vms } = poolOf(8, guests)
    database.update('pool', database.pool.ref, { ha_enabled: false })
    expect(rowsOf(database, vms[0] ?? [], database.refs('host'))).toEqual(rows)
  })

  test('a VM that one of the other hosts could not run stays', () => {
    const { database, vms } = poolOf(8, [[2], [], []])
    database.update('pool', database.pool.ref, { ha_enabled: false })
    const hosts = database.refs('host')
    for (const [ref, pbd] of database.rows('PBD')) {
      if (pbd.host === hosts[2]) database.update('PBD', ref, { currently_attached: false })
    }
    expect(rowsOf(database, vms[0] ?? [], hosts)).toEqual(['VM_REQUIRES_SR'])
  })

  test('no other enabled host; HA with a VM that is not protected; one that cannot move', () => {
    const { database, vms } = poolOf(8, [[2, 1], []])
    const [one = '', two = ''] = vms[0] ?? []
    const hosts = database.refs('host')
    database.update('VM', two, { ha_always_run: false })
    database.update('VM', one, { blocked_operations: { pool_migrate: 'no' } })
    expect(rowsOf(database, [one, two], hosts)).toEqual(['OPERATION_BLOCKED', 'HOST_EVACUATE_VM_NOT_HA_PROTECTED'])
    database.update('host', hosts[1] ?? '', { enabled: false })
    expect(rowsOf(database, [one, two], hosts)).toEqual(['NO_HOSTS_AVAILABLE', 'NO_HOSTS_AVAILABLE'])
  })
})
