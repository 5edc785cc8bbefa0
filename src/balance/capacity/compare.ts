/** The same questions about the pool as it is and as it would be. */
import type { Pool } from '../document/pool-document.js'
import type { Problem } from '../document/read-pool.js'
import { optimise } from '../optimise/optimise.js'
import type { Plan } from '../plan.js'
import { type Capacity, capacity } from './capacity.js'
import { type Change, whatIf } from './what-if.js'

export interface Comparison {
  readonly format: 'openwlb-what-if/1'
  readonly changes: readonly Change[]
  readonly now: Answers
  readonly then: Answers
}
interface Answers {
  readonly plan: Plan
  readonly capacity: Capacity
}

/** Compares, or says what is wrong with the changes. `vm` asks for more VMs like that one. */
export function compare(
  pool: Pool,
  changes: readonly Change[],
  vm?: string,
):
  | { readonly comparison: Comparison; readonly changed: Pool }
  | { readonly problems: readonly [Problem, ...Problem[]] } {
  const changed = whatIf(pool, changes)
  if (changed.state === 'refused') return { problems: changed.problems }
  const now = answersFor(pool, vm)
  const then = answersFor(changed.pool, vm)
  if (!now || !then) return { problems: [{ path: 'vm', problem: `${vm} is no VM of this document` }] }
  return { comparison: { format: 'openwlb-what-if/1', changes, now, then }, changed: changed.pool }
}

function answersFor(pool: Pool, vm: string | undefined): Answers | undefined {
  const room = capacity(pool, vm)
  return room && { plan: optimise(pool), capacity: room }
}
