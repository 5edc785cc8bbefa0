/**
 * The plan for a pool: what must be repaired first, then what pays. Every step is feasible when it is taken, so that a plan may be
 * cut anywhere and what was done is still an improvement.
 */
import { compile } from '../compiled/compile.js'
import { startPlacement } from '../compiled/placement.js'
import { planDensity } from '../density/density.js'
import type { Pool } from '../document/pool-document.js'
import type { Plan } from '../plan.js'
import { failoverGates } from '../rules/failover-gate.js'
import { improve } from './improve.js'
import { repair } from './repair.js'
import type { Step } from './step.js'
import { writePlan } from './write-plan.js'

/** Says what to do with a pool, or that nothing is worth doing, and why. */
export function optimise(pool: Pool): Plan {
  return pool.mode === 'density' ? planDensity(pool) : planPerformance(pool)
}

function planPerformance(pool: Pool): Plan {
  const compiled = compile(pool)
  const gates = failoverGates(compiled)
  let steps: readonly Step[] = []
  // what pays may make room for a repair that was impossible before, and a repair may make a move pay
  for (let round = 0; ; round++) {
    const improvement = improve(compiled, gates, repair(compiled, gates, steps))
    const isSettled = isSame(improvement.steps, steps) || round > compiled.vms.length
    steps = improvement.steps
    if (!isSettled) continue
    const { placement, best } = improvement
    return writePlan(compiled, { start: startPlacement(compiled), end: placement, steps, best })
  }
}

function isSame(some: readonly Step[], others: readonly Step[]): boolean {
  return some.length === others.length && some.every(({ v, to }, at) => v === others[at]?.v && to === others[at]?.to)
}
