/** Where VMs are while a plan is made, with the sums that follow from it. It starts as the pool is, and changes move by move. */
import { type CompiledPool, NOWHERE, RESOURCES } from './compiled-pool.js'

export interface Placement {
  /** [v] */
  readonly hostOf: Int32Array
  /** [(h * RESOURCES.length + r) * scenarioCount + s]: the host's own consumption and that of its VMs. */
  readonly load: Float64Array
  /** [h] sums over the VMs there */
  readonly floorBytes: Float64Array
  readonly wantBytes: Float64Array
  readonly staticMaxBytes: Float64Array
  readonly vmCount: Int32Array
  /** [h] VMs whose load is not known: such a host receives nothing because of load. */
  readonly unknownCount: Int32Array
}

/** The pool as it is. */
export function startPlacement(pool: CompiledPool): Placement {
  const hosts = pool.hosts.length
  const placement: Placement = {
    hostOf: new Int32Array(pool.vms.length).fill(NOWHERE),
    load: pool.base.slice(),
    floorBytes: new Float64Array(hosts),
    wantBytes: new Float64Array(hosts),
    staticMaxBytes: new Float64Array(hosts),
    vmCount: new Int32Array(hosts),
    unknownCount: new Int32Array(hosts),
  }
  for (const [v, h] of pool.hostOf.entries()) put(pool, placement, v, h)
  return placement
}

export function copyPlacement(placement: Placement): Placement {
  return {
    hostOf: placement.hostOf.slice(),
    load: placement.load.slice(),
    floorBytes: placement.floorBytes.slice(),
    wantBytes: placement.wantBytes.slice(),
    staticMaxBytes: placement.staticMaxBytes.slice(),
    vmCount: placement.vmCount.slice(),
    unknownCount: placement.unknownCount.slice(),
  }
}

/** Takes a VM from where it is, if anywhere, and puts it on `host`, which may be NOWHERE. */
export function put(pool: CompiledPool, placement: Placement, v: number, host: number): void {
  add(pool, placement, v, placement.hostOf[v] ?? NOWHERE, -1)
  add(pool, placement, v, host, 1)
  placement.hostOf[v] = host
}

function add(pool: CompiledPool, placement: Placement, v: number, h: number, sign: 1 | -1): void {
  if (h === NOWHERE) return
  const { load } = placement
  const { demand, scenarioCount, measuredResources } = pool
  for (const r of measuredResources) {
    let to = (h * RESOURCES.length + r) * scenarioCount
    let from = (v * RESOURCES.length + r) * scenarioCount
    for (const end = from + scenarioCount; from < end; from++, to++)
      load[to] = (load[to] ?? 0) + sign * (demand[from] ?? 0)
  }
  placement.floorBytes[h] = (placement.floorBytes[h] ?? 0) + sign * (pool.floorBytes[v] ?? 0)
  placement.wantBytes[h] = (placement.wantBytes[h] ?? 0) + sign * (pool.wantBytes[v] ?? 0)
  placement.staticMaxBytes[h] = (placement.staticMaxBytes[h] ?? 0) + sign * (pool.staticMaxBytes[v] ?? 0)
  placement.vmCount[h] = (placement.vmCount[h] ?? 0) + sign
  if (pool.isLoadKnown[v] === 0) placement.unknownCount[h] = (placement.unknownCount[h] ?? 0) + sign
}
