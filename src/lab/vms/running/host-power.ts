/**
 * Hosts that go and come (xapi_host.ml). A host that was switched off, or died where it stood, comes back without its guests; one whose
 * program ended in order and starts again has kept them, as after a restart of the toolstack.
 */
import { ApiFailure, NULL_REF } from '../../../xapi/index.js'
import type { Database } from '../../database/database.js'
import { type Coordinator, callMember } from '../../host/host.js'
import { guestsOn } from '../checks/evacuation-plan.js'
import { refreshFailoverFields } from '../checks/failover.js'
import { listOf, mapOf, textOf } from '../values.js'
import { type Operator, onHost, underTask } from './operation.js'
import { depart, refreshHost, refreshVm } from './residence.js'

/** Set for hosts that were disabled so that they stay so when they start again. */
const STAYS_DISABLED = 'lab_stays_disabled '

export function disable({ database }: Coordinator, host: string, enableAtStart: boolean): void {
  database.update('host', host, { enabled: false })
  database.setInternal(`${STAYS_DISABLED}${host}`, enableAtStart ? '' : 'yes')
  refreshAfter(database, host)
}

export function enable({ database }: Coordinator, host: string): void {
  database.update('host', host, { enabled: true })
  database.setInternal(`${STAYS_DISABLED}${host}`, '')
  refreshAfter(database, host)
}

/** Switches a host off, or off and on again; its guests end with it. */
export async function powerDown(operator: Operator, hostRef: string, how: 'shutdown' | 'reboot'): Promise<void> {
  const { host: labHost, coordinator } = operator
  const { database } = coordinator
  await underTask(operator, `host.${how}`, (task) =>
    onHost(operator, task, hostRef, how, async () => {
      if (hostRef === coordinator.hostRef) labHost.machine.end(how)
      else await callMember(labHost, coordinator, hostRef, 'host.lab_end', how)
      for (const vm of guestsOn(database, hostRef)) depart(database, vm, 'Halted', labHost.now())
      const metrics = textOf(database.get('host', hostRef), 'metrics')
      database.update('host_metrics', metrics, { live: false, last_updated: labHost.now() })
    }),
  )
}

export async function powerOn(operator: Operator, hostRef: string): Promise<void> {
  const { host: labHost, coordinator } = operator
  const { database } = coordinator
  await underTask(operator, 'host.power_on', (task) =>
    onHost(operator, task, hostRef, 'power_on', async () => {
      const name = textOf(database.get('host', hostRef), 'hostname')
      if (!(await labHost.machine.start(name))) throw new ApiFailure('HOST_POWER_ON_NOT_CONFIGURED', [])
    }),
  )
}

/** A host has booted: what ran on it is gone, and it takes VMs again unless it was to stay disabled. */
export function noteHostBoot(database: Database, hostRef: string, now: Date): void {
  for (const vm of guestsOn(database, hostRef)) depart(database, vm, 'Halted', now)
  if (database.internal(`${STAYS_DISABLED}${hostRef}`) === '' && database.get('host', hostRef).enabled !== true) {
    database.update('host', hostRef, { enabled: true })
  }
  refreshAfter(database, hostRef)
}

/** A host's heartbeat has begun or ended. */
export function noteLiveness(database: Database, hostRef: string): void {
  refreshAfter(database, hostRef)
}

/** A coordinator that starts has no operation in progress, whatever the one before it had. */
export function forgetOperations(database: Database): void {
  for (const [ref, vm] of database.rows('VM')) {
    const isBusy = Object.keys(mapOf(vm, 'current_operations')).length > 0
    const isGoing = textOf(vm, 'scheduled_to_be_resident_on') !== NULL_REF
    if (isBusy || isGoing) database.update('VM', ref, { current_operations: {}, scheduled_to_be_resident_on: NULL_REF })
    refreshVm(database, ref)
  }
  for (const [ref, host] of database.rows('host')) {
    if (Object.keys(mapOf(host, 'current_operations')).length > 0)
      database.update('host', ref, { current_operations: {} })
    refreshHost(database, ref)
  }
}

function refreshAfter(database: Database, hostRef: string): void {
  const clustered = database.rows('SR').some(([, sr]) => sr.clustered === true && listOf(sr, 'PBDs').length > 0)
  for (const ref of clustered ? database.refs('host') : [hostRef]) refreshHost(database, ref)
  refreshFailoverFields(database)
}
