/** `wlb lab vms`, `load` and `top`: what people see, and what programs read. */
import { describe, expect, it, test } from 'vitest'
import { z } from 'zod'
import { describeTop } from '../../src/cli/lab/top.js'
import type { PoolUse } from '../../src/lab/index.js'
import { usePool } from '../lab/test-pool.js'
import { requirePart } from '../real-parts.js'
import { run } from './program.js'
import { wlbAtTerminal } from './terminal.js'

const pool = usePool({ hosts: 2, vms: 4, seed: 7, speed: 60, load: 'flat' })
const wlb = (...args: string[]) => run('wlb', ['--root', pool.root, 'lab', ...args])

const vmsSchema = z.array(
  z.strictObject({
    uuid: z.string(),
    name: z.string(),
    host: z.enum(['xs1', 'xs2']),
    state: z.literal('Running'),
    vcpus: z.int(),
    memoryBytes: z.int(),
    cpu: z.number(),
  }),
)

async function vms() {
  const { stdout, exitCode } = await wlb('vms', '--json')
  expect(exitCode).toBe(0)
  return vmsSchema.parse(JSON.parse(stdout))
}

test('vms --json has the fields scripts rely on, in their order; a load shows in it', async () => {
  const all = await vms()
  expect(all).toHaveLength(4)
  const [vm] = all
  if (!vm) throw new Error('no VM')
  expect(Object.keys(vm)).toEqual(['uuid', 'name', 'host', 'state', 'vcpus', 'memoryBytes', 'cpu'])

  const pinned = await wlb('load', vm.name, '--cpu', '0.875', '--for', '30', '--json')
  expect(JSON.parse(pinned.stdout)).toEqual({ kind: 'vm', uuid: vm.uuid, name: vm.name, cpu: 0.875, minutes: 30 })
  expect((await vms())[0]?.cpu).toBe(0.875)
  expect((await wlb('load', vm.uuid, '--cpu', '0')).stdout).toContain(`${vm.name} demands 0 processors.\n`)
  expect((await vms())[0]?.cpu).toBe(0)
  expect((await wlb('load', 'xs2', '--cpu', '1')).stdout).toContain('The control domain of xs2 demands 1 processor.\n')
})

describe('what is refused', () => {
  const cases: [args: string, exitCode: number, says: string][] = [
    ['load nobody --cpu 1', 1, '[LAB_LOAD_UNKNOWN]'],
    ['load xs1 --cpu 1000', 1, '[LAB_LOAD_TOO_MUCH]'],
    ['load xs1', 2, "required option '--cpu <CORES>' not specified"],
    ['load xs1 --cpu -1', 2, 'It must be a number of processors'],
    ['load xs1 --cpu lots', 2, 'It must be a number of processors'],
    ['load xs1 --cpu 1 --for 0', 2, 'It must be a number of minutes.'],
    ['up --load heavy', 2, 'Allowed choices are diurnal, bursty, flat.'],
    ['up --load bursty', 1, '[LAB_OTHERWISE]'],
    ['break no-such-thing xs1', 2, '[USAGE_FAULT]'],
  ]
  it.each(cases)('%s: exit %d, %s', async (args, exitCode, says) => {
    const ended = await wlb(...args.split(' '))
    expect(ended.stderr).toContain(says)
    expect(ended.exitCode).toBe(exitCode)
    expect(ended.stdout).toBe('')
  })
})

test('top in a pipe: once, hosts and VMs', async () => {
  const { stdout, stderr, exitCode } = await wlb('top')
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  expect(stdout).toMatch(/^\d\d:\d\d:\d\d UTC {3}the load's day: \d\d:\d\d, 60 times faster {3}4 VMs, 4 run\n/)
  expect(stdout.split('\n').filter((line) => /^(xs\d|\w+-\d\d) /.test(line))).toHaveLength(6)
  const { hosts } = JSON.parse((await wlb('top', '--json')).stdout)
  expect(hosts).toHaveLength(2)
})

test.skipIf(!requirePart('script'))('top at a terminal: drawn again, until q', async () => {
  const terminal = wlbAtTerminal(['--root', pool.root, 'lab', 'top'], {})
  await terminal.shown("the load's day")
  await terminal.shown("the load's day")
  terminal.press('q')
  expect(await terminal.ended).toMatch(/exit 0\n$/)
})

test('the screen', () => {
  const figures = { wanted: 1.5, cpu: 1.25, rx: 2_000, tx: 1_000, read: 5_000, write: 64_000 }
  const vm = { uuid: 'u', name: 'web-01', host: 'xs1', state: 'Running', vcpus: 2, memoryBytes: 2 ** 31, ...figures }
  const halted = { ...vm, name: 'off', host: null, state: 'Halted', wanted: 0, cpu: 0, rx: 0, tx: 0, read: 0, write: 0 }
  const host = { uuid: 'h', name: 'xs1', live: true, cores: 4, memoryBytes: 2 ** 35, memoryFreeBytes: 2 ** 34, vms: 1 }
  const use: PoolUse = {
    at: '2026-12-01T16:30:00.000Z',
    speed: 1,
    timeOfDay: '16:30',
    hosts: [{ ...host, ...figures, controlDomain: vm }],
    vms: [halted, vm],
  }
  expect(describeTop(use).map((line) => line.trimEnd())).toEqual([
    "16:30:00 UTC   the load's day: 16:30   2 VMs, 1 run",
    '',
    'host  state  VMs  CPU %  wanted %  cores  free MiB  MiB    tx k/s  rx k/s',
    'xs1   live   1    31.3   37.5      4      16384     32768  1       2',
    '',
    'VM      host  state    CPU %  waits %  vCPUs  MiB   tx k/s  rx k/s  read k/s  write k/s',
    'web-01  xs1   Running  125.0  25.0     2      2048  1       2       5         64',
    'off     -     Halted   0.0    0.0      2      2048  0       0       0         0',
  ])
})
