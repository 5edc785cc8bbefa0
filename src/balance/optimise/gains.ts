/**
 * What each move would gain, remembered: a move changes two hosts, and only what depends on them is calculated again. A VM is
 * looked at only when leaving its host alone would be worth the move.
 */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes, moveCost } from '../compiled/congestion.js'
import { copyPlacement, type Placement } from '../compiled/placement.js'
import { softGain } from '../compiled/soft-rules.js'
import type { Step } from './step.js'

export class Gains {
  readonly #pool: CompiledPool
  #placement: Placement
  /** [h] */
  readonly #congestion: Float64Array
  /** [v] what its host is relieved by when it leaves; NaN where it has to be calculated. */
  readonly #relief: Float64Array
  /** [v * hosts + h] what that host is burdened with; NaN where it has to be calculated. */
  readonly #burden: Float64Array

  constructor(pool: CompiledPool, placement: Placement) {
    this.#pool = pool
    this.#placement = copyPlacement(placement)
    this.#congestion = Float64Array.from(pool.hosts, (_, h) => congestionOf(pool, placement, h))
    this.#relief = new Float64Array(pool.vms.length).fill(Number.NaN)
    this.#burden = new Float64Array(pool.vms.length * pool.hosts.length).fill(Number.NaN)
  }

  /** Takes over a changed placement. */
  follow(placement: Placement): void {
    const { hostOf } = this.#placement
    const changed = new Set<number>()
    for (const [v, h] of placement.hostOf.entries()) {
      if (h !== hostOf[v]) for (const host of [h, hostOf[v] ?? NOWHERE]) changed.add(host)
    }
    this.#placement = copyPlacement(placement)
    for (const h of changed) {
      this.#congestion[h] = congestionOf(this.#pool, placement, h)
      for (let v = 0; v < this.#pool.vms.length; v++) {
        this.#burden[v * this.#pool.hosts.length + h] = Number.NaN
        if (placement.hostOf[v] === h) this.#relief[v] = Number.NaN
      }
    }
  }

  /**
   * The move with the largest surplus over its cost among those that may be made because of load and are not in `refused`
   * (v * hosts + h); of equal ones the first. What several VMs decide together is for the caller to check.
   */
  best(refused: ReadonlySet<number>): Step | undefined {
    let best: Step | undefined
    let most = Number.NEGATIVE_INFINITY
    for (const [v, from] of this.#placement.hostOf.entries()) {
      if (!this.#mayLeave(v, from)) continue
      const cost = moveCost(this.#pool, v)
      const relief = horizonMinutes(this.#pool) * this.#reliefOf(v, from)
      const hasRules = (this.#pool.rulesOf[v] ?? []).length > 0
      if (!hasRules && (relief <= 0 || relief - cost <= most)) continue
      for (let to = 0; to < this.#pool.hosts.length; to++) {
        if (to === from || !this.#mayReceive(v, to) || refused.has(v * this.#pool.hosts.length + to)) continue
        const soft = hasRules ? softGain(this.#pool, this.#placement.hostOf, v, to) : 0
        const gain = relief - horizonMinutes(this.#pool) * this.#burdenOf(v, to) + soft
        if (gain <= 0 || gain - cost <= most) continue
        most = gain - cost
        best = { v, from, to, reason: 'Cpu', gain }
      }
    }
    return best
  }

  #mayLeave(v: number, from: number): boolean {
    const { isMovable, isLoadKnown, isGiving, isEnabled } = this.#pool
    return (
      from !== NOWHERE && isMovable[v] === 1 && isLoadKnown[v] === 1 && isGiving[from] === 1 && isEnabled[from] === 1
    )
  }

  #mayReceive(v: number, to: number): boolean {
    const { mayRun, hosts, isAccepting, floorBytes, memoryBytes } = this.#pool
    const { unknownCount, floorBytes: used } = this.#placement
    return (
      mayRun[v * hosts.length + to] === 1 &&
      isAccepting[to] === 1 &&
      unknownCount[to] === 0 &&
      (used[to] ?? 0) + (floorBytes[v] ?? 0) <= (memoryBytes[to] ?? 0)
    )
  }

  #reliefOf(v: number, from: number): number {
    const known = this.#relief[v] ?? Number.NaN
    if (!Number.isNaN(known)) return known
    const relief = (this.#congestion[from] ?? 0) - congestionOf(this.#pool, this.#placement, from, v, -1)
    this.#relief[v] = relief
    return relief
  }

  #burdenOf(v: number, to: number): number {
    const at = v * this.#pool.hosts.length + to
    const known = this.#burden[at] ?? Number.NaN
    if (!Number.isNaN(known)) return known
    const burden = congestionOf(this.#pool, this.#placement, to, v, 1) - (this.#congestion[to] ?? 0)
    this.#burden[at] = burden
    return burden
  }
}
