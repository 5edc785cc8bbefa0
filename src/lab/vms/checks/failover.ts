/**
 * High availability as xapi plans it: how many host failures the pool survives, and which operation would end that
 * (xapi_ha_vm_failover.ml, agility.ml). The planner itself is the one that advice uses.
 */
import { type FailoverQuestion, failoverPlanExists } from '../../../balance/index.js'
import { ApiFailure } from '../../../xapi/index.js'
import type { ApiRecord, Database } from '../../database/database.js'
import { isRef, listOf, numberOf, objectsOf, textOf } from '../values.js'
import { isHostLive, neededSrs } from './may-run.js'
import { freeBytes, vmBytes } from './memory.js'

/** What changes in a question against what is: a VM that is also elsewhere, a host that is gone, another set of protected VMs. */
interface Change {
  readonly arrival?: { readonly vm: string; readonly host: string }
  readonly without?: string
  readonly protectedVms?: readonly string[]
}

/** Restarted by high availability: it is meant to run, and its priority says so. */
export function isProtected(vm: ApiRecord): boolean {
  return vm.ha_always_run === true && vm.ha_restart_priority === 'restart'
}

/** Tells whether nothing ties the VM to some of the enabled hosts. */
export function isAgile(database: Database, vmRef: string): boolean {
  const vm = database.get('VM', vmRef)
  if (listOf(vm, 'VGPUs').length > 0 || listOf(vm, 'VUSBs').length > 0) return false
  const enabled = database.rows('host').filter(([, host]) => host.enabled === true)
  const isShared = (sr: string) => {
    const record = database.find('SR', sr)
    const attached = record ? objectsOf(database, 'PBD', record, 'PBDs') : []
    const hosts = new Set(attached.filter((pbd) => pbd.currently_attached === true).map((pbd) => pbd.host))
    return record?.shared === true && enabled.every(([host]) => hosts.has(host))
  }
  const isEverywhere = (vif: ApiRecord) => {
    const network = database.find('network', textOf(vif, 'network'))
    const hosts = new Set((network ? objectsOf(database, 'PIF', network, 'PIFs') : []).map((pif) => pif.host))
    return enabled.every(([host]) => hosts.has(host))
  }
  return neededSrs(database, vm).every(isShared) && objectsOf(database, 'VIF', vm, 'VIFs').every(isEverywhere)
}

/** Tells whether the protected VMs could be restarted after that many host failures. */
export function planExists(database: Database, failures: number, change: Change = {}): boolean {
  return failoverPlanExists(questionOf(database, change), failures)
}

/** The most host failures for which there is a plan; 0 where there is none for one. */
export function mostFailures(database: Database, protectedVms?: readonly string[]): number {
  const question = questionOf(database, protectedVms ? { protectedVms } : {})
  let most = 0
  while (most < question.freeBytes.length && failoverPlanExists(question, most + 1)) most++
  return most
}

/** Says why a VM may not come to a host as well, which is started, resumed or moved there; or nothing. */
export function refuseArrival(database: Database, vm: string, host: string): ApiFailure | undefined {
  return refuseChange(database, { arrival: { vm, host } })
}

/** Says why a host may not be taken out of service, or nothing. */
export function refuseDeparture(database: Database, host: string): ApiFailure | undefined {
  return refuseChange(database, { without: host })
}

/** Says why a VM may not become protected, or nothing. */
export function refuseProtection(database: Database, vm: string): ApiFailure | undefined {
  return refuseChange(database, { protectedVms: [...protectedVms(database), vm] })
}

/** A plan that does not exist now is not kept. */
function refuseChange(database: Database, change: Change): ApiFailure | undefined {
  const { record } = database.pool
  const failures = numberOf(record, 'ha_plan_exists_for')
  if (record.ha_enabled !== true || record.ha_allow_overcommit === true) return undefined
  if (!planExists(database, failures) || planExists(database, failures, change)) return undefined
  return new ApiFailure('HA_OPERATION_WOULD_BREAK_FAILOVER_PLAN', [])
}

/** Computes what the pool says of its plan; writes it where it is another one. */
export function refreshFailoverFields(database: Database): void {
  const { ref, record } = database.pool
  const isOn = record.ha_enabled === true
  const wanted = numberOf(record, 'ha_host_failures_to_tolerate')
  const most = isOn ? mostFailures(database) : 0
  const fields = { ha_plan_exists_for: BigInt(Math.min(wanted, most)), ha_overcommitted: isOn && most < wanted }
  const isSame =
    record.ha_plan_exists_for === fields.ha_plan_exists_for && record.ha_overcommitted === fields.ha_overcommitted
  if (!isSame) database.update('pool', ref, fields)
}

function protectedVms(database: Database): string[] {
  return database.rows('VM').flatMap(([ref, vm]) => (isProtected(vm) ? [ref] : []))
}

/**
 * Live and enabled hosts with what is free there at the full size of every VM; the protected VMs that may run anywhere. Those
 * that may not are part of the memory that is taken.
 */
function questionOf(database: Database, { arrival, without, protectedVms: chosen }: Change): FailoverQuestion {
  const hosts = database.rows('host').flatMap(([ref, host]) => {
    return host.enabled === true && isHostLive(database, host) && ref !== without ? [ref] : []
  })
  const bytesOf = (vm: string) => vmBytes(database.get('VM', vm), 'static_max')
  const agile = (chosen ?? protectedVms(database)).filter((vm) => isAgile(database, vm))
  const byUuid = (one: string, other: string) =>
    textOf(database.get('VM', one), 'uuid') < textOf(database.get('VM', other), 'uuid') ? -1 : 1
  return {
    totalHosts: database.refs('host').length,
    freeBytes: hosts.map((host) => {
      const free = Math.max(0, freeBytes(database, host, 'static_max'))
      return host === arrival?.host ? free - bytesOf(arrival.vm) : free
    }),
    vms: agile.sort(byUuid).map((vm) => {
      const record = database.get('VM', vm)
      const next = textOf(record, 'scheduled_to_be_resident_on')
      const present = isRef(next) ? next : textOf(record, 'resident_on')
      const host = hosts.indexOf(vm === arrival?.vm ? arrival.host : present)
      return { bytes: bytesOf(vm), host: host === -1 ? undefined : host }
    }),
  }
}
