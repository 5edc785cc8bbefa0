/**
 * What must be different, whatever it costs: broken must rules, VM groups on one host, VMs on disabled hosts, hosts with less
 * memory than their VMs hold. Each step makes one of them better and none worse.
 */
import type { CompiledPool } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes } from '../compiled/congestion.js'
import { nameOfHost } from '../compiled/describe.js'
import { type Placement, put, startPlacement } from '../compiled/placement.js'
import type { Reason } from '../plan.js'
import { checkStep } from '../rules/check-step.js'
import type { FailoverGate } from '../rules/failover-gate.js'
import { weightOf } from '../rules/rule-violations.js'
import type { Step } from './step.js'

/** Something to be repaired: any of the moves helps; `isWorse` tells whether a move does not help after all. */
interface Defect {
  readonly reason: Reason
  readonly because: string
  readonly vms: readonly number[]
  readonly helps: (v: number, to: number) => boolean
}

/** Adds to `given` the steps that repair what can be repaired after them, with VMs that have not moved if possible. */
export function repair(pool: CompiledPool, gates: readonly FailoverGate[], given: readonly Step[]): readonly Step[] {
  const placement = startPlacement(pool)
  for (const { v, to } of given) put(pool, placement, v, to)
  const steps = [...given]
  // each step lowers one of finitely many counts and raises none before it; the bound is for the day that this is wrong
  while (steps.length < given.length + 2 * pool.vms.length) {
    const step = findDefects(pool, placement)
      .map((defect) => bestStep(pool, placement, gates, defect, steps))
      .find((found) => found !== undefined)
    if (!step) break
    put(pool, placement, step.v, step.to)
    steps.push(step)
  }
  return steps
}

/** In the order in which they are repaired. */
export function findDefects(pool: CompiledPool, placement: Placement): readonly Defect[] {
  return [...ruleDefects(pool, placement), ...disabledHosts(pool, placement), ...overcommittedHosts(pool, placement)]
}

function ruleDefects(pool: CompiledPool, { hostOf }: Placement): Defect[] {
  return pool.rules
    .filter((rule) => (rule.must || rule.isGroup) && weightOf(rule, hostOf) > 0)
    .map((rule) => ({
      reason: 'Rule',
      because: rule.isGroup ? `${rule.name} is on one host alone` : `${rule.name} (${rule.kind}) is broken`,
      vms: [...rule.vms],
      helps: (v, to) => {
        const after = hostOf.slice()
        after[v] = to
        return weightOf(rule, after) < weightOf(rule, hostOf)
      },
    }))
}

function disabledHosts(pool: CompiledPool, placement: Placement): Defect[] {
  return hostsWhere(
    pool,
    (h) => pool.isLive[h] === 1 && pool.isEnabled[h] === 0 && (placement.vmCount[h] ?? 0) > 0,
  ).map((h) => ({
    reason: 'Evacuate',
    because: `${nameOfHost(pool, h)} is disabled`,
    vms: vmsOn(placement, h),
    helps: (_, to) => pool.hosts[to]?.excluded.includes('evacuation') === false,
  }))
}

function overcommittedHosts(pool: CompiledPool, placement: Placement): Defect[] {
  return hostsWhere(
    pool,
    (h) =>
      pool.isEnabled[h] === 1 && pool.isGiving[h] === 1 && (placement.floorBytes[h] ?? 0) > (pool.memoryBytes[h] ?? 0),
  ).map((h) => ({
    reason: 'Memory',
    because: `${nameOfHost(pool, h)} has less memory than its VMs hold`,
    vms: vmsOn(placement, h),
    helps: () => true,
  }))
}

/** The cheapest of the moves that help. */
function bestStep(
  pool: CompiledPool,
  placement: Placement,
  gates: readonly FailoverGate[],
  { reason, because, vms, helps }: Defect,
  taken: readonly Step[],
): Step | undefined {
  const moved = new Set(taken.map(({ v }) => v))
  const hasMoved = ({ v }: Step) => Number(moved.has(v))
  const candidates = vms
    .filter((v) => pool.isMovable[v] === 1)
    .flatMap((v) => stepsOf(pool, placement, v).map((step): Step => ({ ...step, reason, because })))
    .filter(({ v, to }) => helps(v, to))
    .sort(
      (one, other) => hasMoved(one) - hasMoved(other) || other.gain - one.gain || one.v - other.v || one.to - other.to,
    )
  return candidates.find(({ v, to }) => checkStep(pool, placement, gates, v, to) === undefined)
}

function stepsOf(pool: CompiledPool, placement: Placement, v: number): Omit<Step, 'reason'>[] {
  const from = placement.hostOf[v] ?? 0
  const out = congestionOf(pool, placement, from) - congestionOf(pool, placement, from, v, -1)
  return hostsWhere(pool, (to) => to !== from && pool.mayRun[v * pool.hosts.length + to] === 1).map((to) => {
    const more = congestionOf(pool, placement, to, v, 1) - congestionOf(pool, placement, to)
    return { v, from, to, gain: horizonMinutes(pool) * (out - more) }
  })
}

function hostsWhere({ hosts }: CompiledPool, isWanted: (h: number) => boolean): number[] {
  return hosts.flatMap((_, h) => (isWanted(h) ? [h] : []))
}

function vmsOn({ hostOf }: Placement, h: number): number[] {
  return [...hostOf].flatMap((at, v) => (at === h ? [v] : []))
}
