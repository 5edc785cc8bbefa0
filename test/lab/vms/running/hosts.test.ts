/** Hosts in and out of service, switched off and on, and high availability, in a lab. */
import { describe, expect, test } from 'vitest'
import { usePool } from '../../test-pool.js'
import { LivePool } from './live-pool.js'

const pool = usePool({ hosts: 3, vms: 6, seed: 7, speed: 600 })
const live = new LivePool(pool)

describe('a host that is switched off', () => {
  test('only when it is disabled, and on again only when a mode is set; its guests end with it', async () => {
    const host = await live.hostRef('xs3')
    const vm = await live.guestOn('xs3').catch(async () => {
      const guest = await live.guestOn('xs2')
      await live.call('VM.pool_migrate', guest, host, {})
      return guest
    })
    expect(await live.outcome('host.shutdown', host)).toBe('HOST_NOT_DISABLED')
    expect(await live.outcome('host.power_on', host)).toBe(`HOST_IS_LIVE ${host}`)
    await live.call('host.disable', host)
    expect(await live.outcome('host.shutdown', host)).toBe('ok')
    expect(await live.whereIs(vm)).toBe('Halted')
    expect(await live.outcome('host.power_on', host)).toBe('HOST_POWER_ON_MODE_DISABLED')
    await live.call('host.set_power_on_mode', host, 'wake-on-lan', {})
    await untilGone('xs3')
    expect(await live.outcome('host.enable', host)).toBe(`HOST_OFFLINE ${host}`)
    expect(await live.outcome('host.power_on', host)).toBe('ok')
    await pool.up()
    expect((await live.record('host', host)).enabled).toBe(true)
    expect(await live.outcome('VM.start_on', vm, host, false, false)).toBe('ok')
  })

  test('it stays disabled when it was to', async () => {
    const host = await live.hostRef('xs3')
    await live.call('host.disable', host, false)
    expect(await live.outcome('host.reboot', host)).toBe('ok')
    await untilBack('xs3')
    expect((await live.record('host', host)).enabled).toBe(false)
    expect(await live.guestsOn('xs3')).toEqual([])
    expect(await live.outcome('host.enable', host)).toBe('ok')
  })

  /** The program has ended: another one may take its ports. */
  async function untilGone(name: string): Promise<void> {
    await untilTrue(
      async () => (await pool.raw(name, 'session.login_with_password', 'root', '').catch(() => 'gone')) === 'gone',
    )
  }

  async function untilBack(name: string): Promise<void> {
    const metrics = String((await live.record('host', await live.hostRef(name))).metrics)
    await untilTrue(async () => (await live.record('host_metrics', metrics)).live === true)
  }

  async function untilTrue(check: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 20_000
    while (!(await check())) {
      if (Date.now() > deadline) throw new Error('it does not come about')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
})

describe('high availability', () => {
  test('on: what is protected, what is planned, and what a plan keeps from happening', async () => {
    const [self = ''] = (await live.records('pool')).map(([ref]) => ref)
    const [shared = ''] = (await live.records('SR')).flatMap(([ref, sr]) => (sr.shared === true ? [ref] : []))
    const [local = ''] = (await live.records('SR')).flatMap(([ref, sr]) => (sr.shared === false ? [ref] : []))
    expect(await live.outcome('pool.disable_ha')).toBe('HA_NOT_ENABLED')
    expect(await live.outcome('pool.enable_ha', [local], {})).toBe(`HA_CONSTRAINT_VIOLATION_SR_NOT_SHARED ${local}`)
    expect(await live.outcome('pool.enable_ha', [shared], {})).toBe('ok')
    expect(await live.outcome('pool.enable_ha', [shared], {})).toBe('HA_IS_ENABLED')
    expect(await live.call('pool.ha_compute_max_host_failures_to_tolerate')).toBe(3n)
    const vms = (await live.records('VM'))
      .filter(([, { is_control_domain }]) => is_control_domain === false)
      .map(([ref]) => ref)
    for (const vm of vms) await live.call('VM.set_ha_restart_priority', vm, 'restart')
    expect(await live.outcome('VM.set_ha_restart_priority', vms[0] ?? '', 'always')).toBe(
      'INVALID_VALUE ha_restart_priority always',
    )
    const most = Number(await live.call('pool.ha_compute_max_host_failures_to_tolerate'))
    expect(most).toBeGreaterThanOrEqual(1)
    expect(most).toBeLessThan(3)
    expect(await live.call('pool.ha_failover_plan_exists', BigInt(most))).toBe(true)
    expect(await live.call('pool.ha_failover_plan_exists', BigInt(most + 1))).toBe(false)
    expect(await live.outcome('pool.set_ha_host_failures_to_tolerate', self, -1n)).toBe(
      'INVALID_VALUE ha_host_failures_to_tolerate -1',
    )
    expect(await live.outcome('pool.set_ha_host_failures_to_tolerate', self, 3n)).toBe('HA_NO_PLAN')
    expect(await live.outcome('pool.set_ha_host_failures_to_tolerate', self, BigInt(most))).toBe('ok')
    expect(await live.record('pool', self)).toMatchObject({ ha_plan_exists_for: BigInt(most), ha_overcommitted: false })

    // Another host fewer would leave no plan for as many failures.
    expect(await live.outcome('pool.set_ha_host_failures_to_tolerate', self, BigInt(most))).toBe('ok')
    const host = await live.hostRef('xs3')
    const withoutOne = await live.outcome('host.disable', host)
    expect(withoutOne).toBe(most === 2 ? 'HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN' : withoutOne)
    await live.outcome('host.enable', host)
  })

  test('a VM that would leave no room for the failures planned for is not started, and not moved', async () => {
    const [self = ''] = (await live.records('pool')).map(([ref]) => ref)
    const vm = await live.guestOn('xs2')
    const { memory_static_max = 0n } = await live.record('VM', vm)
    await live.call('VM.hard_shutdown', vm)
    const most = await live.call('pool.ha_compute_max_host_failures_to_tolerate')
    expect(await live.outcome('pool.set_ha_host_failures_to_tolerate', self, most)).toBe('ok')
    const { memory_total } = await live.record(
      'host_metrics',
      String((await live.record('host', await live.hostRef('xs2'))).metrics),
    )
    await live.call('VM.set_memory_static_max', vm, memory_total ?? 0n)
    expect(await live.outcome('VM.start_on', vm, await live.hostRef('xs2'), false, false)).toBe(
      'HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN',
    )
    expect(await live.whereIs(vm)).toBe('Halted')
    await live.call('pool.set_ha_allow_overcommit', self, true)
    expect(await live.outcome('VM.start_on', vm, await live.hostRef('xs2'), false, false)).toBe('ok')
    expect((await live.record('pool', self)).ha_overcommitted).toBe(true)
    await live.call('VM.set_memory_static_max', vm, memory_static_max)
    await live.call('pool.set_ha_allow_overcommit', self, false)
  })

  test('hypothetical: other priorities, and which hosts the named VMs would go to', async () => {
    const vms = (await live.records('VM'))
      .filter(([, { is_control_domain }]) => is_control_domain === false)
      .map(([ref]) => ref)
    const none = Object.fromEntries(vms.map((vm) => [vm, '']))
    expect(await live.call('pool.ha_compute_hypothetical_max_host_failures_to_tolerate', none)).toBe(3n)
    const wrong = { [vms[0] ?? '']: 'never' }
    expect(await live.outcome('pool.ha_compute_hypothetical_max_host_failures_to_tolerate', wrong)).toBe(
      'INVALID_VALUE ha_restart_priority never',
    )
    const failed = await live.hostRef('xs2')
    const guests = await live.guestsOn('xs2')
    const plan: unknown = await live.call('pool.ha_compute_vm_failover_plan', [failed], guests)
    for (const vm of guests) expect(Object(plan)[vm]?.host).toMatch(/^OpaqueRef:/)
    expect(JSON.stringify(plan)).not.toContain(failed)
    for (const vm of guests) expect(await live.outcome('VM.assert_agile', vm)).toBe('ok')
    expect(await live.outcome('pool.disable_ha')).toBe('ok')
    const [self = ''] = (await live.records('pool')).map(([ref]) => ref)
    expect(await live.record('pool', self)).toMatchObject({ ha_enabled: false, ha_plan_exists_for: 0n })
  })
})

test('a group: made, joined, left, taken away; more than one is refused', async () => {
  const made = { name_label: 'web', name_description: '', placement: 'anti_affinity' }
  const group = String(await live.call('VM_group.create', made))
  const other = String(await live.call('VM_group.create', { ...made, placement: 'normal' }))
  expect(await live.outcome('VM_group.create', { ...made, placement: 'sideways' })).toBe(
    'INVALID_VALUE placement sideways',
  )
  const vm = await live.guestOn('xs2')
  expect(await live.outcome('VM.set_groups', vm, [group, other])).toBe('TOO_MANY_GROUPS')
  await live.call('VM.set_groups', vm, [group])
  expect((await live.record('VM_group', group)).VMs).toEqual([vm])
  await live.call('VM.set_groups', vm, [other])
  expect((await live.record('VM_group', group)).VMs).toEqual([])
  await live.call('VM_group.destroy', other)
  expect((await live.record('VM', vm)).groups).toEqual([])
})

test('messages: by object and by time, and many taken away at once', async () => {
  const before = (await live.records('message')).length
  const { uuid } = await live.record('VM', await live.guestOn('xs2'))
  const ref = String(await live.call('message.create', 'NOTE', 4n, 'VM', String(uuid), 'a body'))
  expect(await live.outcome('message.create', 'NOTE', 4n, 'VM', 'nobody', '')).toBe('UUID_INVALID VM nobody')
  expect(await live.outcome('message.create', 'NOTE', 4n, 'Ghost', String(uuid), '')).toBe('FIELD_TYPE_ERROR cls')
  const since = new Date(Date.now() - 3_600_000)
  expect(Object.keys(Object(await live.call('message.get', 'VM', String(uuid), since)))).toContain(ref)
  expect(
    Object.keys(Object(await live.call('message.get', 'VM', String(uuid), new Date(Date.now() + 3_600_000)))),
  ).toEqual([])
  expect(Object.keys(Object(await live.call('message.get_since', since))).length).toBe(before + 1)
  expect(await live.outcome('message.destroy_many', [ref])).toBe('ok')
  expect((await live.records('message')).length).toBe(before)
})
