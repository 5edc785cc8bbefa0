/** Hosts that may fail: xapi's failover planner, asked about all VMs that run, at the memory they want, as if all were protected. */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import type { Placement } from '../compiled/placement.js'
import { type FailoverQuestion, failoverPlanExists } from './failover.js'

/** So many hosts may fail, up to `most`, and all VMs that run can be started again on the others. */
export function spareHosts(pool: CompiledPool, placement: Placement, most: number): number {
  if (most === 0) return 0
  const question = questionOf(pool, placement)
  let failures = 0
  while (failures < Math.min(most, question.freeBytes.length) && failoverPlanExists(question, failures + 1)) failures++
  return failures
}

function questionOf(pool: CompiledPool, { hostOf, wantBytes }: Placement): FailoverQuestion {
  const indexOf = new Map<number, number>()
  for (const [h, isEnabled] of pool.isEnabled.entries()) if (isEnabled === 1) indexOf.set(h, indexOf.size)
  return {
    totalHosts: pool.hosts.length,
    freeBytes: [...indexOf.keys()].map((h) => Math.max(0, (pool.memoryBytes[h] ?? 0) - (wantBytes[h] ?? 0))),
    // those on hosts that are disabled or dead are to be started on the others too
    vms: pool.vms.flatMap(({ state }, v) =>
      state === 'running' ? [{ bytes: pool.wantBytes[v] ?? 0, host: indexOf.get(hostOf[v] ?? NOWHERE) }] : [],
    ),
  }
}
