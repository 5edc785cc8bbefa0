/**
 * A plan in the making: moves and power switches in the order in which they are carried out, and the pool after them. Each is
 * checked when it is added, so that a draft is possible at every step.
 */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { count, nameOfVm } from '../compiled/describe.js'
import { copyPlacement, type Placement, put, startPlacement } from '../compiled/placement.js'
import type { Step } from '../optimise/step.js'
import { checkStep } from '../rules/check-step.js'
import { allPlansExist, type FailoverGate, failoverGates } from '../rules/failover-gate.js'
import type { Refusal } from '../rules/may-run.js'
import { weightOf } from '../rules/rule-violations.js'
import { spareHosts } from '../rules/spare-hosts.js'
import { withPower } from './powered-pool.js'

export type Action =
  | { readonly kind: 'move'; readonly step: Step }
  | { readonly kind: 'on' | 'off'; readonly h: number }

export interface Draft {
  readonly actions: readonly Action[]
  /** With the hosts that are on after the actions. */
  readonly pool: CompiledPool
  readonly gates: readonly FailoverGate[]
  readonly placement: Placement
  /** Host failures, up to those the pool wants to survive, that it survives now. */
  readonly spare: number
}

/** `pool`: with the hosts that are on at the start. */
export function emptyDraft(pool: CompiledPool): Draft {
  const placement = startPlacement(pool)
  return { actions: [], pool, gates: failoverGates(pool), placement, spare: spareNow(pool, placement) }
}

export function stepsOf({ actions }: Draft): readonly Step[] {
  return actions.flatMap((action) => (action.kind === 'move' ? [action.step] : []))
}

/** Says why a move for load or for power cannot be made, or nothing: it keeps the spare hosts there are. */
export function refuseMove({ pool, gates, placement, spare }: Draft, v: number, to: number): Refusal | undefined {
  const refusal = checkStep(pool, placement, gates, v, to)
  if (refusal || pool.pool.pool.reserveHosts === 0) return refusal
  const after = copyPlacement(placement)
  put(pool, after, v, to)
  return spareNow(pool, after) < spare ? tooFewSpare(pool) : undefined
}

/** The draft with moves that were found possible one after another. */
export function withMoves(draft: Draft, steps: readonly Step[]): Draft {
  if (steps.length === 0) return draft
  const placement = copyPlacement(draft.placement)
  for (const { v, to } of steps) put(draft.pool, placement, v, to)
  return {
    ...draft,
    actions: [...draft.actions, ...steps.map((step) => ({ kind: 'move', step }) as const)],
    placement,
    spare: spareNow(draft.pool, placement),
  }
}

export function withHostOn(draft: Draft, h: number): Draft {
  const pool = withPower(draft.pool, h, 'on')
  return {
    ...draft,
    actions: [...draft.actions, { kind: 'on', h }],
    pool,
    gates: failoverGates(pool),
    spare: spareNow(pool, draft.placement),
  }
}

/** The draft with a host less, or why it cannot be switched off. */
export function withHostOff(draft: Draft, h: number): Draft | Refusal {
  const staying = draft.placement.hostOf.indexOf(h)
  if (staying !== NOWHERE) return { code: 'HOST_NOT_EMPTY', why: `${nameOfVm(draft.pool, staying)} is on it` }
  const pool = withPower(draft.pool, h, 'off')
  const down = pool.hosts.filter(({ live }) => !live).length
  if (pool.pool.pool.clusteredStorage && down > 1) {
    return { code: 'CLUSTERED_SR_DEGRADED', why: 'with clustered storage one host at most may be down' }
  }
  const gates = failoverGates(pool)
  if (!allPlansExist(pool, gates, draft.placement)) {
    const why = `without it no failover plan for ${count(gates[0]?.failures ?? 1, 'host failure')} would exist`
    return { code: 'HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN', why }
  }
  const spare = spareNow(pool, draft.placement)
  if (spare < pool.pool.pool.reserveHosts) return tooFewSpare(pool)
  return { ...draft, actions: [...draft.actions, { kind: 'off', h }], pool, gates, spare }
}

export function isRefusal(outcome: Draft | Refusal): outcome is Refusal {
  return 'code' in outcome
}

/** The same actions again from the start; nothing if one of them cannot be carried out. */
export function replay(start: CompiledPool, actions: readonly Action[]): Draft | undefined {
  const first = emptyDraft(start)
  let draft: Draft = { ...first, placement: copyPlacement(first.placement) }
  for (const action of actions) {
    if (action.kind === 'move') {
      const { v, to } = action.step
      if (refuseAgain(draft, action.step)) return undefined
      put(draft.pool, draft.placement, v, to)
      draft = { ...draft, spare: spareNow(draft.pool, draft.placement) }
    } else {
      const next = action.kind === 'on' ? withHostOn(draft, action.h) : withHostOff(draft, action.h)
      if (isRefusal(next)) return undefined
      draft = next
    }
  }
  return { ...draft, actions }
}

function refuseAgain(draft: Draft, { v, to, reason }: Step): Refusal | undefined {
  const { pool, placement, gates } = draft
  if (reason === 'Evacuate') return checkStep(pool, placement, gates, v, to)
  if (reason !== 'Rule') return refuseMove(draft, v, to)
  const refusal = checkStep(pool, placement, gates, v, to)
  if (refusal) return refusal
  const after = placement.hostOf.with(v, to)
  const isRepaired = pool.rules.some((rule) => weightOf(rule, after) < weightOf(rule, placement.hostOf))
  return isRepaired ? undefined : { code: 'RULE_NOT_REPAIRED', why: 'the move repairs no rule' }
}

/** Asked for every step, so that no question is put together where no host is to be spare. */
function spareNow(pool: CompiledPool, placement: Placement): number {
  return spareHosts(pool, placement, pool.pool.pool.reserveHosts)
}

function tooFewSpare({ pool: { pool }, hosts }: CompiledPool): Refusal {
  const why = `the VMs that run would not find room after ${count(pool.reserveHosts, 'host failure')} of ${hosts.length}`
  return { code: 'RESERVE_HOSTS', why }
}
