/**
 * Fewer hosts: those that are emptied most cheaply give all their VMs to others and are switched off, as long as what is saved over
 * the horizon is worth more than the moves.
 */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { horizonMinutes, moveCost } from '../compiled/congestion.js'
import { count, nameOfHost, nameOfVm, round } from '../compiled/describe.js'
import { copyPlacement, put } from '../compiled/placement.js'
import { softGain } from '../compiled/soft-rules.js'
import { MARGIN } from '../optimise/improve.js'
import type { Step } from '../optimise/step.js'
import { mayMove, minutesSince } from '../rules/may-move.js'
import type { Refusal } from '../rules/may-run.js'
import { type Draft, isRefusal, refuseMove, withHostOff, withMoves } from './draft.js'
import { sizeOf } from './room.js'
import { bestFit } from './targets.js'
import { isNeeded } from './wake.js'

/** What a minute of a host that is off is worth, in congested host-minutes. */
const HOST_MINUTE = 1
/** A host that was switched on within this time stays on. */
const POWER_REST_MINUTES = 60

/** Switches off what can be spared, the cheapest first. */
export function consolidate(draft: Draft): Draft {
  let fewer = draft
  for (const h of inOrder(draft)) {
    const next = trySpare(fewer, h)
    if (!isRefusal(next)) fewer = next
  }
  // what was moved may have made room for another
  return fewer === draft ? draft : consolidate(fewer)
}

/** Hosts that are on: those whose VMs are moved most cheaply first, of equal ones the smallest. */
export function inOrder({ pool, placement }: Draft): readonly number[] {
  const costs = new Float64Array(pool.hosts.length)
  for (const [v, h] of placement.hostOf.entries()) if (h !== NOWHERE) costs[h] = (costs[h] ?? 0) + moveCost(pool, v)
  const cpusOf = (h: number) => pool.hosts[h]?.cpus ?? 0
  return pool.hosts
    .flatMap(({ live }, h) => (live ? [h] : []))
    .sort((one, other) => (costs[one] ?? 0) - (costs[other] ?? 0) || cpusOf(one) - cpusOf(other) || one - other)
}

/** The draft with host `h` emptied and off, or why that cannot be or is not worth it. */
export function trySpare(draft: Draft, h: number): Draft | Refusal {
  const { pool, placement } = draft
  const vms = vmsOn(placement.hostOf, h)
  const refusal = mustStayOn(draft, h) ?? vms.map((v) => mustStay(pool, v)).find((held) => held !== undefined)
  if (refusal) return refusal
  const worth = HOST_MINUTE * horizonMinutes(pool)
  const bySize = vms
    .map((v) => ({ v, size: sizeOf(pool, h, v) }))
    .sort((one, other) => other.size - one.size || one.v - other.v)
  const emptied = { ...draft, placement: copyPlacement(placement) }
  const steps: Step[] = []
  let soft = 0
  for (const { v } of bySize) {
    const to = destination(emptied, v)
    if (typeof to !== 'number') return to
    soft += softGain(pool, emptied.placement.hostOf, v, to)
    put(pool, emptied.placement, v, to)
    steps.push({ v, from: h, to, reason: 'Consolidate', gain: 0, because: '' })
  }
  const cost = costOfVms(pool, vms) * (1 + MARGIN) - soft
  if (cost >= worth) {
    return {
      code: 'NOT_WORTH_IT',
      why: `its VMs cost ${round(cost)} congested host-minutes to move, and a host less is worth ${round(worth)}`,
    }
  }
  const spared = withHostOff(withMoves(draft, steps), h)
  if (isRefusal(spared) || !isNeeded(spared, h)) return spared
  return { code: 'HOST_NEEDED', why: 'it would be switched on again at once, to relieve or repair others' }
}

/** What is said of moves that empty hosts, and what they gain, when it is clear which are made: VMs that only came by make none. */
export function withWorth(pool: CompiledPool, steps: readonly Step[]): readonly Step[] {
  const movesFrom = (h: number) => steps.filter(({ reason, from }) => reason === 'Consolidate' && from === h).length
  return steps.map((step) => (step.reason === 'Consolidate' ? told(pool, step, movesFrom(step.from)) : step))
}

/** The step with its share of what the host is worth. */
function told(pool: CompiledPool, step: Step, moves: number): Step {
  const worth = HOST_MINUTE * horizonMinutes(pool)
  const because = `${nameOfHost(pool, step.from)} is emptied and switched off, which is worth ${round(worth)} for ${count(moves, 'move')}`
  return { ...step, gain: worth / moves, because }
}

/** The number of the fullest host with room, or what speaks against the last one that has room. */
function destination(draft: Draft, v: number): number | Refusal {
  let why = 'no other host has room for it and its peaks'
  let code = 'NO_TARGET'
  for (const { h } of bestFit(draft, v)) {
    // to empty a host is an evacuation, whatever it is for
    if (draft.pool.hosts[h]?.excluded.includes('evacuation')) continue
    const refusal = refuseMove(draft, v, h)
    if (!refusal) return h
    ;({ code, why } = refusal)
  }
  return { code, why: `${nameOfVm(draft.pool, v)} finds no other host: ${why}` }
}

/** Why the host is not switched off, whatever is on it. */
function mustStayOn({ pool, actions }: Draft, h: number): Refusal | undefined {
  const host = pool.hosts[h]
  if (!host) return { code: 'HANDLE_INVALID', why: 'there is no such host' }
  if (h === pool.coordinator) return { code: 'HOST_IS_COORDINATOR', why: 'it is the coordinator' }
  if (!host.enabled) return { code: 'HOST_DISABLED', why: 'it is disabled: whoever did that decides about it' }
  if (!host.power?.managed) return { code: 'POWER_NOT_MANAGED', why: 'it takes no part in power management' }
  if (!host.power.tested) return { code: 'POWER_NOT_TESTED', why: 'it was never seen to switch on again' }
  if (host.excluded.includes('optimisation')) return { code: 'HOST_EXCLUDED', why: 'it is excluded from optimisation' }
  if (actions.some((action) => action.kind === 'on' && action.h === h))
    return { code: 'RECENTLY_SWITCHED', why: 'it is switched on by this plan' }
  const minutes = minutesSince(host.power.changedAt, pool.pool.at)
  if (minutes > POWER_REST_MINUTES) return undefined
  return {
    code: 'RECENTLY_SWITCHED',
    why: `it was switched on ${Math.floor(minutes)} minutes ago, and stays on for ${POWER_REST_MINUTES}`,
  }
}

/** Why the VM stays where it is, whatever the target. */
function mustStay(pool: CompiledPool, v: number): Refusal | undefined {
  const vm = pool.vms[v]
  const held = vm && mayMove(vm, pool.pool)
  if (held) return { code: held.code, why: `${nameOfVm(pool, v)} stays: ${held.why}` }
  if (pool.isLoadKnown[v] === 1) return undefined
  return { code: 'LOAD_UNKNOWN', why: `the load of ${nameOfVm(pool, v)} is not known` }
}

function costOfVms(pool: CompiledPool, vms: readonly number[]): number {
  return vms.reduce((sum, v) => sum + moveCost(pool, v), 0)
}

function vmsOn(hostOf: Int32Array, h: number): readonly number[] {
  const vms: number[] = []
  for (let v = hostOf.indexOf(h); v !== -1; v = hostOf.indexOf(h, v + 1)) vms.push(v)
  return vms
}
