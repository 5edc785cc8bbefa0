/** VMs started, moved and ended in a lab, by its coordinator's calls: what is refused, and what is so afterwards. */
import { describe, expect, it, test } from 'vitest'
import { postToHost } from '../../../../src/lab/launcher/host-control.js'
import type { ApiValue } from '../../../../src/xapi/index.js'
import { usePool } from '../../test-pool.js'
import { LivePool } from './live-pool.js'

const live = new LivePool(usePool({ hosts: 3, vms: 12, seed: 7, speed: 600 }))

const MOVE: [ApiValue] = [{ live: 'true' }]

describe('the life of a VM', () => {
  const lives: [what: string, steps: [method: string, ...params: ApiValue[]][], outcomes: string, end: RegExp][] = [
    ['ends in order and starts', [['clean_shutdown'], ['start', false, false]], 'ok ok', /^Running on xs\d$/],
    ['ends at once', [['hard_shutdown'], ['start', false, false]], 'ok ok', /^Running on xs\d$/],
    ['is suspended and resumed', [['suspend'], ['resume', false, false]], 'ok ok', /^Running on xs\d$/],
    ['is suspended and ends', [['suspend'], ['hard_shutdown'], ['start', false, false]], 'ok ok ok', /^Running/],
    ['starts paused', [['hard_shutdown'], ['start', true, false], ['unpause']], 'ok ok ok', /^Running/],
    ['reboots where it is', [['clean_reboot'], ['hard_reboot']], 'ok ok', /^Running on xs2$/],
    ['is shut down somehow', [['shutdown'], ['start', false, false]], 'ok ok', /^Running/],
    ['is started twice', [['start', false, false]], 'VM_BAD_POWER_STATE', /^Running on xs2$/],
    ['is resumed while it runs', [['resume', false, false]], 'VM_BAD_POWER_STATE', /^Running on xs2$/],
  ]

  it.each(lives)('%s', async (_, steps, outcomes, end) => {
    const vm = await live.guestOn('xs2')
    const said: string[] = []
    for (const [method, ...params] of steps)
      said.push((await live.outcome(`VM.${method}`, vm, ...params)).split(' ')[0] ?? '')
    expect(said.join(' ')).toBe(outcomes)
    expect(await live.whereIs(vm)).toMatch(end)
    expect((await live.record('VM', vm)).allowed_operations).toContain('pool_migrate')
    if (!(await live.whereIs(vm)).endsWith('xs2'))
      await live.outcome('VM.pool_migrate', vm, await live.hostRef('xs2'), ...MOVE)
  })

  test('it starts where it is told to, resumes where it is told to, and its disks go along', async () => {
    const vm = await live.guestOn('xs2')
    const host = await live.hostRef('xs3')
    await live.call('VM.hard_shutdown', vm)
    expect(await attachedDisks(vm)).toEqual([false])
    await live.call('VM.start_on', vm, host, false, false)
    expect(await live.whereIs(vm)).toBe('Running on xs3')
    expect(await attachedDisks(vm)).toEqual([true])
    await live.call('VM.suspend', vm)
    const image = String((await live.record('VM', vm)).suspend_VDI)
    expect((await live.record('VDI', image)).type).toBe('suspend')
    await live.call('VM.resume_on', vm, await live.hostRef('xs2'), false, false)
    expect(await live.whereIs(vm)).toBe('Running on xs2')
    expect(await live.outcome('VDI.get_record', image)).toBe(`HANDLE_INVALID VDI ${image}`)
  })

  async function attachedDisks(vm: string): Promise<unknown[]> {
    return (await live.records('VBD')).filter(([, vbd]) => vbd.VM === vm).map(([, vbd]) => vbd.currently_attached)
  }
})

describe('a migration', () => {
  test('moves the VM, what is free, and its CPU flags; a message says so; nothing is left in progress', async () => {
    const vm = await live.guestOn('xs1')
    const [source, target] = [await live.hostRef('xs1'), await live.hostRef('xs3')]
    const free = () => Promise.all([source, target].map((host) => live.call('host.compute_free_memory', host)))
    const { memory_dynamic_min, memory_overhead, uuid, name_label } = await live.record('VM', vm)
    const bytes = BigInt(String(memory_dynamic_min)) + BigInt(String(memory_overhead))
    const [before, after] = [
      await free(),
      (await live.call('VM.pool_migrate', vm, target, ...MOVE)) === '' && (await free()),
    ]
    expect(after).toEqual([BigInt(String(before[0])) + bytes, BigInt(String(before[1])) - bytes])
    expect(await live.whereIs(vm)).toBe('Running on xs3')
    expect((await live.record('host', target)).resident_VMs).toContain(vm)
    expect((await live.record('host', source)).resident_VMs).not.toContain(vm)
    expect((await live.record('host', target)).current_operations).toEqual({})
    const messages = (await live.records('message')).map(([, message]) => message)
    const [message] = messages.filter((one) => one.name === 'VM_MIGRATED' && one.obj_uuid === uuid)
    expect(message).toMatchObject({ cls: 'VM', priority: 5n })
    expect(String(message?.body)).toContain(`VM '${name_label}' migrated from host: xs1`)
  })

  const refusals: [
    what: string,
    target: string,
    prepare: (vm: string, host: string) => Promise<unknown>,
    outcome: string,
  ][] = [
    ['to a disabled host', 'xs3', (_, host) => live.call('host.disable', host), 'HOST_DISABLED HOST'],
    [
      'to a host that is full',
      'xs3',
      (vm) => live.call('VM.set_memory_dynamic_min', vm, 2n ** 45n),
      'HOST_NOT_ENOUGH_FREE_MEMORY',
    ],
    [
      'of a VM that is halted',
      'xs3',
      (vm) => live.call('VM.hard_shutdown', vm),
      'VM_BAD_POWER_STATE VM running halted',
    ],
    [
      'of a VM whose owner says no',
      'xs3',
      (vm) => live.call('VM.add_to_blocked_operations', vm, 'pool_migrate', 'licence bound to a host'),
      'OPERATION_BLOCKED VM licence bound to a host',
    ],
    [
      'of a VM that was started as immobile',
      'xs3',
      async (vm) => {
        await live.call('VM.add_to_platform', vm, 'nomigrate', 'true')
        await live.call('VM.clean_reboot', vm)
      },
      'VM_IS_IMMOBILE VM',
    ],
    ['to a host that is not attached to its storage', 'xs3', (_, host) => detach(host), 'VM_REQUIRES_SR VM SR'],
    [
      'to a host with another CPU',
      'xs3',
      (_, host) => setCpu(host, { vendor: 'AuthenticAMD', cpu_count: '64' }),
      'VM_INCOMPATIBLE_WITH_THIS_HOST VM HOST VM last booted on a host which had a CPU from a different vendor.',
    ],
    ['to where it is', 'xs2', async () => {}, 'ok'],
    ['to a host that there is not', 'OpaqueRef:none', async () => {}, 'HANDLE_INVALID host OpaqueRef:none'],
  ]

  it.each(refusals)('%s', async (_, name, prepare, outcome) => {
    const vm = await live.guestOn('xs2')
    const before = await live.record('VM', vm)
    const host = name.startsWith('xs') ? await live.hostRef(name) : name
    const srs = new Set((await live.records('SR')).map(([ref]) => ref))
    await prepare(vm, host)
    const said = (await live.outcome('VM.pool_migrate', vm, host, ...MOVE)).split(' ')
    const words = said.map((word) =>
      word === vm ? 'VM' : word === host && name !== 'OpaqueRef:none' ? 'HOST' : srs.has(word) ? 'SR' : word,
    )
    expect(words.join(' ').replace(/(FREE_MEMORY) .*/, '$1')).toBe(outcome)
    // As it was, for the next row.
    await live.outcome('host.enable', host)
    if (outcome.startsWith('VM_INCOMPATIBLE'))
      await setCpu(host, (await live.record('host', await live.hostRef('xs1'))).cpu_info)
    await live.outcome('VM.set_memory_dynamic_min', vm, before.memory_dynamic_min ?? 0n)
    await live.outcome('VM.remove_from_blocked_operations', vm, 'pool_migrate')
    await live.outcome('VM.remove_from_platform', vm, 'nomigrate')
    await live.outcome('VM.hard_reboot', vm)
    for (const [pbd] of await live.records('PBD')) await live.outcome('PBD.plug', pbd)
    if ((await live.record('VM', vm)).power_state === 'Halted')
      await live.call('VM.start_on', vm, await live.hostRef('xs2'), false, false)
    expect(await live.whereIs(vm)).toBe('Running on xs2')
  })

  /** What no call changes: another machine in the host's place. */
  async function setCpu(host: string, cpu_info: ApiValue | undefined): Promise<void> {
    await postToHost(live.pool.host('xs1').root, '/lab/records', JSON.stringify({ host: { [host]: { cpu_info } } }))
  }

  async function detach(host: string): Promise<void> {
    for (const vm of await live.guestsOn('xs3')) await live.call('VM.hard_shutdown', vm)
    for (const [pbd, record] of await live.records('PBD')) {
      const { shared } = await live.record('SR', String(record.SR))
      if (record.host === host && shared === true) await live.call('PBD.unplug', pbd)
    }
  }
})

test('a migration over a named network: the target needs an address there', async () => {
  const vm = await live.guestOn('xs2')
  const target = await live.hostRef('xs3')
  const adapters = (await live.records('PIF')).filter(([, { host }]) => host === target)
  const [management, other] = [true, false].map((is) => adapters.find(([, pif]) => pif.management === is))
  const over = (network: ApiValue | undefined) =>
    live.outcome('VM.pool_migrate', vm, target, { network: String(network) })
  expect(await over(other?.[1].network)).toBe(`INTERFACE_HAS_NO_IP ${other?.[0]}`)
  expect(await over('OpaqueRef:none')).toBe('HANDLE_INVALID network OpaqueRef:none')
  expect(await over(management?.[1].network)).toBe('ok')
  expect(await live.outcome('VM.pool_migrate', vm, await live.hostRef('xs2'), ...MOVE)).toBe('ok')
})

describe('where a VM may run', () => {
  test('not on a host that is disabled, unless it is there', async () => {
    const vm = await live.guestOn('xs2')
    const [own, other] = [await live.hostRef('xs2'), await live.hostRef('xs3')]
    expect(await live.call('VM.get_possible_hosts', vm)).toEqual(expect.arrayContaining([own, other]))
    for (const host of [own, other]) await live.call('host.disable', host)
    expect(await live.call('VM.get_possible_hosts', vm)).not.toContain(other)
    expect(await live.outcome('VM.assert_can_boot_here', vm, other)).toBe(`HOST_DISABLED ${other}`)
    expect(await live.outcome('VM.assert_can_boot_here', vm, own)).not.toContain('HOST_DISABLED')
    for (const host of [own, other]) await live.call('host.enable', host)
  })

  test('a migration with its storage', async () => {
    const vm = await live.guestOn('xs2')
    const [network] = (await live.records('network')).map(([ref]) => ref)
    const dest = await live.call('host.migrate_receive', await live.hostRef('xs3'), network ?? '', {})
    expect(await live.outcome('VM.assert_can_migrate', vm, dest, true, {}, {}, {})).toBe('ok')
    expect(await live.outcome('VM.assert_can_migrate', vm, { host: 'OpaqueRef:none' }, true, {}, {}, {})).toMatch(
      /^INVALID_VALUE/,
    )
  })

  test('with no memory anywhere it does not start, and nothing stays reserved', async () => {
    const vm = await live.guestOn('xs2')
    await live.call('VM.hard_shutdown', vm)
    const { memory_dynamic_min = 0n } = await live.record('VM', vm)
    await live.call('VM.set_memory_dynamic_min', vm, 2n ** 45n)
    expect(await live.outcome('VM.start', vm, false, false)).toBe('NO_HOSTS_AVAILABLE')
    expect(await live.outcome('VM.start_on', vm, await live.hostRef('xs1'), false, false)).toMatch(
      /^HOST_NOT_ENOUGH_FREE_MEMORY \d+ \d+$/,
    )
    expect(await live.whereIs(vm)).toBe('Halted')
    await live.call('VM.set_memory_dynamic_min', vm, memory_dynamic_min)
    await live.call('VM.start_on', vm, await live.hostRef('xs2'), false, false)
  })
})

describe('an evacuation', () => {
  test('one VM that cannot go ends it before the first move, and is named', async () => {
    const host = await live.hostRef('xs2')
    const [vm = '', ...others] = await live.guestsOn('xs2')
    await live.call('VM.add_to_blocked_operations', vm, 'pool_migrate', 'pinned')
    await live.call('host.disable', host)
    expect(await live.call('host.get_vms_which_prevent_evacuation', host)).toEqual({
      [vm]: ['OPERATION_BLOCKED', vm, 'pinned'],
    })
    expect(await live.outcome('host.assert_can_evacuate', host)).toBe(
      `CANNOT_EVACUATE_HOST OPERATION_BLOCKED,${vm},pinned`,
    )
    expect(await live.outcome('host.evacuate', host)).toBe(`OPERATION_BLOCKED ${vm} pinned`)
    expect(await live.guestsOn('xs2')).toEqual([vm, ...others])
    await live.call('VM.remove_from_blocked_operations', vm, 'pool_migrate')
  })

  test('moves all; doing it twice moves nothing', async () => {
    const host = await live.hostRef('xs2')
    expect(await live.outcome('host.evacuate', host)).toBe('ok')
    expect(await live.guestsOn('xs2')).toEqual([])
    expect(await live.outcome('host.evacuate', host, 'OpaqueRef:NULL', 2n)).toBe('ok')
    expect(await live.outcome('host.evacuate', host, 'OpaqueRef:NULL', -1n)).toBe(
      'INVALID_VALUE evacuate_batch_size -1',
    )
  })
})
