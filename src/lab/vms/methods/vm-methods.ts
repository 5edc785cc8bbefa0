/** The calls about VMs: power, migration, and where a VM may run. */
import { ApiFailure, type ApiValue, isApiMap } from '../../../xapi/index.js'
import { type Call, changing, type Method, reading } from '../../api/method.js'
import { refreshFailoverFields, refuseProtection } from '../checks/failover.js'
import { refuseRun } from '../checks/may-run.js'
import { possibleHosts } from '../checks/placement.js'
import { refuseOperation } from '../checks/vm-operations.js'
import { migrate } from '../running/migration.js'
import { reboot, resume, setPaused, shutDown, start, suspend } from '../running/power.js'
import { depart, refreshVm } from '../running/residence.js'
import { isRef, listOf, mapOf, objectsOf, textOf } from '../values.js'

export const VM_METHODS: readonly (readonly [string, Method])[] = [
  ['VM.start', changing(3, (call) => done(start(call, { vm: vmOf(call), ...flagsOf(call, 1) })))],
  [
    'VM.start_on',
    changing(4, (call) => done(start(call, { vm: vmOf(call), host: hostOf(call), ...flagsOf(call, 2) }))),
  ],
  ['VM.resume', changing(3, (call) => done(resume(call, { vm: vmOf(call), ...flagsOf(call, 1) })))],
  [
    'VM.resume_on',
    changing(4, (call) => done(resume(call, { vm: vmOf(call), host: hostOf(call), ...flagsOf(call, 2) }))),
  ],
  ['VM.clean_shutdown', changing(1, (call) => done(shutDown(call, vmOf(call), 'clean_shutdown')))],
  ['VM.hard_shutdown', changing(1, (call) => done(shutDown(call, vmOf(call), 'hard_shutdown')))],
  ['VM.shutdown', changing(1, (call) => done(shutDownSomehow(call)))],
  ['VM.clean_reboot', changing(1, (call) => done(reboot(call, vmOf(call), 'clean_reboot')))],
  ['VM.hard_reboot', changing(1, (call) => done(reboot(call, vmOf(call), 'hard_reboot')))],
  ['VM.suspend', changing(1, (call) => done(suspend(call, vmOf(call))))],
  ['VM.pause', changing(1, (call) => done(setPaused(call, vmOf(call), 'pause')))],
  ['VM.unpause', changing(1, (call) => done(setPaused(call, vmOf(call), 'unpause')))],
  ['VM.power_state_reset', changing(1, resetPowerState)],
  ['VM.pool_migrate', changing(3, poolMigrate)],
  ['VM.assert_can_boot_here', reading(2, assertCanBootHere)],
  ['VM.get_possible_hosts', reading(1, getPossibleHosts)],
  ['VM.assert_can_migrate', reading([6, 7], assertCanMigrate)],
  ['VM.assert_operation_valid', reading(2, assertOperationValid)],
  ['VM.update_allowed_operations', changing(1, updateAllowedOperations)],
  ['VM.set_ha_restart_priority', changing(2, setRestartPriority)],
  ['VM.set_ha_always_run', changing(2, setAlwaysRun)],
]

async function done(work: Promise<void>): Promise<ApiValue> {
  await work
  return ''
}

function vmOf({ args, coordinator }: Call): string {
  return args.ref(0, 'vm', 'VM', coordinator)
}

function hostOf({ args, coordinator }: Call): string {
  return args.ref(1, 'host', 'host', coordinator)
}

/** Force changes nothing: the lab has none of the checks that it skips. */
function flagsOf({ args }: Call, first: number): { readonly paused: boolean } {
  args.flag(first + 1, 'force')
  return { paused: args.flag(first, 'start_paused') }
}

/** In order where the guest can, at once where it cannot. */
async function shutDownSomehow(call: Call): Promise<void> {
  const vm = vmOf(call)
  const isAble = refuseOperation(call.coordinator.database, vm, 'clean_shutdown') === undefined
  await shutDown(call, vm, isAble ? 'clean_shutdown' : 'hard_shutdown')
}

/** For a VM whose host is dead: only who calls knows that it does not run any more. */
function resetPowerState(call: Call): ApiValue {
  const { database } = call.coordinator
  const vm = vmOf(call)
  if (database.get('VM', vm).is_control_domain === true) {
    throw new ApiFailure('OPERATION_NOT_ALLOWED', ['This operation is not allowed on a control domain'])
  }
  database.update('VM', vm, { current_operations: {} })
  depart(database, vm, 'Halted', call.host.now())
  return ''
}

function poolMigrate(call: Call): Promise<ApiValue> {
  const options = new Map(call.args.textMap(2, 'options'))
  const [force, network] = [options.get('force') === 'true', options.get('network')]
  return done(migrate(call, { vm: vmOf(call), host: hostOf(call), force, network }))
}

function assertCanBootHere({ coordinator, args }: Call): ApiValue {
  const vm = args.ref(0, 'self', 'VM', coordinator)
  const host = args.ref(1, 'host', 'host', coordinator)
  return throwOr(refuseRun(coordinator.database, { vm, host }))
}

function throwOr(refusal: ApiFailure | undefined): ApiValue {
  if (refusal) throw refusal
  return ''
}

/** A VM on its way to a host has no other choice. */
function getPossibleHosts(call: Call): ApiValue {
  const vm = vmOf(call)
  const reserved = textOf(call.coordinator.database.get('VM', vm), 'scheduled_to_be_resident_on')
  return isRef(reserved) ? [reserved] : possibleHosts(call.coordinator.database, vm)
}

/** Inside the pool: the licence, the VM's state, the target, and a place for every disk that the target cannot reach. */
function assertCanMigrate(call: Call): ApiValue {
  const { coordinator, args } = call
  const { database } = coordinator
  const vm = vmOf(call)
  if (mapOf(database.pool.record, 'restrictions').restrict_storage_xen_motion === 'true') {
    throw new ApiFailure('LICENSE_RESTRICTION', ['Storage_motion'])
  }
  const host = new Map(args.textMap(1, 'dest')).get('host') ?? ''
  if (!database.find('host', host)) throw new ApiFailure('INVALID_VALUE', ['host', host])
  throwOr(refuseOperation(database, vm, 'migrate_send', !new Map(args.textMap(5, 'options')).has('force')))
  const mapped = args.value(3)
  const disks = isApiMap(mapped) ? Object.keys(mapped) : []
  const attached = new Set(
    objectsOf(database, 'PBD', database.get('host', host), 'PBDs')
      .filter((pbd) => pbd.currently_attached === true)
      .map((pbd) => textOf(pbd, 'SR')),
  )
  const own = objectsOf(database, 'VBD', database.get('VM', vm), 'VBDs').map((vbd) => textOf(vbd, 'VDI'))
  const homeless = own.find((disk) => {
    const record = database.find('VDI', disk)
    return record !== undefined && !attached.has(textOf(record, 'SR')) && !disks.includes(disk)
  })
  if (homeless !== undefined) throw new ApiFailure('VDI_NOT_IN_MAP', [homeless])
  const refusal = refuseRun(database, { vm, host })
  return throwOr(refusal?.code === 'VM_REQUIRES_SR' ? undefined : refusal)
}

function assertOperationValid(call: Call): ApiValue {
  const operation = call.args.text(1, 'op')
  const { database } = call.coordinator
  const vm = vmOf(call)
  refreshVm(database, vm)
  if (listOf(database.get('VM', vm), 'allowed_operations').includes(operation)) return ''
  throw new ApiFailure('OPERATION_NOT_ALLOWED', [`${operation} is not allowed now`])
}

function updateAllowedOperations(call: Call): ApiValue {
  refreshVm(call.coordinator.database, vmOf(call))
  return ''
}

const PRIORITIES = ['restart', 'best-effort', '']

/** A running VM is protected at once, unless that would end the failover plan. */
function setRestartPriority(call: Call): ApiValue {
  const { database } = call.coordinator
  const vm = vmOf(call)
  const value = call.args.text(1, 'value')
  if (!PRIORITIES.includes(value)) throw new ApiFailure('INVALID_VALUE', ['ha_restart_priority', value])
  const record = database.get('VM', vm)
  const becomesProtected = value === 'restart' && record.ha_restart_priority !== 'restart'
  if (becomesProtected && record.power_state !== 'Halted') throwOr(refuseProtection(database, vm))
  const isRunning = record.power_state === 'Running'
  database.update('VM', vm, { ha_restart_priority: value, ...(isRunning && { ha_always_run: value === 'restart' }) })
  refreshFailoverFields(database)
  return ''
}

/** The field is deprecated: setting it sets the priority. */
function setAlwaysRun(call: Call): ApiValue {
  const { database } = call.coordinator
  const vm = vmOf(call)
  const isRunning = database.get('VM', vm).power_state === 'Running'
  const value = call.args.flag(1, 'value')
  if (value && isRunning) throwOr(refuseProtection(database, vm))
  database.update('VM', vm, { ha_restart_priority: value ? 'restart' : '', ha_always_run: value })
  refreshFailoverFields(database)
  return ''
}

const DECIDING_FIELDS = /^VM\.(set|add_to|remove_from)_blocked_operations$/

/** After a change of what is blocked, what is allowed is listed anew. */
export function listAllowedAfter([name, method]: readonly [string, Method]): readonly [string, Method] {
  if (method.session === 'none' || !DECIDING_FIELDS.test(name)) return [name, method]
  const handle = async (call: Call) => {
    const value = await method.handle(call)
    refreshVm(call.coordinator.database, vmOf(call))
    return value
  }
  return [name, { ...method, handle }]
}
