/** A move while a plan is made: numbers for names. */
import type { Reason } from '../plan.js'

export interface Step {
  readonly v: number
  readonly from: number
  readonly to: number
  readonly reason: Reason
  /** Congested host-minutes saved over the horizon; of a repair, what it saves besides. */
  readonly gain: number
  /** What makes it necessary, where something does: `rules[2] is broken`. */
  readonly because?: string
  /** The gain is its share of what several moves gain together. */
  readonly isShared?: boolean
}
