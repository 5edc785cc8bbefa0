/**
 * What people use instead: thresholds, looked at every minute. A host over the high mark, now and in the weighted mean, gives its
 * busiest VMs to the least busy host until it is under the low mark; the target must stay under the low mark. A VM rests for 30
 * minutes after a move. Written from a description of such a balancer.
 */
import type { Policy, Pool } from '../../src/balance/index.js'

const HIGH = 0.765
const LOW = 0.585
const MIB = 2 ** 20
const MEMORY_HIGH_BYTES = 1200 * MIB
const RECENT_WEIGHT = 0.75
const HISTORY_MINUTES = 30
const REST_MINUTES = 30
/** Moves at a time, which take about a minute. */
const IN_FLIGHT = 2
/** Of VMs whose load differs by less than this factor the one with the most memory goes first. */
const TOLERANCE = 3

interface HostState {
  readonly uuid: string
  readonly cpus: number
  /** Shares of its CPU. */
  readonly now: number
  /** Weighted with the last half hour; changes with what is decided. */
  cpu: number
  freeBytes: number
}
interface VmState {
  readonly uuid: string
  readonly host: string | null
  /** Cores. */
  readonly cpu: number
  readonly memoryBytes: number
  readonly isResting: boolean
}

export function greedy(): Policy {
  // as measured by the host itself: it remembers VMs that have left
  const history = new Map<string, number[]>()
  return {
    everyMinutes: 1,
    decide: (pool) => {
      const vms = vmStates(pool)
      const hosts = hostStates(pool, vms, history)
      return {
        moves: hosts
          .filter(isHot)
          .flatMap((host) => relieve(host, hosts, vms))
          .slice(0, IN_FLIGHT),
      }
    },
  }
}

function isHot({ now, cpu }: HostState): boolean {
  return now >= HIGH && cpu >= HIGH
}

function vmStates({ at, vms, demand: { stepSeconds } }: Pool): readonly VmState[] {
  const samples = Math.max(1, Math.round((HISTORY_MINUTES * 60) / stepSeconds))
  return vms.map(({ uuid, host, memoryFloorBytes, lastMovedAt, demand: { cpu = [] } }) => {
    const past = cpu.slice(-samples).map((sample) => sample ?? 0)
    return {
      uuid,
      host,
      cpu: RECENT_WEIGHT * (past.at(-1) ?? 0) + (1 - RECENT_WEIGHT) * meanOf(past),
      memoryBytes: memoryFloorBytes,
      isResting: lastMovedAt !== undefined && Date.parse(at) - Date.parse(lastMovedAt) < REST_MINUTES * 60_000,
    }
  })
}

function hostStates(pool: Pool, vms: readonly VmState[], history: Map<string, number[]>): readonly HostState[] {
  const cores = new Map<string, number>()
  const bytes = new Map<string, number>()
  for (const [v, { host, demand, memoryFloorBytes }] of pool.vms.entries()) {
    if (host === null || !vms[v]) continue
    cores.set(host, (cores.get(host) ?? 0) + (demand.cpu?.at(-1) ?? 0))
    bytes.set(host, (bytes.get(host) ?? 0) + memoryFloorBytes)
  }
  return pool.hosts.map(({ uuid, cpus, memoryBytes }) => {
    const now = (cores.get(uuid) ?? 0) / cpus
    const past = [...(history.get(uuid) ?? []), now].slice(-HISTORY_MINUTES)
    history.set(uuid, past)
    const cpu = RECENT_WEIGHT * now + (1 - RECENT_WEIGHT) * meanOf(past)
    return { uuid, cpus, now, cpu, freeBytes: memoryBytes - (bytes.get(uuid) ?? 0) }
  })
}

/** Minutes without any load do not count. */
function meanOf(values: readonly number[]): number {
  const counted = values.filter((value) => value > 0)
  return counted.length > 0 ? counted.reduce((sum, value) => sum + value, 0) / counted.length : 0
}

function relieve(host: HostState, hosts: readonly HostState[], vms: readonly VmState[]) {
  const moves: { readonly vm: string; readonly to: string }[] = []
  const own = vms.filter((vm) => vm.host === host.uuid && !vm.isResting).sort(busiestFirst)
  for (const vm of own) {
    if (host.cpu <= LOW) break
    const [target] = hosts
      .filter((other) => other !== host)
      .sort(
        (one, other) =>
          Number(one.cpu >= HIGH) - Number(other.cpu >= HIGH) || one.cpu - other.cpu || other.freeBytes - one.freeBytes,
      )
    if (!target) break
    const isTooMuch = target.cpu + vm.cpu / target.cpus >= LOW || target.freeBytes - vm.memoryBytes <= MEMORY_HIGH_BYTES
    if (isTooMuch) continue
    target.cpu += vm.cpu / target.cpus
    target.freeBytes -= vm.memoryBytes
    host.cpu -= vm.cpu / host.cpus
    host.freeBytes += vm.memoryBytes
    moves.push({ vm: vm.uuid, to: target.uuid })
  }
  return moves
}

function busiestFirst(one: VmState, other: VmState): number {
  const isAlike = one.cpu < TOLERANCE * other.cpu && other.cpu < TOLERANCE * one.cpu
  return isAlike ? other.memoryBytes - one.memoryBytes : other.cpu - one.cpu
}
