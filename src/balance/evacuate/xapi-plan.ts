/**
 * The plan that xapi makes without Workload Balancing (`compute_evacuation_plan` in xapi_ha_vm_failover.ml): VMs that could run on
 * every other enabled host, the largest first, each to the host with the most free memory; one that does not fit there is left
 * out. Ours must never place fewer.
 */
import type { CompiledPool } from '../compiled/compiled-pool.js'
import type { Placement } from '../compiled/placement.js'
import { mayRun } from '../rules/may-run.js'
import type { Assignment, Targets } from './targets.js'

export function xapiPlan(pool: CompiledPool, now: Placement, { from, leaving }: Targets): Assignment {
  const hosts = pool.hosts.flatMap((_, h) => (h !== from && pool.isEnabled[h] === 1 ? [h] : []))
  const free = new Map(hosts.map((h) => [h, Math.max(0, (pool.memoryBytes[h] ?? 0) - (now.floorBytes[h] ?? 0))]))
  const source = pool.hosts[from]
  const vms = leaving
    .filter((v) => hosts.every((h) => isFit(pool, v, h, source)))
    .sort((a, b) => (pool.floorBytes[b] ?? 0) - (pool.floorBytes[a] ?? 0) || a - b)
  const plan = new Map<number, number>()
  for (const v of vms) {
    const [roomiest] = hosts.toSorted((a, b) => (free.get(b) ?? 0) - (free.get(a) ?? 0) || a - b)
    const left = roomiest === undefined ? -1 : (free.get(roomiest) ?? 0) - (pool.floorBytes[v] ?? 0)
    if (roomiest === undefined || left < 0) continue
    free.set(roomiest, left)
    plan.set(v, roomiest)
  }
  return plan
}

function isFit(pool: CompiledPool, v: number, h: number, source: CompiledPool['hosts'][number] | undefined): boolean {
  const [vm, host] = [pool.vms[v], pool.hosts[h]]
  return vm !== undefined && host !== undefined && mayRun(vm, host, undefined, source) === undefined
}
