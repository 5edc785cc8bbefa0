/** Migrations on their way: who sees what, and what becomes of them when a host or the coordinator dies in the middle. */
import { setTimeout } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { ApiValue } from '../../../../src/xapi/index.js'
import { usePool } from '../../test-pool.js'
import { LivePool } from './live-pool.js'

/** Two GiB take four seconds: longer than a look, and each is cancelled or killed. */
const pool = usePool({ hosts: 3, vms: 9, seed: 7, speed: 1 })
const live = new LivePool(pool)

const MOVE: [ApiValue] = [{ live: 'true' }]

/** Hosts that died come back, with nothing on them; what was started elsewhere stays. */
afterEach(async () => {
  for (const name of ['xs1', 'xs2', 'xs3']) await pool.fault('start', name)
  for (const [vm, record] of await live.records('VM')) {
    if (record.power_state === 'Halted') await live.outcome('VM.start', vm, false, false)
  }
})

async function begin(vm: string, target: string): Promise<string> {
  return String(await live.call('Async.VM.pool_migrate', vm, await live.hostRef(target), ...MOVE))
}

describe('while a VM moves', () => {
  test('it counts on both hosts, shows its progress, and nobody else may touch it', async () => {
    const vm = await live.guestOn('xs2')
    const target = await live.hostRef('xs3')
    const free = Number(await live.call('host.compute_free_memory', target))
    const task = await begin(vm, 'xs3')
    expect(await live.whereIs(vm)).toBe('Running on xs2 going to xs3 (pool_migrate)')
    expect(Number(await live.call('host.compute_free_memory', target))).toBeLessThan(free)
    expect((await live.record('VM', vm)).allowed_operations).toEqual([])
    expect(Object.values(Object((await live.record('host', target)).current_operations))).toEqual(['vm_migrate'])
    expect(await live.call('VM.get_possible_hosts', vm)).toEqual([target])
    for (const [method, ...params] of [['pool_migrate', target, ...MOVE], ['clean_shutdown'], ['suspend']] as const) {
      expect(await live.outcome(`VM.${method}`, vm, ...params)).toBe(
        `OTHER_OPERATION_IN_PROGRESS VM.pool_migrate ${vm}`,
      )
    }
    await live.call('host.disable', target)
    expect(await live.outcome('host.shutdown', target)).toBe(`OTHER_OPERATION_IN_PROGRESS host ${target} vm_migrate`)
    await live.call('host.enable', target)
    const seen = await seeProgress(task)
    expect(seen).toBeGreaterThan(0)
    expect(seen).toBeLessThan(1)
    await live.call('task.cancel', task)
    expect(await live.taskEnd(task)).toMatchObject({ status: 'cancelled', error_info: ['TASK_CANCELLED', task] })
    expect(await live.whereIs(vm)).toBe('Running on xs2')
    expect(Number(await live.call('host.compute_free_memory', target))).toBe(free)
    expect(await live.outcome('task.cancel', task)).toBe(`OPERATION_NOT_ALLOWED ${task} cannot be cancelled`)
  })

  async function seeProgress(task: string): Promise<number> {
    for (let look = 0; look < 400; look++) {
      const { progress } = await live.record('task', task)
      if (Number(progress) > 0) return Number(progress)
      await setTimeout(25)
    }
    return 0
  }

  test('an evacuation has a task for each move, and keeps VMs from coming; cancelled, it stops', async () => {
    const host = await live.hostRef('xs2')
    const elsewhere = await live.guestOn('xs1')
    const before = (await live.guestsOn('xs2')).length
    const task = String(await live.call('Async.host.evacuate', host))
    const subtasks = (await live.records('task')).filter(([, record]) => record.subtask_of === task)
    expect(subtasks.map(([, { name_label }]) => name_label)).toEqual(
      Array.from({ length: before }, () => 'VM.pool_migrate'),
    )
    expect(await live.outcome('VM.pool_migrate', elsewhere, host, ...MOVE)).toBe(
      `OTHER_OPERATION_IN_PROGRESS host ${host} evacuate`,
    )
    for (const [subtask] of subtasks) await live.call('task.cancel', subtask)
    expect((await live.taskEnd(task)).status).not.toBe('success')
    expect((await live.guestsOn('xs2')).length).toBe(before)
  })
})

describe('a host that dies in the middle', () => {
  test('the target: the VM stays where it was', async () => {
    const vm = await live.guestOn('xs2')
    const [source, target] = [await live.hostRef('xs2'), await live.hostRef('xs3')]
    const task = await begin(vm, 'xs3')
    await pool.fault('kill', 'xs3')
    const { status, error_info } = await live.taskEnd(task)
    expect([status, ...(Array.isArray(error_info) ? error_info.slice(0, 4) : [])]).toEqual([
      'failure',
      'VM_MIGRATE_FAILED',
      vm,
      source,
      target,
    ])
    expect(await live.whereIs(vm)).toBe('Running on xs2')
    expect(await live.outcome('VM.pool_migrate', vm, target, ...MOVE)).toBe('HOST_NOT_LIVE')
  })

  test('the source: the VM is on it until it is back, and halted then', async () => {
    const vm = await live.guestOn('xs2')
    const source = await live.hostRef('xs2')
    const task = await begin(vm, 'xs3')
    await pool.fault('kill', 'xs2')
    expect((await live.taskEnd(task)).error_info).toEqual(['CANNOT_CONTACT_HOST', source])
    expect(await live.whereIs(vm)).toBe('Running on xs2')
    expect(await live.outcome('VM.clean_shutdown', vm)).toBe(`HOST_OFFLINE ${source}`)
    await pool.fault('start', 'xs2')
    expect(await live.whereIs(vm)).toBe('Halted')
    expect(await live.guestsOn('xs2')).toEqual([])
    expect((await live.record('host', source)).enabled).toBe(true)
  })

  test('the coordinator: it comes back with the VM where it was, and nothing in progress', async () => {
    const vm = await live.guestOn('xs2')
    await begin(vm, 'xs3')
    await live.call(
      'pool.set_name_description',
      (await live.records('pool'))[0]?.[0] ?? '',
      'written to the disk in the middle',
    )
    await pool.fault('kill', 'xs1')
    await pool.fault('start', 'xs1')
    await pool.up()
    expect(await live.whereIs(vm)).toBe('Running on xs2')
    expect(await live.guestsOn('xs1')).toEqual([])
    expect((await live.record('VM', vm)).allowed_operations).toContain('pool_migrate')
    expect(await live.outcome('VM.hard_reboot', vm)).toBe('ok')
  })

  test('only the coordinator’s program, stopped in order: guests stay, and a reset is for those that do not run', async () => {
    const vm = await live.guestOn('xs1')
    await pool.fault('stop', 'xs1')
    await pool.fault('start', 'xs1')
    await pool.up()
    expect(await live.whereIs(vm)).toBe('Running on xs1')
    expect(await live.outcome('VM.power_state_reset', vm)).toBe('ok')
    expect(await live.whereIs(vm)).toBe('Halted')
  })
})
