/**
 * The plan against the optimum: the same cost, minimised by an exact solver over all placements. The measure is the share of the
 * possible saving that the plan brings about.
 */
import type { Highs } from 'highs'
import { compile } from '../../../src/balance/compiled/compile.js'
import { type CompiledPool, NOWHERE } from '../../../src/balance/compiled/compiled-pool.js'
import { horizonMinutes, moveCost, totalCongestion } from '../../../src/balance/compiled/congestion.js'
import { copyPlacement, type Placement, put, startPlacement } from '../../../src/balance/compiled/placement.js'
import { optimise, type Pool } from '../../../src/balance/index.js'
import { hostsOf, valuesOf, writeModel } from './model.js'
import { solve } from './program.js'

export interface Comparison {
  /** Congested host-minutes over the horizon, and what the moves cost. */
  readonly start: number
  readonly ours: number
  readonly optimum: number
  /** No placement costs less; lower than `optimum` where the solver ran out of time. */
  readonly bound: number
  readonly oursMoves: number
  readonly optimumMoves: number
}

/** `gap`: how exact (a share of the cost); the solver gives up after `seconds` and says how far it came. */
export function compareWithOptimum(
  highs: Highs,
  pool: Pool,
  limits: { readonly gap: number; readonly seconds: number },
): Comparison {
  const compiled = compile(pool)
  const start = startPlacement(compiled)
  const plan = optimise(pool)
  const ours = copyPlacement(start)
  for (const { vm, to } of plan.moves) {
    put(compiled, ours, compiled.vmNumbers.get(vm) ?? NOWHERE, compiled.hostNumbers.get(to) ?? NOWHERE)
  }
  const program = writeModel(compiled, start)
  const solution = solve(highs, program, valuesOf(compiled, program, ours.hostOf), limits)
  const best = copyPlacement(start)
  for (const [v, h] of hostsOf(compiled, solution.values).entries()) put(compiled, best, v, h)
  const optimum = costOf(compiled, start, best)
  if (Math.abs(optimum - solution.cost) > 1e-5 * Math.max(1, optimum)) {
    throw new Error(`the program means another cost: ${solution.cost} by the solver, ${optimum} by the product`)
  }
  const moveCosts = plan.moves.reduce(
    (sum, { vm }) => sum + moveCost(compiled, compiled.vmNumbers.get(vm) ?? NOWHERE),
    0,
  )
  return {
    start: costOf(compiled, start, start),
    ours: horizonMinutes(compiled) * totalCongestion(compiled, ours) + moveCosts,
    optimum,
    bound: solution.bound,
    oursMoves: plan.moves.length,
    optimumMoves: best.hostOf.filter((h, v) => h !== start.hostOf[v]).length,
  }
}

function costOf(pool: CompiledPool, start: Placement, end: Placement): number {
  const moves = pool.vms.reduce((sum, _, v) => sum + (end.hostOf[v] === start.hostOf[v] ? 0 : moveCost(pool, v)), 0)
  return horizonMinutes(pool) * totalCongestion(pool, end) + moves
}
