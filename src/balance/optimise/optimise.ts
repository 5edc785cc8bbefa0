/**
 * The plan for a pool: what must be repaired first, then what pays. Every step is feasible when it is taken, so that a plan may be
 * cut anywhere and what was done is still an improvement.
 */
import { compile } from '../compiled/compile.js'
import { startPlacement } from '../compiled/placement.js'
import type { Pool } from '../document/pool-document.js'
import type { Plan } from '../plan.js'
import { failoverGates } from '../rules/failover-gate.js'
import { improve } from './improve.js'
import { repair } from './repair.js'
import type { Step } from './step.js'
import { writePlan } from './write-plan.js'

/** Says what to do with a pool, or that nothing is worth doing, and why. */
export function optimise(pool: Pool): Plan {
  const compiled = compile(pool)
  const start = startPlacement(compiled)
  const steps: Step[] = []
  const now = startPlacement(compiled)
  const gates = failoverGates(compiled)
  steps.push(...repair(compiled, now, gates))
  const { steps: paying, best } = improve(compiled, now, gates)
  steps.push(...paying)
  return writePlan(compiled, { start, end: now, steps, best })
}
