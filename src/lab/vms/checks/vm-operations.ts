/**
 * What may be done with a VM in its state: `check_operation_error` of xapi_vm_lifecycle.ml, its checks in its order. The
 * list `allowed_operations` is made of it.
 */
import { ApiFailure } from '../../../xapi/index.js'
import type { ApiRecord, Database } from '../../database/database.js'
import { isRef, listOf, mapOf, objectOf, objectsOf, textOf } from '../values.js'

type PowerState = 'Halted' | 'Paused' | 'Running' | 'Suspended'

/** The operations the lab lists, each with the states it starts from. What the lab does not carry out it still lists, as a pool does. */
const OPERATIONS = {
  changing_dynamic_range: ['Halted', 'Running'],
  changing_shadow_memory: ['Halted'],
  changing_static_range: ['Halted'],
  make_into_template: ['Halted'],
  migrate_send: ['Halted', 'Suspended', 'Running'],
  pool_migrate: ['Running'],
  changing_VCPUs_live: ['Running'],
  destroy: ['Halted', 'Suspended'],
  export: ['Halted', 'Suspended'],
  resume_on: ['Suspended'],
  resume: ['Suspended'],
  suspend: ['Running'],
  hard_reboot: ['Paused', 'Running'],
  hard_shutdown: ['Paused', 'Suspended', 'Running'],
  clean_reboot: ['Running'],
  clean_shutdown: ['Running'],
  unpause: ['Paused'],
  pause: ['Running'],
  start_on: ['Halted'],
  start: ['Halted'],
  checkpoint: ['Paused', 'Suspended', 'Running'],
  clone: ['Halted'],
  copy: ['Halted'],
  snapshot: ['Halted', 'Paused', 'Suspended', 'Running'],
} as const satisfies Readonly<Record<string, readonly PowerState[]>>

export type VmOperation = keyof typeof OPERATIONS

const NAMES = Object.keys(OPERATIONS).filter(isOperation)

function isOperation(name: string): name is VmOperation {
  return Object.hasOwn(OPERATIONS, name)
}

const FOR_TEMPLATES = new Set<VmOperation>([
  'changing_dynamic_range',
  'changing_static_range',
  'changing_shadow_memory',
  'clone',
  'copy',
  'export',
  'destroy',
])
const FOR_SNAPSHOTS = new Set<VmOperation>(['clone', 'copy', 'export', 'destroy', 'hard_shutdown'])
const FOR_CONTROL_DOMAINS = new Set<VmOperation>([
  'changing_dynamic_range',
  'changing_static_range',
  'start',
  'start_on',
])
/** Its memory is taken away from where it is. */
const LEAVING = new Set<VmOperation>(['suspend', 'checkpoint', 'pool_migrate', 'migrate_send'])

/** Says why the operation may not be done, or nothing. `strict` is off where a caller forces it. */
export function refuseOperation(
  database: Database,
  vmRef: string,
  operation: VmOperation,
  strict = true,
): ApiFailure | undefined {
  const vm = database.get('VM', vmRef)
  const blocked = mapOf(vm, 'blocked_operations')[operation]
  if (blocked !== undefined) return new ApiFailure('OPERATION_BLOCKED', [vmRef, blocked])
  const states: readonly PowerState[] = OPERATIONS[operation]
  if (!states.some((state) => state === vm.power_state)) {
    const expected = states.map((state) => state.toLowerCase()).join(', ')
    return new ApiFailure('VM_BAD_POWER_STATE', [vmRef, expected, textOf(vm, 'power_state').toLowerCase()])
  }
  return (
    refuseConcurrent(vm, vmRef, operation) ??
    refuseKind(vm, vmRef, operation) ??
    (LEAVING.has(operation) && strict && !isMobile(database, vm) ? failure('VM_IS_IMMOBILE', vmRef) : undefined) ??
    refuseControlDomain(vm, operation) ??
    refuseGuest(database, vm, vmRef, operation, strict) ??
    refuseDisks(database, vm, operation) ??
    refuseDevices(vm, vmRef, operation)
  )
}

/** The operations that may be done, in the order in which xapi lists them. */
export function allowedVmOperations(database: Database, vmRef: string): VmOperation[] {
  return NAMES.filter((operation) => refuseOperation(database, vmRef, operation) === undefined)
}

function failure(code: string, ...params: string[]): ApiFailure {
  return new ApiFailure(code, params)
}

function refuseConcurrent(vm: ApiRecord, vmRef: string, operation: VmOperation): ApiFailure | undefined {
  const running = Object.values(mapOf(vm, 'current_operations'))
  const isHarmless =
    ['clone', 'copy', 'export'].includes(operation) && running.every((one) => /^(clone|copy|export)$/.test(one))
  if (running.length === 0 || isHarmless) return undefined
  const text = running.length === 1 ? String(running[0]) : `{${running.join(',')}}`
  return failure('OTHER_OPERATION_IN_PROGRESS', `VM.${text}`, vmRef)
}

function refuseKind(vm: ApiRecord, vmRef: string, operation: VmOperation): ApiFailure | undefined {
  if (vm.is_a_snapshot === true) {
    return FOR_SNAPSHOTS.has(operation) ? undefined : failure('VM_IS_SNAPSHOT', vmRef, operation)
  }
  const isAllowed = vm.is_a_template !== true || FOR_TEMPLATES.has(operation)
  return isAllowed ? undefined : failure('VM_IS_TEMPLATE', vmRef, operation)
}

/** As it was when the VM started, or as it is set where that is not known. */
function isMobile(database: Database, vm: ApiRecord): boolean {
  const metrics = objectOf(database, 'VM_metrics', vm, 'metrics')
  if (metrics) return metrics.nomigrate !== true && metrics.nested_virt !== true
  const platform = mapOf(vm, 'platform')
  return platform.nomigrate !== 'true' && platform['nested-virt'] !== 'true'
}

function refuseControlDomain(vm: ApiRecord, operation: VmOperation): ApiFailure | undefined {
  if (vm.is_control_domain !== true || FOR_CONTROL_DOMAINS.has(operation)) return undefined
  return failure('OPERATION_NOT_ALLOWED', 'This operation is not allowed on a control domain')
}

/** What a guest with hardware virtualisation must be able to do; paravirtualised guests and those with drivers can. */
const FEATURES: Partial<Readonly<Record<VmOperation, readonly string[]>>> = {
  clean_shutdown: ['feature-shutdown', 'feature-poweroff'],
  clean_reboot: ['feature-shutdown', 'feature-reboot'],
  suspend: ['feature-suspend'],
  checkpoint: ['feature-suspend'],
  pool_migrate: ['feature-suspend'],
  migrate_send: ['feature-suspend'],
  changing_VCPUs_live: ['feature-vcpu-hotplug'],
}

function refuseGuest(
  database: Database,
  vm: ApiRecord,
  vmRef: string,
  operation: VmOperation,
  strict: boolean,
): ApiFailure | undefined {
  if (vm.power_state !== 'Running') return undefined
  const guest = objectOf(database, 'VM_guest_metrics', vm, 'guest_metrics')
  const other = guest ? mapOf(guest, 'other') : {}
  const reason = other['data-cant-suspend-reason']
  if (LEAVING.has(operation) && strict && reason !== undefined) return failure('VM_NON_SUSPENDABLE', vmRef, reason)
  const wanted = FEATURES[operation]
  const metrics = objectOf(database, 'VM_metrics', vm, 'metrics')
  const needsNone = metrics?.hvm === false || guest?.PV_drivers_detected === true
  if (!wanted || needsNone || (!strict && operation !== 'changing_VCPUs_live')) return undefined
  return wanted.some((feature) => other[feature] === '1') ? undefined : failure('VM_LACKS_FEATURE', vmRef)
}

function refuseDisks(database: Database, vm: ApiRecord, operation: VmOperation): ApiFailure | undefined {
  const modes = objectsOf(database, 'VBD', vm, 'VBDs').flatMap((vbd) => {
    const disk = objectOf(database, 'VDI', vbd, 'VDI')
    if (!disk) return []
    const config = mapOf(disk, 'sm_config')
    return [
      {
        resets: config.on_boot === 'reset' || disk.on_boot === 'reset',
        caches: config.caching === 'true' || disk.allow_caching === true,
      },
    ]
  })
  const isWrong =
    operation === 'pool_migrate'
      ? modes.some(({ resets, caches }) => resets && caches)
      : ['checkpoint', 'snapshot', 'suspend'].includes(operation) && modes.some(({ resets }) => resets)
  return isWrong ? failure('VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION') : undefined
}

function refuseDevices(vm: ApiRecord, vmRef: string, operation: VmOperation): ApiFailure | undefined {
  if (LEAVING.has(operation)) {
    if (listOf(vm, 'attached_PCIs').some(isRef)) return failure('VM_HAS_PCI_ATTACHED', vmRef)
    if (listOf(vm, 'VGPUs').some(isRef)) return failure('VM_HAS_VGPU', vmRef)
  }
  const isRefused = (LEAVING.has(operation) || operation === 'snapshot') && listOf(vm, 'VUSBs').some(isRef)
  return isRefused ? failure('VM_HAS_VUSBS', vmRef) : undefined
}
