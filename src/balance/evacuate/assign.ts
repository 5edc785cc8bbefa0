/**
 * VMs to hosts: as many as possible, and of those assignments the one with the least load. Those with the fewest choices go first;
 * one that finds no room sends another elsewhere. What xapi's own planner would place is always placed.
 */
import type { CompiledPool } from '../compiled/compiled-pool.js'
import { congestionOf } from '../compiled/congestion.js'
import { copyPlacement, type Placement, put } from '../compiled/placement.js'
import { type Assignment, refuseTarget, type Targets } from './targets.js'
import { xapiPlan } from './xapi-plan.js'

/** What is assigned so far, and the placement with it. */
interface Draft {
  readonly targetOf: Map<number, number>
  readonly placement: Placement
}

export function assign(pool: CompiledPool, now: Placement, targets: Targets): Assignment {
  const first = fill(pool, { targetOf: new Map(), placement: copyPlacement(now) }, targets)
  const floor = xapiPlan(pool, now, targets)
  const isEnough = [...floor.keys()].every((v) => first.targetOf.has(v))
  const draft = isEnough ? first : fill(pool, seed(pool, now, targets, floor), targets)
  settle(pool, draft, targets)
  return draft.targetOf
}

/** xapi's plan, as far as our rules allow it. */
function seed(pool: CompiledPool, now: Placement, targets: Targets, plan: Assignment): Draft {
  const draft: Draft = { targetOf: new Map(), placement: copyPlacement(now) }
  for (const [v, h] of plan) {
    if (!refuseTarget(pool, draft.placement, targets, v, h)) send(pool, draft, v, h)
  }
  return draft
}

function send(pool: CompiledPool, { targetOf, placement }: Draft, v: number, h: number): void {
  put(pool, placement, v, h)
  targetOf.set(v, h)
}

/** Assigns those that are not yet: fewest choices first, then the largest. */
function fill(pool: CompiledPool, draft: Draft, targets: Targets): Draft {
  const choices = (v: number) => targets.of.get(v)?.length ?? 0
  const order = targets.leaving
    .filter((v) => !draft.targetOf.has(v))
    .sort((a, b) => choices(a) - choices(b) || (pool.floorBytes[b] ?? 0) - (pool.floorBytes[a] ?? 0) || a - b)
  for (const v of order) {
    const h = lightest(pool, draft, targets, v)
    if (h !== undefined) send(pool, draft, v, h)
    else makeRoom(pool, draft, targets, v)
  }
  return draft
}

/** The possible target that the VM burdens least; of equal ones the one with the most memory left. */
function lightest(pool: CompiledPool, { placement }: Draft, targets: Targets, v: number): number | undefined {
  const candidates = (targets.of.get(v) ?? []).map((h) => ({
    h,
    burden: congestionOf(pool, placement, h, v, 1) - congestionOf(pool, placement, h),
    free: (pool.memoryBytes[h] ?? 0) - (placement.floorBytes[h] ?? 0),
  }))
  return candidates
    .sort((one, other) => one.burden - other.burden || other.free - one.free || one.h - other.h)
    .find(({ h }) => refuseTarget(pool, placement, targets, v, h) === undefined)?.h
}

/** Sends one that is assigned already to another target, so that `v` fits in its place. */
function makeRoom(pool: CompiledPool, draft: Draft, targets: Targets, v: number): void {
  const missing = (h: number) =>
    (draft.placement.floorBytes[h] ?? 0) + (pool.floorBytes[v] ?? 0) - (pool.memoryBytes[h] ?? 0)
  for (const h of targets.of.get(v) ?? []) {
    const yielding = [...draft.targetOf]
      .filter(([other, at]) => at === h && (pool.floorBytes[other] ?? 0) >= missing(h))
      .map(([other]) => other)
      .sort((a, b) => (pool.floorBytes[a] ?? 0) - (pool.floorBytes[b] ?? 0) || a - b)
    for (const other of yielding) {
      put(pool, draft.placement, other, targets.from)
      const isFree = refuseTarget(pool, draft.placement, targets, v, h) === undefined
      if (isFree) {
        send(pool, draft, v, h)
        const elsewhere = lightest(pool, draft, targets, other)
        if (elsewhere !== undefined) {
          send(pool, draft, other, elsewhere)
          return
        }
        put(pool, draft.placement, v, targets.from)
        draft.targetOf.delete(v)
      }
      put(pool, draft.placement, other, h)
    }
  }
}

/** More rounds than that change next to nothing. */
const MOST_ROUNDS = 10

/** Sends VMs to lighter targets as long as that lowers the load; the number of those that leave stays the same. */
function settle(pool: CompiledPool, draft: Draft, targets: Targets): void {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    let isChanged = false
    for (const [v, h] of [...draft.targetOf].sort(([a], [b]) => a - b)) {
      const saved = congestionOf(pool, draft.placement, h) - congestionOf(pool, draft.placement, h, v, -1)
      if (saved <= 0) continue
      put(pool, draft.placement, v, targets.from)
      const better = lightest(pool, draft, targets, v)
      const burden = (at: number) =>
        congestionOf(pool, draft.placement, at, v, 1) - congestionOf(pool, draft.placement, at)
      const to = better !== undefined && burden(better) < burden(h) - 1e-9 ? better : h
      send(pool, draft, v, to)
      isChanged ||= to !== h
    }
    if (!isChanged) return
  }
}
