/** From the steps of a search to the plan people and programs read: numbers before and after, and a sentence for everything. */
import { type CompiledPool, NOWHERE, RESOURCES } from '../compiled/compiled-pool.js'
import {
  congestionOf,
  horizonMinutes,
  minutesOver,
  moveCost,
  moveSeconds,
  totalCongestion,
} from '../compiled/congestion.js'
import { count, describeChange, nameOfHost, nameOfVm, round } from '../compiled/describe.js'
import { copyPlacement, type Placement, put } from '../compiled/placement.js'
import { softGains } from '../compiled/soft-rules.js'
import type { Figures, Move, Plan, PowerStep, Reason, Severity, Stuck } from '../plan.js'
import { checkStep } from '../rules/check-step.js'
import { failoverGates } from '../rules/failover-gate.js'
import { mayMove } from '../rules/may-move.js'
import { MARGIN } from './improve.js'
import { findDefects } from './repair.js'
import type { Step } from './step.js'

export interface Outcome {
  readonly start: Placement
  readonly end: Placement
  readonly steps: readonly Step[]
  /** The best move that is not worth it, or refused. */
  readonly best: Step | undefined
  readonly power?: PowerOutcome
}

/** Of a plan that may switch hosts: the pool with those that are on at the start and in the end. */
export interface PowerOutcome {
  readonly steps: readonly PowerStep[]
  readonly before: CompiledPool
  readonly after: CompiledPool
  /** Why no host is switched off, if nothing else is to be said. */
  readonly whyNot: string | undefined
}

/** `pool`: with all hosts on that are on at any step. */
export function writePlan(pool: CompiledPool, { start, end, steps, best, power }: Outcome): Plan {
  const { before = pool, after = pool, steps: switches = [] } = power ?? {}
  const unrepaired = findUnrepaired(after, end)
  const stuck = [...unrepaired, ...deadHosts(after, end)]
  const moves = writeMoves(pool, start, steps)
  const verdict = moves.length + switches.length > 0 ? 'plan' : unrepaired.length > 0 ? 'cannot' : 'nothing-to-do'
  return {
    format: 'openwlb-plan/1',
    verdict,
    because:
      verdict === 'plan'
        ? becausePlan(moves, switches)
        : ((verdict === 'nothing-to-do' ? power?.whyNot : undefined) ??
          becauseNothing(before, verdict, stuck, start, best)),
    severity: severityOf(before, start, steps, switches),
    before: figuresOf(before, start),
    after: figuresOf(after, end),
    moves,
    power: switches,
    stuck,
  }
}

function figuresOf(pool: CompiledPool, placement: Placement): Figures {
  return {
    congestion: round(totalCongestion(pool, placement)),
    minutesOver90: round(minutesOver(pool, placement, 0.9)),
    minutesOver765: round(minutesOver(pool, placement, 0.765)),
    hostsOn: pool.isLive.reduce((sum, isLive) => sum + isLive, 0),
  }
}

function becausePlan(moves: readonly Move[], switches: readonly PowerStep[]): string {
  const gain = moves.reduce((sum, move) => sum + move.gain - move.cost, 0)
  const parts = (['on', 'off'] as const).flatMap((action) => {
    const hosts = switches.filter((step) => step.action === action).length
    return hosts > 0 ? [`${count(hosts, 'host')} switched ${action}`] : []
  })
  const saved = `${round(gain)} congested host-minutes saved beyond their cost`
  return [
    ...(moves.length > 0 ? [count(moves.length, 'move')] : []),
    ...parts,
    ...(moves.length > 0 ? [saved] : []),
  ].join(', ')
}

function becauseNothing(
  pool: CompiledPool,
  verdict: Exclude<Plan['verdict'], 'plan'>,
  stuck: readonly Stuck[],
  start: Placement,
  best: Step | undefined,
): string {
  if (verdict === 'cannot') return `nothing can be moved: ${stuck[0]?.why ?? ''}`
  const refusal = best && checkStep(pool, start, failoverGates(pool), best.v, best.to)
  if (best && refusal) {
    return `the best move (${nameOfVm(pool, best.v)} to ${nameOfHost(pool, best.to)}) is impossible: ${refusal.why}`
  }
  if (best) {
    const cost = moveCost(pool, best.v)
    return `the best move (${nameOfVm(pool, best.v)} to ${nameOfHost(pool, best.to)}) gains ${round(best.gain)} congested host-minutes and costs ${round(cost)}; at least ${round(cost * (1 + MARGIN))} would be worth it`
  }
  if (pool.hosts.length === 0) return 'the pool has no host'
  if (pool.hosts.length === 1) return 'the pool has one host'
  if (totalCongestion(pool, start) === 0) return 'no host is congested'
  return 'no move is possible that would lower the load of a congested host'
}

function writeMoves(pool: CompiledPool, start: Placement, steps: readonly Step[]): Move[] {
  const placement = copyPlacement(start)
  return steps.map(({ v, from, to, because: need, reason, gain, isShared }) => {
    const before = copyPlacement(placement)
    const wish = need === undefined ? wishOf(pool, before, v, from, to) : undefined
    const because = need ?? wish
    put(pool, placement, v, to)
    const change = (h: number) => `${nameOfHost(pool, h)}: ${describeChange(pool, h, before, placement)}`
    return {
      vm: pool.vms[v]?.uuid ?? '',
      from: pool.hosts[from]?.uuid ?? '',
      to: pool.hosts[to]?.uuid ?? '',
      reason: wish !== undefined ? 'Rule' : need === undefined ? reasonOf(pool, before, from, v) : reason,
      why: `${because === undefined ? '' : `${because}; `}${change(from)}; ${change(to)}${isShared ? '; part of an exchange' : ''}`,
      gain: round(gain),
      cost: round(moveCost(pool, v)),
      seconds: moveSeconds(pool, v),
    }
  })
}

/** The preference that a move is made for, where it is worth more than what the move saves of load. */
function wishOf(pool: CompiledPool, before: Placement, v: number, from: number, to: number): string | undefined {
  const gains = softGains(pool, before.hostOf, v, to)
  const [most] = gains.toSorted((one, other) => other.gain - one.gain)
  const saved =
    congestionOf(pool, before, from) -
    congestionOf(pool, before, from, v, -1) -
    (congestionOf(pool, before, to, v, 1) - congestionOf(pool, before, to))
  if (!most || most.gain <= 0) return undefined
  if (gains.reduce((sum, { gain }) => sum + gain, 0) <= horizonMinutes(pool) * saved) return undefined
  return most.rule.isGroup
    ? `${most.rule.name} is spread over hosts`
    : `${most.rule.name} (should ${most.rule.kind}) is kept better`
}

/** The resource that congests the source most. */
function reasonOf(pool: CompiledPool, placement: Placement, h: number, v: number): Reason {
  const names: Reason[] = ['Cpu', 'NetworkRead', 'NetworkWrite', 'DiskRead', 'DiskWrite']
  const saved = RESOURCES.map((_, r) => {
    const only = {
      ...pool,
      memoryWeight: 0,
      resourceWeight: pool.resourceWeight.map((weight, at) => (at === r ? weight : 0)),
    }
    return congestionOf(only, placement, h) - congestionOf(only, placement, h, v, -1)
  })
  const all = congestionOf(pool, placement, h) - congestionOf(pool, placement, h, v, -1)
  const most = Math.max(...saved)
  if (all - saved.reduce((sum, one) => sum + one, 0) > most) return 'Memory'
  return names[saved.indexOf(most)] ?? 'Cpu'
}

/** As the protocol grades it: by the fullest host at the start, and what must be repaired. */
function severityOf(
  pool: CompiledPool,
  start: Placement,
  steps: readonly Step[],
  switches: readonly PowerStep[],
): Severity {
  if (steps.length + switches.length === 0) return 'None'
  if (steps.some(({ reason }) => reason === 'Rule' || reason === 'Evacuate')) return 'Critical'
  const over = (share: number) => pool.hosts.some((_, h) => minutesOver(pool, start, share, h) >= 30)
  if (over(0.9)) return 'Critical'
  if (over(0.765)) return 'High'
  return over(0.5) ? 'Medium' : 'Low'
}

/** What should be different at the end and is not. */
function findUnrepaired(pool: CompiledPool, end: Placement): Stuck[] {
  const gates = failoverGates(pool)
  return findDefects(pool, end).flatMap(({ vms, helps, reason, because }) => {
    const refused = vms.flatMap((v): Stuck[] => {
      const vm = pool.vms[v]
      if (!vm) return []
      const targets = pool.hosts.flatMap((_, h) => (h !== end.hostOf[v] && helps(v, h) ? [h] : []))
      // of a rule's VMs some may be where they should be; of a disabled host none is
      if (targets.length === 0 && reason !== 'Evacuate') return []
      const refusal = mayMove(vm, pool.pool) ?? targets.flatMap((h) => checkStep(pool, end, gates, v, h) ?? []).at(-1)
      if (refusal) return [{ vm: vm.uuid, code: refusal.code, why: `${because}, and ${refusal.why}` }]
      return targets.length === 0 ? [noTarget(vm.uuid, because)] : []
    })
    const first = pool.vms[vms[0] ?? NOWHERE]
    return refused.length > 0 || !first ? refused : [noTarget(first.uuid, because)]
  })
}

function noTarget(vm: string, because: string): Stuck {
  return { vm, code: 'NO_TARGET', why: `${because}, and no other host would change that` }
}

/** Of no use to a plan, and not repaired by one: xapi forgets such VMs when somebody tells it that the host is dead. */
function deadHosts(pool: CompiledPool, { vmCount }: Placement): Stuck[] {
  return pool.hosts.flatMap((host, h): Stuck[] => {
    const vms = vmCount[h] ?? 0
    if (host.live || vms === 0) return []
    const why = `${nameOfHost(pool, h)} is not live, and ${count(vms, 'VM')} ${vms === 1 ? 'is' : 'are'} recorded there`
    return [{ host: host.uuid, code: 'HOST_NOT_LIVE', why }]
  })
}
