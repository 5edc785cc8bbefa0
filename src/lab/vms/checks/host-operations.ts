/** What may be done with a host in its state: `valid_operations` of xapi_host_helpers.ml. */
import { ApiFailure } from '../../../xapi/index.js'
import type { ApiRecord, Database } from '../../database/database.js'
import { listOf, mapOf, objectOf, textOf } from '../values.js'
import { isHostLive } from './may-run.js'

const OPERATIONS = [
  'provision',
  'evacuate',
  'reboot',
  'shutdown',
  'vm_start',
  'vm_resume',
  'vm_migrate',
  'power_on',
  'apply_updates',
] as const

export type HostOperation = (typeof OPERATIONS)[number]

/** The two groups that exclude each other: what brings VMs to a host, and what takes them away. */
const BRINGING: readonly string[] = ['provision', 'vm_resume', 'vm_migrate']
const TAKING: readonly string[] = ['evacuate', 'reboot', 'shutdown']
/** What takes a host out of service. */
const ENDING: readonly string[] = ['reboot', 'shutdown', 'apply_updates']

/** Says why the operation may not be done, or nothing. */
export function refuseHostOperation(
  database: Database,
  hostRef: string,
  operation: HostOperation,
): ApiFailure | undefined {
  const host = database.get('host', hostRef)
  const running = Object.values(mapOf(host, 'current_operations'))
  return (
    refuseConcurrent(hostRef, operation, running) ??
    (host.enabled === true && ENDING.includes(operation) ? new ApiFailure('HOST_NOT_DISABLED', []) : undefined) ??
    (operation === 'power_on' ? refusePowerOn(database, host, hostRef) : undefined) ??
    (ENDING.includes(operation) ? refuseClustered(database) : undefined)
  )
}

/** Nothing is sent to a host that is being emptied. */
export function isBeingEmptied(host: ApiRecord): boolean {
  return Object.values(mapOf(host, 'current_operations')).includes('evacuate')
}

export function allowedHostOperations(database: Database, hostRef: string): HostOperation[] {
  return OPERATIONS.filter((operation) => refuseHostOperation(database, hostRef, operation) === undefined)
}

function refuseConcurrent(
  hostRef: string,
  operation: HostOperation,
  running: readonly string[],
): ApiFailure | undefined {
  const busy = (with_: string) => new ApiFailure('OTHER_OPERATION_IN_PROGRESS', ['host', hostRef, with_])
  const isAgainst =
    (BRINGING.includes(operation) && running.some((one) => TAKING.includes(one))) ||
    (TAKING.includes(operation) && running.some((one) => BRINGING.includes(one)))
  if (isAgainst && running[0] !== undefined) return busy(running[0])
  const other = ENDING.includes(operation) && running.find((one) => ENDING.includes(one) && one !== operation)
  if (other) return busy(other)
  return operation === 'provision' && running.includes('provision') ? busy('provision') : undefined
}

function refusePowerOn(database: Database, host: ApiRecord, hostRef: string): ApiFailure | undefined {
  if (isHostLive(database, host)) return new ApiFailure('HOST_IS_LIVE', [hostRef])
  return textOf(host, 'power_on_mode') === '' ? new ApiFailure('HOST_POWER_ON_MODE_DISABLED', []) : undefined
}

/** With a clustered repository attached, no host may go while one is down. */
function refuseClustered(database: Database): ApiFailure | undefined {
  const clustered = database
    .rows('SR')
    .find(([, sr]) => sr.clustered === true && listOf(sr, 'PBDs').some((ref) => isAttached(database, ref)))
  if (!clustered) return undefined
  const down = database
    .rows('host')
    .some(([, host]) => objectOf(database, 'host_metrics', host, 'metrics')?.live === false)
  return down ? new ApiFailure('CLUSTERED_SR_DEGRADED', [clustered[0]]) : undefined
}

function isAttached(database: Database, pbd: string): boolean {
  return database.find('PBD', pbd)?.currently_attached === true
}
