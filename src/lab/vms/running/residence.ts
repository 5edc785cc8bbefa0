/** Where a VM is, and all that follows from it in other records: residents, memory, devices, what may be done next. */
import { type ApiValue, NULL_REF } from '../../../xapi/index.js'
import type { ApiRecord, Database } from '../../database/database.js'
import { refreshFailoverFields } from '../checks/failover.js'
import { allowedHostOperations } from '../checks/host-operations.js'
import { capacityBytes } from '../checks/memory.js'
import { memoryShare } from '../checks/placement.js'
import { allowedVmOperations } from '../checks/vm-operations.js'
import { isRef, listOf, mapOf, numberOf, objectOf, textOf } from '../values.js'
import { refreshGroupAlerts } from './group-alerts.js'

/** The VM runs on a host from now on, wherever it was. */
export function settle(database: Database, vmRef: string, host: string, now: Date, state = 'Running'): void {
  const vm = database.get('VM', vmRef)
  const from = textOf(vm, 'resident_on')
  database.update('VM', vmRef, {
    power_state: state,
    resident_on: host,
    scheduled_to_be_resident_on: NULL_REF,
    domid: nextDomid(database, host),
  })
  if (from !== host) {
    if (isRef(from)) removeResident(database, from, vmRef)
    database.update('host', host, { resident_VMs: [...listOf(database.get('host', host), 'resident_VMs'), vmRef] })
  }
  refreshAfter(database, vmRef, [from, host], now)
}

/** The VM runs nowhere from now on. */
export function depart(database: Database, vmRef: string, state: 'Halted' | 'Suspended', now: Date): void {
  const vm = database.get('VM', vmRef)
  const from = textOf(vm, 'resident_on')
  database.update('VM', vmRef, {
    power_state: state,
    resident_on: NULL_REF,
    scheduled_to_be_resident_on: NULL_REF,
    domid: -1n,
  })
  if (isRef(from)) removeResident(database, from, vmRef)
  setDevices(database, vm, false)
  updateIfFound(database, 'VM_metrics', textOf(vm, 'metrics'), { memory_actual: 0n, last_updated: now })
  updateIfFound(database, 'VM_guest_metrics', textOf(vm, 'guest_metrics'), { live: false, last_updated: now })
  refreshAfter(database, vmRef, [from], now)
}

/** The VM has booted: it has the CPU of its host, and what its platform said then counts until it is halted. */
export function noteBoot(database: Database, vmRef: string, hostRef: string, now: Date): void {
  const vm = database.get('VM', vmRef)
  const platform = mapOf(vm, 'platform')
  noteCpu(database, vmRef, hostRef)
  setDevices(database, vm, true)
  updateIfFound(database, 'VM_metrics', textOf(vm, 'metrics'), {
    start_time: now,
    last_updated: now,
    VCPUs_number: vm.VCPUs_at_startup ?? 1n,
    nomigrate: platform.nomigrate === 'true',
    nested_virt: platform['nested-virt'] === 'true',
  })
  updateIfFound(database, 'VM_guest_metrics', textOf(vm, 'guest_metrics'), { live: true, last_updated: now })
}

/** What a VM may rely on from now on: the CPU of the host it runs on. */
export function noteCpu(database: Database, vmRef: string, hostRef: string): void {
  const { vendor = '', features_hvm = '', features_pv = '' } = mapOf(database.get('host', hostRef), 'cpu_info')
  const features = textOf(database.get('VM', vmRef), 'domain_type') === 'pv' ? features_pv : features_hvm
  database.update('VM', vmRef, { last_boot_CPU_flags: { vendor, features } })
}

export function refreshVm(database: Database, vmRef: string): void {
  updateIfOther(database, 'VM', vmRef, { allowed_operations: allowedVmOperations(database, vmRef) })
}

export function refreshHost(database: Database, hostRef: string): void {
  updateIfOther(database, 'host', hostRef, { allowed_operations: allowedHostOperations(database, hostRef) })
}

function refreshAfter(database: Database, vmRef: string, hosts: readonly string[], now: Date): void {
  for (const host of new Set(hosts.filter(isRef))) shareMemory(database, host, now)
  refreshVm(database, vmRef)
  refreshGroupAlerts(database, listOf(database.get('VM', vmRef), 'groups'), now)
  refreshFailoverFields(database)
}

/** Balloons guests down where a host is short of memory, and up again; writes what is left. */
function shareMemory(database: Database, hostRef: string, now: Date): void {
  const host = database.get('host', hostRef)
  const residents = listOf(host, 'resident_VMs')
  const share = memoryShare(database, hostRef, residents)
  let used = 0
  for (const ref of residents) {
    const vm = database.get('VM', ref)
    const [least, most] = [numberOf(vm, 'memory_dynamic_min'), numberOf(vm, 'memory_dynamic_max')]
    const target = BigInt(Math.floor(least + (most - least) * share))
    used += Number(target) + numberOf(vm, 'memory_overhead')
    updateIfOther(database, 'VM', ref, { memory_target: target })
    const metrics = objectOf(database, 'VM_metrics', vm, 'metrics')
    if (metrics && metrics.memory_actual !== target) {
      database.update('VM_metrics', textOf(vm, 'metrics'), { memory_actual: target, last_updated: now })
    }
  }
  const free = BigInt(Math.max(0, capacityBytes(database, host) - used))
  updateIfOther(database, 'host_metrics', textOf(host, 'metrics'), { memory_free: free })
}

function removeResident(database: Database, host: string, vm: string): void {
  const record = database.find('host', host)
  if (record)
    database.update('host', host, { resident_VMs: listOf(record, 'resident_VMs').filter((ref) => ref !== vm) })
}

function nextDomid(database: Database, host: string): bigint {
  const taken = listOf(database.get('host', host), 'resident_VMs').map((ref) => database.find('VM', ref)?.domid ?? 0n)
  return taken.reduce((most: bigint, domid) => (typeof domid === 'bigint' && domid > most ? domid : most), 0n) + 1n
}

function setDevices(database: Database, vm: ApiRecord, currently_attached: boolean): void {
  for (const [className, field] of [['VBD', 'VBDs'] as const, ['VIF', 'VIFs'] as const]) {
    for (const ref of listOf(vm, field)) {
      if (database.find(className, ref)) updateIfOther(database, className, ref, { currently_attached })
    }
  }
}

function updateIfFound(database: Database, className: string, ref: string, values: ApiRecord): void {
  if (database.find(className, ref)) database.update(className, ref, values)
}

/** A change that changes nothing is an event that says nothing. */
function updateIfOther(database: Database, className: string, ref: string, values: ApiRecord): void {
  const record = database.find(className, ref)
  if (record && Object.entries(values).some(([field, value]) => !isSame(record[field], value))) {
    database.update(className, ref, values)
  }
}

function isSame(one: ApiValue | undefined, other: ApiValue): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  return one.length === other.length && one.every((element, index) => element === other[index])
}
