/** Where xapi starts a VM when nobody says (vm_placement.ml, vm groups): hosts in the order in which they are tried. */
import type { Database } from '../../database/database.js'
import { numberOf, textOf } from '../values.js'
import { antiAffinityGroup, membersOn } from './groups.js'
import { isBeingEmptied } from './host-operations.js'
import { refuseRun } from './may-run.js'
import { capacityBytes, chargedVms, freeBytes, type MemorySize, vmBytes } from './memory.js'

/** The hosts on which a VM could run, whatever CPU it was started on (`VM.get_possible_hosts`). */
export function possibleHosts(database: Database, vm: string): string[] {
  return database.refs('host').filter((host) => refuseRun(database, { vm, host, cpu: false }) === undefined)
}

/**
 * Of the hosts on which it may run, the one xapi prefers: the host it is bound to; where its group is the least; then
 * memory: with all VMs at full size, at the size they would like, or as little squeezed as possible. Where xapi chooses by chance among
 * equals, the lab takes the roomiest.
 */
export function chooseHost(database: Database, vm: string): string | undefined {
  const record = database.get('VM', vm)
  const fitting = database
    .rows('host')
    .flatMap(([host, found]) => (!isBeingEmptied(found) && !refuseRun(database, { vm, host }) ? [host] : []))
  const affinity = textOf(record, 'affinity')
  if (fitting.includes(affinity)) return affinity
  const group = antiAffinityGroup(database, vm)
  const members = group === undefined ? new Map<string, number>() : membersOn(database, group)
  const countOn = (host: string) => members.get(host) ?? 0
  const fewest = Math.min(...fitting.map(countOn))
  const [best] = fitting
    .filter((host) => countOn(host) === fewest)
    .map((host) => ({ host, score: scoreOf(database, vm, host) }))
    .sort((a, b) => a.score.category - b.score.category || b.score.value - a.score.value)
  return best?.host
}

function scoreOf(database: Database, vm: string, host: string): { readonly category: number; readonly value: number } {
  const needed = (size: MemorySize) => vmBytes(database.get('VM', vm), size)
  const spare = (size: MemorySize) => (freeBytes(database, host, size) - needed(size)) / weightOf(database, host)
  for (const [category, size] of (['static_max', 'dynamic_max'] as const).entries()) {
    if (spare(size) >= 0) return { category, value: spare(size) }
  }
  const vms = [...chargedVms(database, host), vm].map((ref) => database.get('VM', ref))
  const sum = (size: MemorySize) => vms.reduce((total, one) => total + vmBytes(one, size), 0)
  const [least, most] = [sum('dynamic_min'), sum('dynamic_max')]
  const available = capacityBytes(database, database.get('host', host))
  return { category: 2, value: most === least ? 0 : (available - least) / (most - least) }
}

/** What is free on the coordinator counts half (`coordinator_bias`). */
function weightOf({ pool: { record } }: Database, host: string): number {
  return record.coordinator_bias === true && record.master === host ? 2 : 1
}

/** The least share of its range to which a host's VMs are squeezed: 1 where all have what they would like. */
export function memoryShare(database: Database, host: string, vms: readonly string[]): number {
  const records = vms.map((ref) => database.get('VM', ref))
  const sum = (field: string) => records.reduce((total, vm) => total + numberOf(vm, field), 0)
  const overheads = sum('memory_overhead')
  const [least, most] = [sum('memory_dynamic_min') + overheads, sum('memory_dynamic_max') + overheads]
  const available = capacityBytes(database, database.get('host', host))
  return most <= available || most === least ? 1 : Math.max(0, (available - least) / (most - least))
}
