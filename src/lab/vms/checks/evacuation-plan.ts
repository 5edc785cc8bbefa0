/**
 * Where the VMs of a host go when it is emptied, without asking anybody: `compute_evacuation_plan_no_wlb` of xapi_host.ml. A VM
 * must be able to run on every other enabled host, which is more than it needs.
 */
import { ApiFailure } from '../../../xapi/index.js'
import type { Database } from '../../database/database.js'
import { listOf, objectOf } from '../values.js'
import { isProtected } from './failover.js'
import { antiAffinityGroup, membersOn } from './groups.js'
import { isBeingEmptied } from './host-operations.js'
import { refuseRun } from './may-run.js'
import { freeBytes, vmBytes } from './memory.js'
import { type Item, pack, packApart } from './packing.js'
import { refuseOperation } from './vm-operations.js'

/** For each VM of the host a target, or why it cannot leave. */
export type EvacuationPlan = ReadonlyMap<string, { readonly host: string } | ApiFailure>

/** With fewer hosts left, groups are not looked at. */
const HOSTS_FOR_GROUPS = 3

export function planEvacuation(database: Database, from: string): EvacuationPlan {
  const guests = guestsOn(database, from)
  const targets = database.rows('host').flatMap(([ref, host]) => {
    return host.enabled === true && ref !== from && !isBeingEmptied(host) ? [ref] : []
  })
  if (targets.length === 0) return new Map(guests.map((vm) => [vm, new ApiFailure('NO_HOSTS_AVAILABLE', [vm])]))

  const isOn = database.pool.record.ha_enabled === true
  const plan = new Map<string, { readonly host: string } | ApiFailure>()
  const able: string[] = []
  for (const vm of guests) {
    const unprotected = isOn && !isProtected(database.get('VM', vm))
    const refusal =
      refuseOperation(database, vm, 'pool_migrate') ??
      (unprotected ? new ApiFailure('HOST_EVACUATE_VM_NOT_HA_PROTECTED', [vm]) : undefined) ??
      firstRefusal(database, vm, targets)
    if (refusal) plan.set(vm, refusal)
    else able.push(vm)
  }
  const items = able.map((vm): Item & { readonly group?: string | undefined } => ({
    vm,
    bytes: vmBytes(database.get('VM', vm), isOn ? 'static_max' : 'dynamic_min'),
    group: antiAffinityGroup(database, vm),
  }))
  const free = new Map(targets.map((host) => [host, Math.max(0, freeBytes(database, host, 'dynamic_min'))]))
  const targetOf = spread(database, items, free) ?? pack(items, free)
  for (const vm of able) {
    const host = targetOf.get(vm)
    plan.set(vm, host === undefined ? new ApiFailure('HOST_NOT_ENOUGH_FREE_MEMORY', [vm]) : { host })
  }
  return plan
}

/** The VMs that have to leave: all but the control domain. */
export function guestsOn(database: Database, host: string): string[] {
  return listOf(database.get('host', host), 'resident_VMs').filter(
    (ref) => database.find('VM', ref)?.is_control_domain === false,
  )
}

function firstRefusal(database: Database, vm: string, targets: readonly string[]): ApiFailure | undefined {
  for (const host of targets) {
    const refusal = refuseRun(database, { vm, host, memory: false })
    if (refusal) return refusal
  }
  return undefined
}

function spread(
  database: Database,
  items: readonly (Item & { readonly group?: string | undefined })[],
  free: ReadonlyMap<string, number>,
): Map<string, string> | undefined {
  const groups = new Set(items.flatMap(({ group }) => (group === undefined ? [] : [group])))
  const live = [...free.keys()].filter((host) => {
    return objectOf(database, 'host_metrics', database.get('host', host), 'metrics')?.live === true
  })
  if (groups.size === 0 || live.length < HOSTS_FOR_GROUPS) return undefined
  const members = new Map([...groups].map((group) => [group, membersOn(database, group)]))
  return packApart(items, free, (group, host) => members.get(group)?.get(host) ?? 0)
}
