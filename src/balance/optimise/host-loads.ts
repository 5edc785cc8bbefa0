/** How full each host is before a plan and after it, for a table. */
import { compile } from '../compiled/compile.js'
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { meanShareOf } from '../compiled/congestion.js'
import { nameOfHost } from '../compiled/describe.js'
import { type Placement, put, startPlacement } from '../compiled/placement.js'
import type { Pool } from '../document/pool-document.js'
import type { Plan } from '../plan.js'

export interface HostLoad {
  readonly name: string
  readonly before: Load
  readonly after: Load
}
export interface Load {
  /** Of what the host has, in the mean of the scenarios. */
  readonly cpu: number
  readonly memory: number
  readonly vms: number
}

export function hostLoads(pool: Pool, { moves }: Plan): readonly HostLoad[] {
  const compiled = compile(pool)
  const start = startPlacement(compiled)
  const end = startPlacement(compiled)
  for (const { vm, to } of moves) {
    put(compiled, end, compiled.vmNumbers.get(vm) ?? NOWHERE, compiled.hostNumbers.get(to) ?? NOWHERE)
  }
  return compiled.hosts.map((_, h) => ({
    name: nameOfHost(compiled, h),
    before: loadOf(compiled, start, h),
    after: loadOf(compiled, end, h),
  }))
}

function loadOf(pool: CompiledPool, placement: Placement, h: number): Load {
  return {
    cpu: meanShareOf(pool, placement, h, 0),
    memory: (placement.wantBytes[h] ?? 0) / Math.max(1, pool.memoryBytes[h] ?? 0),
    vms: placement.vmCount[h] ?? 0,
  }
}
