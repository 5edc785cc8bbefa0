/** Row 6: how long answers for a large pool take, in time of the processor. */
import { evacuate, optimise, type Pool, place } from '../../src/balance/index.js'
import { poolOf } from './pools.js'
import { randomFrom } from './random.js'
import { processorMs } from './replays.js'
import type { Table } from './table.js'

const GIB = 2 ** 30
const RESOURCES = ['cpu', 'networkReceive', 'networkTransmit', 'diskRead', 'diskWrite'] as const
/** Means of what a VM demands at load 1, a host has 32 times as much. */
const LOAD = 0.65
const SAMPLES = 24

/** VMs at random places; each resource of the pool as busy as LOAD says. */
function largePool(hostCount: number, vmCount: number): Pool {
  const random = randomFrom(1)
  const perHost = vmCount / hostCount
  const series = (mean: number) => {
    const own = mean * Math.exp(random.normal() - 0.5)
    return Array.from({ length: SAMPLES }, () => own * Math.exp(0.5 * random.normal() - 0.125))
  }
  const capacity = 1e9
  const cpus = 32
  return poolOf({
    format: 'openwlb-pool/1',
    at: '2026-03-01T12:00:00Z',
    pool: { uuid: 'pool', coordinator: 'h0' },
    hosts: Array.from({ length: hostCount }, (_, h) => ({
      uuid: `h${h}`,
      cpus,
      memoryBytes: Math.ceil(1.4 * perHost * 6) * GIB,
      network: { receiveBytesPerSecond: capacity, transmitBytesPerSecond: capacity },
      storage: { readBytesPerSecond: capacity, writeBytesPerSecond: capacity },
    })),
    vms: Array.from({ length: vmCount }, (_, v) => ({
      uuid: `v${v}`,
      host: `h${Math.floor(random.next() * hostCount)}`,
      vcpus: 2,
      memoryFloorBytes: [2, 4, 8, 10][v % 4]! * GIB,
      demand: Object.fromEntries(
        RESOURCES.map((name) => [name, series((LOAD * (name === 'cpu' ? cpus : capacity)) / perHost)]),
      ),
    })),
  })
}

export function speed(): readonly Table[] {
  const pool = largePool(64, 2000)
  const half = largePool(64, 1000)
  const plan = fastest(3, () => optimise(pool))
  const planOfHalf = fastest(3, () => optimise(half))
  const row = (what: string, ms: number, goal: number) => [
    what,
    `${ms < 20 ? ms.toFixed(1) : Math.round(ms)} ms`,
    `< ${goal} ms`,
    ms < goal ? 'reached' : 'missed',
  ]
  return [
    {
      title: '6. 64 hosts, 2,000 VMs, 5 resources, 24 scenarios, load .65: time of the processor, the best of several',
      head: ['what', 'ours', 'goal', ''],
      lines: [
        row(`plan, ${optimise(pool).moves.length} moves`, plan, 1000),
        row(
          'place',
          fastest(20, () => place(pool, 'v7')),
          10,
        ),
        row(
          'evacuate',
          fastest(5, () => evacuate(pool, 'h7')),
          200,
        ),
        ['plan: twice the VMs', `${(plan / planOfHalf).toFixed(1)} times the time`, 'linear', ''],
      ],
    },
  ]
}

function fastest(runs: number, work: () => unknown): number {
  const times = Array.from({ length: runs }, () => {
    const start = processorMs()
    work()
    return processorMs() - start
  })
  return Math.min(...times)
}
