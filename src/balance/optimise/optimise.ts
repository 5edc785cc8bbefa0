/**
 * The plan for a pool: what must be repaired first, then what pays. Every step is feasible when it is taken, so that a plan may be
 * cut anywhere and what was done is still no worse.
 */
import { compile } from '../compiled/compile.js'
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { moveCost } from '../compiled/congestion.js'
import { put, startPlacement } from '../compiled/placement.js'
import { planDensity } from '../density/density.js'
import type { Pool } from '../document/pool-document.js'
import type { Plan } from '../plan.js'
import { type FailoverGate, failoverGates } from '../rules/failover-gate.js'
import { gainOf } from './gain.js'
import { type Improvement, improve, isPossible } from './improve.js'
import { repair } from './repair.js'
import type { Step } from './step.js'
import { writePlan } from './write-plan.js'

/** Says what to do with a pool, or that nothing is worth doing, and why. */
export function optimise(pool: Pool): Plan {
  return pool.mode === 'density' ? planDensity(pool) : planPerformance(pool)
}

/** No pool is known that needs more than five. */
const MOST_ROUNDS = 20

/** Each round plans for the result of those before it, until there is nothing to do: so the plan of a plan's result is empty. */
function planPerformance(pool: Pool): Plan {
  const compiled = compile(pool)
  const gates = failoverGates(compiled)
  let steps: readonly Step[] = []
  let best: Improvement['best']
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const now = round === 0 ? compiled : compile(resultOf(pool, compiled, steps))
    const nowGates = failoverGates(now)
    const found = improve(now, nowGates, repair(now, nowGates, []))
    best = found.best
    if (found.steps.length === 0) break
    steps = shorten(compiled, gates, [...steps, ...found.steps])
  }
  const start = startPlacement(compiled)
  const end = startPlacement(compiled)
  for (const { v, to } of steps) put(compiled, end, v, to)
  return writePlan(compiled, {
    start,
    end,
    steps: withGains(compiled, steps),
    best: steps.length === 0 ? best : undefined,
  })
}

function resultOf(pool: Pool, { vmNumbers, hosts }: CompiledPool, steps: readonly Step[]): Pool {
  const target = new Map(steps.map(({ v, to }) => [v, hosts[to]?.uuid ?? null]))
  return {
    ...pool,
    vms: pool.vms.map((vm) => ({ ...vm, host: target.get(vmNumbers.get(vm.uuid) ?? NOWHERE) ?? vm.host })),
  }
}

/** A VM that moves twice goes to its last host in the first place, or later at once, where every step stays possible with that. */
function shorten(pool: CompiledPool, gates: readonly FailoverGate[], steps: readonly Step[]): readonly Step[] {
  for (const [at, first] of steps.entries()) {
    const again = steps.findIndex(({ v }, place) => place > at && v === first.v)
    const last = steps[again]
    if (!last || !mayEnd(pool, first, last.to)) continue
    const others = steps.filter((_, place) => place !== at && place !== again)
    const direct = { ...first, to: last.to }
    const ways =
      direct.to === direct.from ? [others] : [others.toSpliced(at, 0, direct), others.toSpliced(again - 1, 0, direct)]
    const shorter = ways.find((way) => isPossible(pool, gates, way))
    if (shorter) return shorten(pool, gates, shorter)
  }
  return steps
}

/** A host that is excluded from evacuation is no target of one; a rule may be repaired on one host only. */
function mayEnd({ hosts }: CompiledPool, { reason }: Step, to: number): boolean {
  return reason !== 'Rule' && (reason !== 'Evacuate' || hosts[to]?.excluded.includes('evacuation') === false)
}

/**
 * What each step gains when it is taken. Where VMs are exchanged, the first of them may gain less than it costs: what they gain
 * together is shared among them as their costs are.
 */
function withGains(pool: CompiledPool, steps: readonly Step[]): readonly Step[] {
  const placement = startPlacement(pool)
  const measured = steps.map((step): Step => {
    const gain = gainOf(pool, placement, step.v, step.to)
    put(pool, placement, step.v, step.to)
    return { ...step, gain }
  })
  const costOf = (group: readonly Step[]) => group.reduce((sum, { v }) => sum + moveCost(pool, v), 0)
  const gainOfAll = (group: readonly Step[]) => group.reduce((sum, { gain }) => sum + gain, 0)
  const doesPay = (group: readonly Step[]) => gainOfAll(group) > costOf(group)
  const groups: Step[][] = []
  for (const step of measured.filter(({ because }) => because === undefined)) {
    const last = groups.at(-1)
    if (last && !doesPay(last)) last.push(step)
    else groups.push([step])
  }
  while (groups.length > 1 && !doesPay(groups.at(-1) ?? [])) groups.splice(-2, 2, groups.slice(-2).flat())
  return measured.map((step) => {
    const group = groups.find((one) => one.length > 1 && one.includes(step))
    if (!group) return step
    return { ...step, gain: (gainOfAll(group) * moveCost(pool, step.v)) / costOf(group), isShared: true }
  })
}
