/**
 * The state of a search for a better placement: where VMs are at present, and what each move from there would gain, remembered until
 * one of its two hosts changes. A VM that has moved in the search goes elsewhere for nothing more, and home for its cost back.
 */
import { type CompiledPool, NOWHERE, RESOURCES } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes, moveCost } from '../compiled/congestion.js'
import { copyPlacement, type Placement, put } from '../compiled/placement.js'
import { softGain } from '../compiled/soft-rules.js'
import type { Step } from './step.js'

/** A change of the placement while searching. */
export interface Shift {
  readonly v: number
  readonly from: number
  readonly to: number
  /** Congested host-minutes saved over the horizon. */
  readonly gain: number
  /** What it adds to the cost of the plan's moves; less than 0 for one that goes home. */
  readonly cost: number
}

export class Search {
  readonly pool: CompiledPool
  readonly start: Placement
  readonly placement: Placement
  /** What has been gained beyond costs since the beginning. */
  surplus = 0
  /** What has been gained, whatever it cost. */
  saved = 0
  /** Hosts' loads that were calculated with a VM more or less: the work done so far. */
  evaluations = 0
  /** [v] where it was before the plan. */
  readonly #home: Int32Array
  /** [v] 1: it stays where it is, as its move repairs something. */
  readonly #isFixed: Uint8Array
  /** [v] 1: it must not go home. */
  readonly #isBanished: Uint8Array
  /** [h] */
  readonly #congestion: Float64Array
  /** [v] what its host is relieved by when it leaves; NaN where it has to be calculated. */
  readonly #relief: Float64Array
  /** [v * hosts + h] what that host is burdened with; NaN where it has to be calculated. */
  readonly #burden: Float64Array

  /** `repairs` are taken already, from the pool as it is, and lead to `start`. */
  constructor(pool: CompiledPool, start: Placement, repairs: readonly Step[]) {
    this.pool = pool
    this.start = start
    this.placement = copyPlacement(start)
    this.#home = pool.hostOf
    this.#isFixed = new Uint8Array(pool.vms.length)
    this.#isBanished = new Uint8Array(pool.vms.length)
    for (const { v, reason } of repairs) {
      if (reason === 'Rule') this.#isFixed[v] = 1
      this.#isBanished[v] = 1
    }
    this.#congestion = Float64Array.from(pool.hosts, (_, h) => congestionOf(pool, start, h))
    this.#relief = new Float64Array(pool.vms.length).fill(Number.NaN)
    this.#burden = new Float64Array(pool.vms.length * pool.hosts.length).fill(Number.NaN)
  }

  congestion(h: number): number {
    return this.#congestion[h] ?? 0
  }

  /** What the plan's moves cost more by `v` going to `to`. */
  costOf(v: number, to: number): number {
    const home = this.#home[v] ?? NOWHERE
    const isAway = this.placement.hostOf[v] !== home
    if (to === home) return isAway ? -moveCost(this.pool, v) : 0
    return isAway ? 0 : moveCost(this.pool, v)
  }

  apply({ v, to, gain, cost }: Shift): void {
    const from = this.placement.hostOf[v] ?? NOWHERE
    put(this.pool, this.placement, v, to)
    this.surplus += gain - cost
    this.saved += gain
    this.#forget(from)
    this.#forget(to)
  }

  /** Back to the beginning. What is known about hosts that have not changed stays known. */
  restart(): void {
    const { hostOf } = this.placement
    const changed = new Set<number>()
    for (const [v, h] of this.start.hostOf.entries()) {
      const at = hostOf[v] ?? NOWHERE
      if (h === at) continue
      changed.add(h).add(at)
      hostOf[v] = h
    }
    const length = RESOURCES.length * this.pool.scenarioCount
    for (const h of changed) {
      this.placement.load.set(this.start.load.subarray(h * length, (h + 1) * length), h * length)
      for (const name of ['floorBytes', 'wantBytes', 'staticMaxBytes', 'vmCount', 'unknownCount'] as const) {
        this.placement[name][h] = this.start[name][h] ?? 0
      }
      this.#forget(h)
    }
    this.surplus = 0
    this.saved = 0
  }

  #forget(h: number): void {
    if (h === NOWHERE) return
    const { pool, placement } = this
    this.#congestion[h] = congestionOf(pool, placement, h)
    for (let v = 0, at = h; v < pool.vms.length; v++, at += pool.hosts.length) {
      this.#burden[at] = Number.NaN
      if (placement.hostOf[v] === h) this.#relief[v] = Number.NaN
    }
  }

  /**
   * The shift with the largest surplus, more than `least`, among those that gain more than `margin` times their cost and are not in `refused` (v * hosts
   * + h) or `barred` (v); of equal ones the first. What several VMs decide together is for the caller to check.
   */
  bestShift(
    margin: number,
    refused: ReadonlySet<number>,
    barred?: Uint8Array,
    least = LEAST_SURPLUS,
  ): Shift | undefined {
    const { pool, placement } = this
    const horizon = horizonMinutes(pool)
    let best: Shift | undefined
    let most = least
    for (let v = 0; v < pool.vms.length; v++) {
      const from = placement.hostOf[v] ?? NOWHERE
      if (barred?.[v] === 1 || !this.mayLeave(v, from)) continue
      const home = this.#home[v] ?? NOWHERE
      const cost = moveCost(pool, v)
      const hasRules = (pool.rulesOf[v] ?? []).length > 0
      const relief = horizon * this.reliefOf(v, from)
      if (!hasRules && (relief <= 0 || relief - cost <= most) && from === home) continue
      if (!hasRules && relief + cost <= most) continue
      for (let to = 0; to < pool.hosts.length; to++) {
        if (!this.mayReceive(v, to) || refused.has(v * pool.hosts.length + to)) continue
        const soft = hasRules ? softGain(pool, placement.hostOf, v, to) : 0
        const extra = (to === home ? 0 : cost) - (from === home ? 0 : cost)
        if (relief + soft - extra <= most) continue
        const gain = relief - horizon * this.burdenOf(v, to) + soft
        if (gain - extra <= most || (extra > 0 && gain <= margin * extra)) continue
        most = gain - extra
        best = { v, from, to, gain, cost: extra }
      }
    }
    return best
  }

  mayLeave(v: number, from: number): boolean {
    const { isMovable, isLoadKnown, isGiving, isEnabled } = this.pool
    return (
      from !== NOWHERE &&
      isMovable[v] === 1 &&
      isLoadKnown[v] === 1 &&
      isGiving[from] === 1 &&
      isEnabled[from] === 1 &&
      this.#isFixed[v] === 0
    )
  }

  /** `lessBytes` leave the host at the same time. */
  mayReceive(v: number, to: number, lessBytes = 0): boolean {
    const { mayRun, hosts, isAccepting, floorBytes, memoryBytes } = this.pool
    const { unknownCount, floorBytes: used, hostOf } = this.placement
    return (
      to !== hostOf[v] &&
      mayRun[v * hosts.length + to] === 1 &&
      isAccepting[to] === 1 &&
      unknownCount[to] === 0 &&
      (used[to] ?? 0) - lessBytes + (floorBytes[v] ?? 0) <= (memoryBytes[to] ?? 0) &&
      (this.#isBanished[v] === 0 || to !== this.#home[v])
    )
  }

  reliefOf(v: number, from: number): number {
    const known = this.#relief[v] ?? Number.NaN
    if (!Number.isNaN(known)) return known
    this.evaluations++
    const relief =
      this.congestion(from) === 0 ? 0 : this.congestion(from) - congestionOf(this.pool, this.placement, from, v, -1)
    this.#relief[v] = relief
    return relief
  }

  burdenOf(v: number, to: number): number {
    const at = v * this.pool.hosts.length + to
    const known = this.#burden[at] ?? Number.NaN
    if (!Number.isNaN(known)) return known
    this.evaluations++
    const burden = congestionOf(this.pool, this.placement, to, v, 1) - this.congestion(to)
    this.#burden[at] = burden
    return burden
  }
}
/** Less is noise of the arithmetic, and would never end. */
export const LEAST_SURPLUS = 1e-3
