/** Where a VM goes when hosts are filled up: into the fullest host that has room for it and its peaks. */
import type { Draft } from './draft.js'
import { fullness } from './room.js'

export interface Target {
  readonly h: number
  /** How full the host is with the VM; at most 1 where it has room. */
  readonly fullness: number
}

/** Hosts that may receive `v` because of load or power, apart from what several VMs decide together. */
export function targetsFor({ pool, placement }: Draft, v: number): readonly number[] {
  const from = placement.hostOf[v]
  return pool.hosts.flatMap((_, h) =>
    h !== from &&
    pool.isAccepting[h] === 1 &&
    pool.mayRun[v * pool.hosts.length + h] === 1 &&
    placement.unknownCount[h] === 0 &&
    (placement.floorBytes[h] ?? 0) + (pool.floorBytes[v] ?? 0) <= (pool.memoryBytes[h] ?? 0)
      ? [h]
      : [],
  )
}

/** The fullest of the hosts with room first, those that might be switched off instead last. */
export function bestFit(draft: Draft, v: number): readonly Target[] {
  return roomyTargets(draft, v, (one, other) => other.fullness - one.fullness)
}

/** The emptiest first, and those that might be switched off instead last. */
export function worstFit(draft: Draft, v: number): readonly Target[] {
  return roomyTargets(draft, v, (one, other) => one.fullness - other.fullness)
}

function roomyTargets(draft: Draft, v: number, compare: (one: Target, other: Target) => number): readonly Target[] {
  const { pool, placement } = draft
  return targetsFor(draft, v)
    .map((h) => ({ h, fullness: fullness(pool, placement, h, v) }))
    .filter((target) => target.fullness <= 1)
    .sort((one, other) => isSpare(draft, one.h) - isSpare(draft, other.h) || compare(one, other) || one.h - other.h)
}

/** Empty, and might be switched off: whatever moves there keeps it on. */
function isSpare({ pool, placement }: Draft, h: number): number {
  const power = pool.hosts[h]?.power
  return Number(placement.vmCount[h] === 0 && h !== pool.coordinator && power?.managed === true && power.tested)
}
