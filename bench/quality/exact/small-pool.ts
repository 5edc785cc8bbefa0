/**
 * Pools that an exact solver can do justice to: some hosts of one size, VMs of all sizes with a base load, a wave they share and
 * bursts of their own, placed at random where memory allows.
 */
import { type Pool, readPool } from '../../../src/balance/index.js'
import { GIB_PER_VCPU, VCPUS } from '../pools.js'
import { pick, type Random, randomFrom } from '../random.js'

export interface SmallPool {
  readonly hosts: number
  readonly vms: number
  /** Samples of five minutes; each is a scenario. */
  readonly samples: number
  /** Mean load of the hosts' CPUs. */
  readonly load: number
  readonly seed: number
}

const GIB = 2 ** 30
/** Memory of all hosts, in shares of what the VMs want. */
const MEMORY_ROOM = 1.4
export function makeSmallPool({ hosts, vms, samples, load, seed }: SmallPool): Pool {
  const random = randomFrom(seed)
  const wave = Array.from({ length: samples }, () => 0.7 + 0.6 * random.next())
  const guests = Array.from({ length: vms }, () => makeVm(random, wave))
  const used = guests.reduce((sum, { cpu }) => sum + cpu.reduce((total, cores) => total + cores, 0) / samples, 0)
  const gib = guests.reduce((sum, guest) => sum + guest.gib, 0)
  const cpus = Math.round(used / (hosts * load))
  const hostBytes = Math.ceil((MEMORY_ROOM * gib) / hosts) * GIB
  const free = Array.from({ length: hosts }, () => hostBytes)
  const name = (kind: string, at: number) => `${kind}${String(at).padStart(3, '0')}`
  const document = {
    format: 'openwlb-pool/1',
    at: '2026-03-01T12:00:00Z',
    pool: { uuid: 'pool', coordinator: 'h000' },
    hosts: free.map((memoryBytes, h) => ({ uuid: name('h', h), cpus, memoryBytes })),
    vms: guests.map(({ vcpus, gib: size, cpu }, v) => ({
      uuid: name('v', v),
      host: name('h', takeRoom(random, free, size * GIB)),
      vcpus,
      vcpuUnrestricted: true, // small hosts may have fewer CPUs than the largest VM
      memoryFloorBytes: size * GIB,
      demand: { cpu },
    })),
  }
  const reading = readPool(JSON.stringify(document))
  if (reading.state === 'refused') throw new Error(JSON.stringify(reading.problems))
  return reading.pool
}

function makeVm(random: Random, wave: readonly number[]) {
  const vcpus = pick(random, VCPUS, 1)
  const gib = vcpus * pick(random, GIB_PER_VCPU, 2)
  const base = 0.05 + 0.55 * random.next() ** 2
  const cpu = wave.map((height) => {
    const burst = random.next() < 0.12 ? 0.5 * random.next() : 0
    return vcpus * Math.min(1, base * height * (0.7 + 0.6 * random.next()) + burst)
  })
  return { vcpus, gib, cpu }
}

/** A random one of the hosts with room. */
function takeRoom(random: Random, free: number[], bytes: number): number {
  const fitting = free.flatMap((room, h) => (room >= bytes ? [h] : []))
  const h = fitting[Math.floor(random.next() * fitting.length)]
  if (h === undefined) throw new Error('the hosts have too little memory for the VMs')
  free[h] = (free[h] ?? 0) - bytes
  return h
}
