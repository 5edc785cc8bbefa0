/** Where a VM should start, resume or go: stars for every live host, and a reason wherever there are none. */
import { compile } from '../compiled/compile.js'
import { type CompiledPool, NOWHERE, RESOURCES } from '../compiled/compiled-pool.js'
import { congestionOf, horizonMinutes, meanShareOf, moveCost } from '../compiled/congestion.js'
import { describeChange, round } from '../compiled/describe.js'
import { copyPlacement, type Placement, put, startPlacement } from '../compiled/placement.js'
import { softGain } from '../compiled/soft-rules.js'
import type { Pool } from '../document/pool-document.js'
import { checkFailover, type FailoverGate, failoverGates } from '../rules/failover-gate.js'
import { mayMigrate } from '../rules/may-move.js'
import { mayRun, type Refusal } from '../rules/may-run.js'
import { violationsOf } from '../rules/rule-violations.js'

export interface Rating {
  readonly host: string
  /** 0 to 5; hosts that may run the VM have different ones. */
  readonly stars: number
  /** The code of what stands against it, or `None`. */
  readonly zeroReason: string
  readonly why: string
}

/** The best host first; those with 0 stars last. Hosts that are not live are not rated. Nothing if there is no such VM. */
export function place(pool: Pool, vmUuid: string): readonly Rating[] | undefined {
  const compiled = compile(pool)
  const v = compiled.vmNumbers.get(vmUuid)
  return v === undefined ? undefined : rateHosts(compiled, startPlacement(compiled), failoverGates(compiled), v)
}

function rateHosts(pool: CompiledPool, now: Placement, gates: readonly FailoverGate[], v: number): readonly Rating[] {
  const without = copyPlacement(now)
  put(pool, without, v, NOWHERE)
  const candidates = pool.hosts.flatMap((host, h) => {
    if (!host.live) return []
    return [{ h, host: host.uuid, refusal: refuse(pool, now, gates, v, h), score: scoreOf(pool, now, without, v, h) }]
  })
  const possible = candidates
    .filter(({ refusal }) => refusal === undefined)
    .sort((one, other) => one.score - other.score || one.h - other.h)
  const best = possible[0]?.score ?? 0
  const rated = possible.map(({ h, host, score }, rank): Rating => {
    const then = copyPlacement(without)
    put(pool, then, v, h)
    const why = describeChange(pool, h, h === now.hostOf[v] ? then : without, then)
    return {
      host,
      stars: starsOf(score - best, rank),
      zeroReason: 'None',
      why: h === now.hostOf[v] ? `it is here: ${why}` : why,
    }
  })
  const refused = candidates.flatMap(({ host, refusal }): Rating[] =>
    refusal ? [{ host, stars: 0, zeroReason: refusal.code, why: refusal.why }] : [],
  )
  return [...rated, ...refused]
}

/** Congested host-minutes that take a star rating from 5 to 2. */
const STAR_SCALE_MINUTES = 40
/** Too little to be seen, enough to be different: callers break ties in an order of their own. */
const RANK_STEP = 0.0002

function starsOf(worseByMinutes: number, rank: number): number {
  // the floor leaves room for the ranks below it: a thousand hosts stay above 0
  const stars = 0.25 + 4.75 * Math.exp(-worseByMinutes / STAR_SCALE_MINUTES) - rank * RANK_STEP
  return Math.round(stars * 10_000) / 10_000
}

/** What speaks against a host, in congested host-minutes over the horizon; the host with the least in all is the best. */
export interface PlaceCosts {
  /** What the pool's load is worse by: what optimise minimises. */
  readonly congestion: number
  /** Should rules and spread of VM groups that are broken; below 0 where some are kept. */
  readonly preferences: number
  /** A little for what is merely less even. */
  readonly unevenness: number
  /** Of a running VM that would move. */
  readonly move: number
  /** The coordinator is filled last. */
  readonly coordinator: number
}

/** The costs of each host that may run the VM, the best first. Nothing if there is no such VM. */
export function explainPlace(
  pool: Pool,
  vmUuid: string,
): readonly (PlaceCosts & { readonly host: string })[] | undefined {
  const compiled = compile(pool)
  const v = compiled.vmNumbers.get(vmUuid)
  if (v === undefined) return undefined
  const now = startPlacement(compiled)
  const without = copyPlacement(now)
  put(compiled, without, v, NOWHERE)
  return rateHosts(compiled, now, failoverGates(compiled), v)
    .filter(({ zeroReason }) => zeroReason === 'None')
    .map(({ host }) => {
      const costs = costsOf(compiled, now, without, v, compiled.hostNumbers.get(host) ?? NOWHERE)
      return {
        host,
        congestion: round(costs.congestion),
        preferences: round(costs.preferences),
        unevenness: round(costs.unevenness),
        move: round(costs.move),
        coordinator: round(costs.coordinator),
      }
    })
}

function scoreOf(pool: CompiledPool, now: Placement, without: Placement, v: number, h: number): number {
  const { congestion, preferences, unevenness, move, coordinator } = costsOf(pool, now, without, v, h)
  return congestion + preferences + unevenness + move + coordinator
}

function costsOf(pool: CompiledPool, now: Placement, without: Placement, v: number, h: number): PlaceCosts {
  const congested = congestionOf(pool, without, h, v, 1) - congestionOf(pool, without, h)
  const cpu = meanShareOf(pool, without, h, 0) + meanCpuOf(pool, v) / (pool.hosts[h]?.cpus ?? 1)
  const memory = ((without.wantBytes[h] ?? 0) + (pool.wantBytes[v] ?? 0)) / Math.max(1, pool.memoryBytes[h] ?? 0)
  const travels = now.hostOf[v] !== NOWHERE && now.hostOf[v] !== h
  return {
    congestion: horizonMinutes(pool) * congested,
    preferences: -softGain(pool, without.hostOf, v, h),
    unevenness: EVENNESS_MINUTES * (cpu ** 2 + memory ** 2),
    move: travels ? moveCost(pool, v) : 0,
    coordinator: h === pool.coordinator ? COORDINATOR_MINUTES : 0,
  }
}
const EVENNESS_MINUTES = 20
/** The coordinator is filled last; less than a move costs, so that nothing leaves it for this alone. */
const COORDINATOR_MINUTES = 2

function meanCpuOf({ demand, scenarioCount, scenarioWeight }: CompiledPool, v: number): number {
  return scenarioWeight.reduce(
    (sum, weight, s) => sum + weight * (demand[v * RESOURCES.length * scenarioCount + s] ?? 0),
    0,
  )
}

function refuse(
  pool: CompiledPool,
  now: Placement,
  gates: readonly FailoverGate[],
  v: number,
  h: number,
): Refusal | undefined {
  const vm = pool.vms[v]
  const host = pool.hosts[h]
  if (!vm || !host) return undefined
  const isHere = now.hostOf[v] === h
  const isOnHost = now.hostOf[v] !== NOWHERE
  const free = isHere ? Number.POSITIVE_INFINITY : (pool.memoryBytes[h] ?? 0) - (now.floorBytes[h] ?? 0)
  return (
    (isOnHost && !isHere ? mayMigrate(vm) : undefined) ??
    mayRun(vm, host, free, pool.hosts[now.hostOf[v] ?? NOWHERE]) ??
    (host.excluded.includes('placement')
      ? { code: 'HOST_EXCLUDED', why: 'the host is excluded from placement' }
      : undefined) ??
    refuseByRule(pool, now, v, h) ??
    (isHere ? undefined : checkFailover(pool, gates, now, v, h))
  )
}

/**
 * A must rule that would be broken more than it is; where the VM is already, one that it breaks by being there. The members of a VM
 * group are spread if possible: xapi starts one on a host of the others rather than not at all.
 */
function refuseByRule({ rules, rulesOf }: CompiledPool, { hostOf }: Placement, v: number, h: number) {
  const isHere = hostOf[v] === h
  const concerned = (rulesOf[v] ?? [])
    .flatMap((number) => rules[number] ?? [])
    .filter(({ must, kind }) => must && !(isHere && kind === 'together'))
  if (concerned.length === 0) return undefined
  const before = isHere ? hostOf.with(v, NOWHERE) : hostOf
  const after = hostOf.with(v, h)
  const broken = concerned.find((rule) => violationsOf(rule, after) > violationsOf(rule, before))
  if (!broken) return undefined
  const why = `${broken.name} (${broken.kind}) ${isHere ? 'is' : 'would be'} broken`
  return { code: 'RULE_WOULD_BREAK', why }
}
