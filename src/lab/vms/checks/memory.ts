/**
 * Memory as xapi counts it, from the database and not from what a host measures (memory_check.ml, vm_placement.ml): a host's
 * memory without Xen's own, minus what every VM needs that runs there or is on its way there. A VM that migrates counts on both
 * hosts until it has landed.
 */
import type { ApiRecord, Database } from '../../database/database.js'
import { isRef, numberOf, objectOf, textOf } from '../values.js'

/** Which size of a VM counts: squeezed as far as it goes, as large as it would like, as large as it may ever be. */
export type MemorySize = 'dynamic_min' | 'dynamic_max' | 'static_max'

/** Memory for a host's VMs, its control domain among them. */
export function capacityBytes(database: Database, host: ApiRecord): number {
  const metrics = objectOf(database, 'host_metrics', host, 'metrics')
  return metrics === undefined ? 0 : numberOf(metrics, 'memory_total') - numberOf(host, 'memory_overhead')
}

/** What a VM takes. One that runs paravirtualised in a container of its own cannot be squeezed before it has started. */
export function vmBytes(vm: ApiRecord, size: MemorySize): number {
  const chosen = size === 'dynamic_min' && textOf(vm, 'domain_type') === 'pv_in_pvh' ? 'static_max' : size
  return numberOf(vm, `memory_${chosen}`) + numberOf(vm, 'memory_overhead')
}

/** What is left on a host, below 0 where more is promised than there is. `except` is not counted where it is only on its way. */
export function freeBytes(database: Database, hostRef: string, size: MemorySize, except?: string): number {
  const host = database.get('host', hostRef)
  const charged = chargedVms(database, hostRef)
  return charged.reduce(
    (left, ref) => {
      const vm = database.get('VM', ref)
      const isExempt = ref === except && vm.resident_on !== hostRef
      return isExempt ? left : left - vmBytes(vm, size)
    },
    capacityBytes(database, host),
  )
}

/** The VMs that run on a host or are on their way there. */
export function chargedVms(database: Database, hostRef: string): readonly string[] {
  const known = charges.get(database)
  if (known?.generation === database.storedGeneration) return known.byHost.get(hostRef) ?? []
  const byHost = new Map<string, string[]>()
  const charge = (host: string, vm: string) => {
    if (!isRef(host)) return
    const list = byHost.get(host)
    if (list) list.push(vm)
    else byHost.set(host, [vm])
  }
  for (const [ref, vm] of database.rows('VM')) {
    const [there, next] = [textOf(vm, 'resident_on'), textOf(vm, 'scheduled_to_be_resident_on')]
    charge(there, ref)
    if (next !== there) charge(next, ref)
  }
  charges.set(database, { generation: database.storedGeneration, byHost })
  return byHost.get(hostRef) ?? []
}

/** Made once for each state of the database: an evacuation asks for every host, again and again. */
const charges = new WeakMap<
  Database,
  { readonly generation: number; readonly byHost: ReadonlyMap<string, readonly string[]> }
>()
