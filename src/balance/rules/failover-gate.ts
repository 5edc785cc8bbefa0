/**
 * High availability as xapi guards it: a migration must not end a failover plan that exists. The VM is counted on its target and
 * still on its source, because it may die on the way (`assert_configuration_change_preserves_ha_plan`).
 */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import type { Placement } from '../compiled/placement.js'
import type { Host, Vm } from '../document/pool-document.js'
import { type FailoverQuestion, failoverPlanExists } from './failover.js'
import type { Refusal } from './may-run.js'

/** What is the same for every step of a plan. */
export interface FailoverGate {
  readonly failures: number
  /** Numbers of the hosts that count: live and enabled. */
  readonly hosts: readonly number[]
  /** Numbers of the protected VMs that may be restarted anywhere. */
  readonly agile: readonly number[]
}

/** A VM on its way, counted on both hosts; or landed, counted on the new one. */
interface Arrival {
  readonly v: number
  readonly to: number
  readonly state: 'on its way' | 'landed'
}

/**
 * The plans to be kept: one for all protected VMs, and one for those that are on a host alone, which may exist where the other
 * does not. None where high availability keeps nothing back.
 */
export function failoverGates(pool: CompiledPool): readonly FailoverGate[] {
  const { ha } = pool.pool.pool
  if (!ha?.enabled || ha.allowOvercommit || ha.planExistsFor === 0) return []
  const hosts = pool.hosts.flatMap((_, h) => (pool.isEnabled[h] === 1 ? [h] : []))
  const enabled = pool.hosts.filter((_, h) => pool.isEnabled[h] === 1)
  const agile = pool.vms.flatMap((vm, v) => (vm.haProtected && isAgile(vm, enabled) ? [v] : []))
  const present = agile.filter((v) => pool.hostOf[v] !== NOWHERE)
  const gateOf = (vms: readonly number[]) => ({ failures: ha.planExistsFor, hosts, agile: vms })
  return present.length === agile.length ? [gateOf(agile)] : [gateOf(agile), gateOf(present)]
}

/** Says why moving `v` to `to` would end a plan, or nothing: a plan that does not exist keeps nothing back. */
export function checkFailover(
  pool: CompiledPool,
  gates: readonly FailoverGate[],
  placement: Placement,
  v: number,
  to: number,
): Refusal | undefined {
  const ended = gates.find(
    (gate) =>
      planExists(pool, gate, placement) &&
      // the planner fills hosts greedily: more free memory on the source can, rarely, end a plan
      !(['on its way', 'landed'] as const).every((state) => planExists(pool, gate, placement, { v, to, state })),
  )
  return (
    ended && {
      code: 'HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN',
      why: `the failover plan for ${ended.failures} host failures would end`,
    }
  )
}

/** Tells whether every plan that is to be kept exists. */
export function allPlansExist(pool: CompiledPool, gates: readonly FailoverGate[], placement: Placement): boolean {
  return gates.every((gate) => planExists(pool, gate, placement))
}

function planExists(pool: CompiledPool, gate: FailoverGate, placement: Placement, arrival?: Arrival): boolean {
  return failoverPlanExists(questionOf(pool, gate, placement, arrival), gate.failures)
}

function questionOf(
  pool: CompiledPool,
  { hosts, agile }: FailoverGate,
  { hostOf, staticMaxBytes }: Placement,
  arrival: Arrival | undefined,
): FailoverQuestion {
  const indexOf = new Map(hosts.map((h, index) => [h, index]))
  const bytes = arrival ? (pool.staticMaxBytes[arrival.v] ?? 0) : 0
  const source = arrival?.state === 'landed' ? hostOf[arrival.v] : undefined
  return {
    totalHosts: pool.hosts.length,
    freeBytes: hosts.map((h) => {
      const used = (staticMaxBytes[h] ?? 0) - (h === source ? bytes : 0)
      return Math.max(0, (pool.memoryBytes[h] ?? 0) - used) - (h === arrival?.to ? bytes : 0)
    }),
    vms: agile.map((v) => ({
      bytes: pool.staticMaxBytes[v] ?? 0,
      host: indexOf.get(arrival?.v === v ? arrival.to : (hostOf[v] ?? NOWHERE)),
    })),
  }
}

/** Nothing of the VM ties it to some of the enabled hosts (agility.ml). */
function isAgile(vm: Vm, enabled: readonly Host[]): boolean {
  if (vm.agile !== undefined) return vm.agile
  if (vm.needs.some((need) => need !== 'hvm')) return false
  return enabled.every(({ storageRepositories, networks }) => {
    const has = (present: readonly string[] | undefined, needed: readonly string[]) =>
      present === undefined || needed.every((one) => present.includes(one))
    return has(storageRepositories, vm.storageRepositories) && has(networks, vm.networks)
  })
}
