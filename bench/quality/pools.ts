/** A believable pool around a trace: a VM a line, equal hosts of a size that makes the pool as busy as is asked. */
import { type Pool, readPool } from '../../src/balance/index.js'
import { pick, randomFrom } from './random.js'
import type { Trace } from './traces.js'

const GIB = 2 ** 30

export interface PoolWish {
  readonly hosts: number
  /** Mean of demand over capacity, over all hosts and all the time. */
  readonly load: number
  readonly seed: number
}

/** VMs are placed at random, where memory has room for them. */
export function poolFrom(traces: readonly Trace[], { hosts, load, seed }: PoolWish): Pool {
  const random = randomFrom(seed)
  const vms = traces.map((trace) => {
    const vcpus = pick(random, VCPUS, 1)
    return { trace, vcpus, gib: vcpus * pick(random, GIB_PER_VCPU, 2) }
  })
  const gibNeeded = vms.reduce((sum, { gib }) => sum + gib, 0)
  const hostGib = Math.ceil((1.4 * gibNeeded) / hosts)
  const free = Array.from({ length: hosts }, () => hostGib)
  const hostOf = vms.map(({ gib }) => {
    const fitting = free.flatMap((left, h) => (left >= gib ? [h] : []))
    const h = fitting[Math.floor(random.next() * fitting.length)] ?? 0
    free[h] = (free[h] ?? 0) - gib
    return h
  })
  const demanded = vms.reduce((sum, { trace, vcpus }) => sum + vcpus * meanOf(trace), 0)
  const cpus = Math.max(1, Math.round(demanded / load / hosts))
  // CPUs are whole; what rounding takes or gives is made up in the demand
  const scale = (cpus * hosts * load) / demanded
  return poolOf({
    format: 'openwlb-pool/1',
    at: '2026-03-02T00:00:00Z',
    pool: { uuid: 'pool', coordinator: name('host', 0) },
    hosts: free.map((_, h) => ({ uuid: name('host', h), cpus, memoryBytes: hostGib * GIB })),
    vms: vms.map(({ trace, vcpus, gib }, v) => ({
      uuid: name('vm', v),
      host: name('host', hostOf[v] ?? 0),
      vcpus,
      memoryFloorBytes: gib * GIB,
      demand: { cpu: trace.map((share) => share * vcpus * scale) },
    })),
  })
}

/** Sizes, and how often they occur. */
export const VCPUS = [
  [1, 0.4],
  [2, 0.35],
  [4, 0.2],
  [8, 0.05],
] as const
export const GIB_PER_VCPU = [
  [1, 0.3],
  [2, 0.5],
  [4, 0.2],
] as const

function meanOf(trace: Trace): number {
  return trace.reduce((sum, share) => sum + share, 0) / trace.length
}

function name(kind: string, number: number): string {
  return `${kind}-${String(number).padStart(4, '0')}`
}

export function poolOf(document: object): Pool {
  const reading = readPool(JSON.stringify(document))
  if (reading.state === 'refused') throw new Error(JSON.stringify(reading.problems))
  return reading.pool
}
