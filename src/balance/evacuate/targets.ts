/** Which host of a pool may receive which VM when a host is emptied. */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import type { Placement } from '../compiled/placement.js'
import { checkFailover, type FailoverGate, failoverGates } from '../rules/failover-gate.js'
import { mayMigrate } from '../rules/may-move.js'
import { mayRun, type Refusal } from '../rules/may-run.js'
import { violationsOf, weightOf } from '../rules/rule-violations.js'

/** From the number of a VM to the number of its target. */
export type Assignment = ReadonlyMap<number, number>

export interface Targets {
  readonly from: number
  /** Why nothing can leave, whatever the target. */
  readonly refusal: Refusal | undefined
  /** Numbers of the VMs that may leave, as far as xapi is concerned. */
  readonly leaving: readonly number[]
  /** By VM: the hosts that may receive it apart from memory, rules of several VMs, and failover. */
  readonly of: ReadonlyMap<number, readonly number[]>
  /** Of the pool as it will be: the host that is emptied is disabled first, and counts as dead. */
  readonly gates: readonly FailoverGate[]
}

export function targetsOf(pool: CompiledPool, now: Placement, from: number): Targets {
  const host = pool.hosts[from]
  const refusal = host?.live ? undefined : { code: 'HOST_NOT_LIVE', why: 'the host is not live' }
  const leaving = refusal
    ? []
    : pool.vms.flatMap((vm, v) => (now.hostOf[v] === from && mayMigrate(vm) === undefined ? [v] : []))
  const hosts = pool.hosts.flatMap((_, h) => (h !== from && isTarget(pool, h) ? [h] : []))
  return {
    from,
    refusal,
    leaving,
    of: new Map(leaving.map((v) => [v, hosts.filter((h) => pool.mayRun[v * pool.hosts.length + h] === 1)])),
    gates: failoverGates({ ...pool, isEnabled: pool.isEnabled.with(from, 0) }),
  }
}

function isTarget(pool: CompiledPool, h: number): boolean {
  return pool.isEnabled[h] === 1 && pool.hosts[h]?.excluded.includes('evacuation') === false
}

/** Says why `v` may not go to `h` when `placement` is what else has gone there, or nothing. Nobody is credited with leaving. */
export function refuseTarget(
  pool: CompiledPool,
  placement: Placement,
  { from, gates }: Targets,
  v: number,
  h: number,
): Refusal | undefined {
  const vm = pool.vms[v]
  const host = pool.hosts[h]
  if (!vm || !host) return undefined
  const free = (pool.memoryBytes[h] ?? 0) - (placement.floorBytes[h] ?? 0)
  const refusal = mayRun(vm, host, free, pool.hosts[from])
  if (refusal) return refusal
  if (!isTarget(pool, h)) return { code: 'HOST_EXCLUDED', why: 'the host is excluded from evacuation' }
  return refuseByRule(pool, placement, v, h, from) ?? checkFailover(pool, gates, placement, v, h)
}

/** Those who belong together leave one after another, so that the rule counts only among those who have arrived. */
function refuseByRule(pool: CompiledPool, { hostOf }: Placement, v: number, h: number, from: number) {
  if (pool.mayRun[v * pool.hosts.length + h] === 0) {
    return { code: 'RULE_WOULD_BREAK', why: 'a must rule keeps it off this host' }
  }
  const concerned = (pool.rulesOf[v] ?? []).flatMap((number) => pool.rules[number] ?? [])
  const after = hostOf.map((at, other) => (other === v ? h : at))
  const broken = concerned.find((rule) => {
    if (!rule.must || rule.kind === 'pin' || rule.kind === 'avoid') return false
    if (rule.kind === 'apart') return weightOf(rule, after) > weightOf(rule, hostOf)
    const arrived = (places: Int32Array) => places.map((at) => (at === from ? NOWHERE : at))
    return violationsOf(rule, arrived(after)) > violationsOf(rule, arrived(hostOf))
  })
  return broken && { code: 'RULE_WOULD_BREAK', why: `${broken.name} (${broken.kind}) would be broken` }
}
