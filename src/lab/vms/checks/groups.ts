/** VM groups whose members are to be apart (xapi_vm_group_helpers.ml): where members are, and whether all are on one host. */
import type { Database } from '../../database/database.js'
import { isRef, listOf, objectsOf, textOf } from '../values.js'

/** The group that counts for a VM: the first one that keeps its members apart. */
export function antiAffinityGroup(database: Database, vmRef: string): string | undefined {
  const groups = listOf(database.get('VM', vmRef), 'groups')
  return groups.find((group) => database.find('VM_group', group)?.placement === 'anti_affinity')
}

/** Where the members of a group are: on their way, or running. */
export function membersOn(database: Database, group: string): Map<string, number> {
  const counts = new Map<string, number>()
  const record = database.find('VM_group', group)
  for (const vm of record ? objectsOf(database, 'VM', record, 'VMs') : []) {
    const next = textOf(vm, 'scheduled_to_be_resident_on')
    const host = isRef(next) ? next : vm.power_state === 'Running' ? textOf(vm, 'resident_on') : ''
    if (isRef(host)) counts.set(host, (counts.get(host) ?? 0) + 1)
  }
  return counts
}

/** The host on which all running members are, where there are two or more of them. */
export function breachedOn(database: Database, group: string): string | undefined {
  const record = database.find('VM_group', group)
  const hosts = (record ? objectsOf(database, 'VM', record, 'VMs') : [])
    .filter((vm) => vm.power_state === 'Running' && isRef(textOf(vm, 'resident_on')))
    .map((vm) => textOf(vm, 'resident_on'))
  const [first] = hosts
  return hosts.length >= 2 && hosts.every((host) => host === first) ? first : undefined
}
