/**
 * Why a plan is as it is: for each move the second best destination and the hosts that were out of the question, and for each host
 * that stays congested what speaks against relieving it. It looks at the plan alone, not at the search that made it.
 */
import { compile } from '../compiled/compile.js'
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { congestionOf, moveCost } from '../compiled/congestion.js'
import { nameOfHost, nameOfVm, round } from '../compiled/describe.js'
import { type Placement, put, startPlacement } from '../compiled/placement.js'
import { explainDensity } from '../density/explain-density.js'
import { fullness } from '../density/room.js'
import type { Pool } from '../document/pool-document.js'
import type { Move, Plan } from '../plan.js'
import { checkStep } from '../rules/check-step.js'
import { type FailoverGate, failoverGates } from '../rules/failover-gate.js'
import { mayMove } from '../rules/may-move.js'
import { gainOf } from './gain.js'
import { MARGIN } from './improve.js'

export interface Explanation {
  /** One for each move of the plan. */
  readonly moves: readonly {
    readonly vm: string
    readonly second: { readonly host: string; readonly gain: number; readonly why: string } | null
    readonly refused: readonly Refused[]
  }[]
  /** VMs that should have moved and could: every host, and why not. */
  readonly stuck: readonly { readonly vm: string; readonly refused: readonly Refused[] }[]
  /** In the mode density: hosts that stay on, and why. */
  readonly kept: readonly Refused[]
  /** Hosts that are still congested after the plan. */
  readonly congested: readonly { readonly host: string; readonly congestion: number; readonly why: string }[]
}
interface Refused {
  readonly host: string
  readonly code: string
  readonly why: string
}

export function explain(given: Pool, plan: Plan): Explanation {
  const pool = withHostsOn(given, plan)
  const compiled = compile(pool)
  const gates = failoverGates(compiled)
  const placement = startPlacement(compiled)
  const moves = plan.moves.map((move, step) => {
    const off = plan.power.filter(({ action, after }) => action === 'off' && after <= step).map(({ host }) => host)
    const explained = explainMove(compiled, placement, gates, move, off)
    put(compiled, placement, explained.v, compiled.hostNumbers.get(move.to) ?? NOWHERE)
    return { vm: move.vm, second: explained.second, refused: explained.refused }
  })
  const stuck = plan.stuck.flatMap((one) => {
    const refused = 'vm' in one ? refusalsOf(compiled, placement, gates, one.vm) : []
    return 'vm' in one && refused.length > 0 ? [{ vm: one.vm, refused }] : []
  })
  return pool.mode === 'density'
    ? { moves, stuck, ...explainDensity(given, plan) }
    : { moves, stuck, kept: [], congested: explainCongested(compiled, placement, gates) }
}

function explainCongested(pool: CompiledPool, placement: Placement, gates: readonly FailoverGate[]) {
  return pool.hosts
    .map((host, h) => ({ host: host.uuid, h, congestion: congestionOf(pool, placement, h) }))
    .filter(({ congestion }) => congestion > 0.01)
    .sort((one, other) => other.congestion - one.congestion || one.h - other.h)
    .map(({ host, h, congestion }) => ({
      host,
      congestion: round(congestion),
      why: whyCongested(pool, placement, gates, h),
    }))
}

/** The pool with the hosts that the plan switches on: moves go there. */
function withHostsOn(pool: Pool, { power }: Plan): Pool {
  const on = new Set(power.filter(({ action }) => action === 'on').map(({ host }) => host))
  if (on.size === 0) return pool
  const hosts = pool.hosts.map((host) => (on.has(host.uuid) ? { ...host, live: true, enabled: true } : host))
  return { ...pool, hosts }
}

/** Of a VM that could migrate; what holds another one is said already. */
function refusalsOf(pool: CompiledPool, placement: Placement, gates: readonly FailoverGate[], uuid: string): Refused[] {
  const v = pool.vmNumbers.get(uuid) ?? NOWHERE
  if (pool.isMovable[v] === 0) return []
  return pool.hosts.flatMap((host, h) => {
    const refusal = h === placement.hostOf[v] ? undefined : checkStep(pool, placement, gates, v, h)
    return refusal ? [{ host: host.uuid, ...refusal }] : []
  })
}

/** `off`: hosts that the plan has switched off by then. */
function explainMove(
  pool: CompiledPool,
  placement: Placement,
  gates: readonly FailoverGate[],
  move: Move,
  off: readonly string[],
) {
  const v = pool.vmNumbers.get(move.vm) ?? NOWHERE
  const others = pool.hosts.flatMap(({ uuid }, h) => (uuid === move.from || uuid === move.to ? [] : [h]))
  const judged = others.map((h) => ({
    h,
    refusal: off.includes(pool.hosts[h]?.uuid ?? '') ? SWITCHED_OFF : checkStep(pool, placement, gates, v, h),
  }))
  const possible = judged.flatMap(({ h, refusal }) => (refusal === undefined ? [h] : []))
  const to = pool.hostNumbers.get(move.to) ?? NOWHERE
  return {
    v,
    second:
      move.reason === 'Consolidate'
        ? secondFullest(pool, placement, v, to, possible)
        : secondBest(pool, placement, v, to, possible),
    refused: judged.flatMap(({ h, refusal }) => (refusal ? [{ host: pool.hosts[h]?.uuid ?? '', ...refusal }] : [])),
  }
}
const SWITCHED_OFF = { code: 'HOST_NOT_LIVE', why: 'it is switched off by then' }

function secondBest(pool: CompiledPool, placement: Placement, v: number, to: number, possible: readonly number[]) {
  const [second] = possible
    .map((h) => ({ h, gain: gainOf(pool, placement, v, h) }))
    .sort((one, other) => other.gain - one.gain || one.h - other.h)
  if (!second) return null
  const gains = `${round(second.gain)} congested host-minutes, the one chosen ${round(gainOf(pool, placement, v, to))}`
  return {
    host: pool.hosts[second.h]?.uuid ?? '',
    gain: round(second.gain),
    why: `${nameOfHost(pool, second.h)} would gain ${gains}`,
  }
}

/** When a host is emptied, its VMs go to the fullest host with room. */
function secondFullest(pool: CompiledPool, placement: Placement, v: number, to: number, possible: readonly number[]) {
  const [second] = possible
    .map((h) => ({ h, full: fullness(pool, placement, h, v) }))
    .filter(({ full }) => full <= 1)
    .sort((one, other) => other.full - one.full || one.h - other.h)
  if (!second) return null
  const percent = (full: number) => `${Math.round(100 * full)} %`
  const taken = percent(fullness(pool, placement, to, v))
  return {
    host: pool.hosts[second.h]?.uuid ?? '',
    gain: round(gainOf(pool, placement, v, second.h)),
    why: `${nameOfHost(pool, second.h)} would be filled to ${percent(second.full)} of what hosts are filled to, the one chosen to ${taken}`,
  }
}

/** The move off this host that would save most, and what is wrong with it. */
function whyCongested(pool: CompiledPool, placement: Placement, gates: readonly FailoverGate[], h: number): string {
  const host = pool.hosts[h]
  if (host?.excluded.includes('optimisation')) return 'the host is excluded from optimisation'
  const candidates = pool.vms
    .flatMap((_, v) => (placement.hostOf[v] === h ? pool.hosts.map((__, to) => ({ v, to })) : []))
    .filter(({ to }) => to !== h)
    .map(({ v, to }) => ({ v, to, gain: gainOf(pool, placement, v, to) }))
    .sort((one, other) => other.gain - one.gain || one.v - other.v || one.to - other.to)
  const [best] = candidates
  if (!best || best.gain <= 0) return 'no move of one VM would lower the load of the pool'
  const vm = pool.vms[best.v]
  const name = `${nameOfVm(pool, best.v)} to ${nameOfHost(pool, best.to)}`
  const held = vm && mayMove(vm, pool.pool)
  const refusal = held ?? checkStep(pool, placement, gates, best.v, best.to)
  if (refusal) return `${name} would save most, but ${refusal.why} (${refusal.code})`
  if ((placement.unknownCount[best.to] ?? 0) > 0)
    return `${name} would save most, but the load of that host is not known`
  const needed = moveCost(pool, best.v) * (1 + MARGIN)
  return `${name} would save most: ${round(best.gain)} congested host-minutes, where ${round(needed)} would be worth it`
}
