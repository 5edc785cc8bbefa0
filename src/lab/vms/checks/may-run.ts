/**
 * Where a VM may run: xapi's checks in xapi's order, the first failure reported as xapi reports it (`assert_can_boot_here` in
 * xapi_vm_helpers.ml, cpuid_helpers.ml, xapi_network_attach_helpers.ml). The lab's hosts have no GPU, no USB device and no SR-IOV:
 * a VM that needs one can run nowhere.
 */
import { ApiFailure } from '../../../xapi/index.js'
import type { ApiRecord, Database } from '../../database/database.js'
import { isRef, listOf, mapOf, numberOf, objectOf, objectsOf, textOf } from '../values.js'
import { freeBytes, vmBytes } from './memory.js'

export interface RunQuestion {
  readonly vm: string
  readonly host: string
  /** Plans ask without memory and count it themselves. */
  readonly memory?: boolean
  /** The list of possible hosts asks without the CPU. */
  readonly cpu?: boolean
}

/** A check: what it finds, or nothing. */
type Check = (subject: Subject) => ApiFailure | undefined

interface Subject {
  readonly database: Database
  readonly vmRef: string
  readonly hostRef: string
  readonly vm: ApiRecord
  readonly host: ApiRecord
}

/** Says why the VM may not run on the host, or nothing. */
export function refuseRun(database: Database, question: RunQuestion): ApiFailure | undefined {
  const { vm: vmRef, host: hostRef, memory = true, cpu = true } = question
  const subject = { database, vmRef, hostRef, vm: database.get('VM', vmRef), host: database.get('host', hostRef) }
  const checks: readonly Check[] = [
    checkLive,
    checkControlDomain,
    checkEnabled,
    checkHardwareVersion,
    ...(cpu ? [checkCpu] : []),
    checkStorage,
    checkNetworks,
    checkDevices,
    checkHvm,
    ...(memory ? [checkMemory] : []),
    checkCpuCount,
  ]
  for (const check of checks) {
    const failure = check(subject)
    if (failure) return failure
  }
  return undefined
}

export function isHostLive(database: Database, host: ApiRecord): boolean {
  return objectOf(database, 'host_metrics', host, 'metrics')?.live === true
}

function checkLive({ database, host }: Subject): ApiFailure | undefined {
  return isHostLive(database, host) ? undefined : new ApiFailure('HOST_NOT_LIVE', [])
}

function checkControlDomain({ vm, hostRef }: Subject): ApiFailure | undefined {
  const own = textOf(vm, 'affinity')
  if (vm.is_control_domain !== true || !isRef(own) || own === hostRef) return undefined
  const text = 'Cannot boot a control domain on a host different from its affinity'
  return new ApiFailure('OPERATION_NOT_ALLOWED', [text])
}

function checkEnabled({ vm, host, hostRef }: Subject): ApiFailure | undefined {
  if (host.enabled === true || vm.resident_on === hostRef || vm.is_control_domain === true) return undefined
  return new ApiFailure('HOST_DISABLED', [hostRef])
}

function checkHardwareVersion({ vm, vmRef, host, hostRef }: Subject): ApiFailure | undefined {
  const listed = listOf(host, 'virtual_hardware_platform_versions')
  const offered = listed.length === 0 ? ['0'] : listed
  const wanted = textOf(vm, 'hardware_platform_version')
  if (offered.includes(wanted)) return undefined
  const params = [hostRef, `[${offered.join('; ')}]`, vmRef, wanted]
  return new ApiFailure('VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION', params)
}

/** Checks a VM that has booted: on a CPU of the same vendor, and with no feature that this host lacks. */
export function checkCpu({ vm, vmRef, host, hostRef }: Omit<Subject, 'database'>): ApiFailure | undefined {
  if (vm.power_state === 'Halted') return undefined
  const refuse = (text: string) => new ApiFailure('VM_INCOMPATIBLE_WITH_THIS_HOST', [vmRef, hostRef, text])
  const booted = mapOf(vm, 'last_boot_CPU_flags')
  const cpu = mapOf(host, 'cpu_info')
  if (booted.vendor !== undefined && booted.vendor !== cpu.vendor) {
    return refuse('VM last booted on a host which had a CPU from a different vendor.')
  }
  const offered = textOf(vm, 'domain_type') === 'pv' ? cpu.features_pv : cpu.features_hvm
  if (booted.features === undefined || offered === undefined || isSubset(booted.features, offered)) return undefined
  return refuse("VM last booted on a CPU with features this host's CPU does not have.")
}

/** Words of 32 bits in hex, joined by dashes; a missing word is 0. */
function isSubset(features: string, of: string): boolean {
  const offered = of.split('-').map((word) => Number.parseInt(word, 16))
  return features.split('-').every((word, index) => (Number.parseInt(word, 16) & ~(offered[index] ?? 0)) === 0)
}

function checkStorage({ database, vm, vmRef, host }: Subject): ApiFailure | undefined {
  const attached = new Set(
    objectsOf(database, 'PBD', host, 'PBDs')
      .filter((pbd) => pbd.currently_attached === true)
      .map((pbd) => textOf(pbd, 'SR')),
  )
  const missing = neededSrs(database, vm).find((sr) => !attached.has(sr))
  return missing === undefined ? undefined : new ApiFailure('VM_REQUIRES_SR', [vmRef, missing])
}

/** The repositories of a VM's disks, and of its memory where it is suspended. */
export function neededSrs(database: Database, vm: ApiRecord): string[] {
  const disks = objectsOf(database, 'VBD', vm, 'VBDs')
    .filter((vbd) => vbd.empty !== true)
    .map((vbd) => textOf(vbd, 'VDI'))
  const suspended = vm.power_state === 'Suspended' ? [textOf(vm, 'suspend_VDI')] : []
  return [...disks, ...suspended].flatMap((ref) => {
    const disk = database.find('VDI', ref)
    return disk ? [textOf(disk, 'SR')] : []
  })
}

function checkNetworks({ database, vm, vmRef, hostRef }: Subject): ApiFailure | undefined {
  const networks = objectsOf(database, 'VIF', vm, 'VIFs').map((vif) => textOf(vif, 'network'))
  const missing = networks.find((network) => !reaches(database, hostRef, network))
  return missing === undefined ? undefined : new ApiFailure('VM_REQUIRES_NETWORK', [vmRef, missing])
}

function reaches(database: Database, hostRef: string, networkRef: string): boolean {
  const network = database.find('network', networkRef)
  if (!network) return false
  const adapters = objectsOf(database, 'PIF', network, 'PIFs')
  if (adapters.length > 0) return adapters.some((pif) => pif.host === hostRef)
  if (mapOf(network, 'other_config').assume_network_is_shared === 'true' || network.managed !== true) return true
  // A network inside one host: the VMs that run on it decide which.
  const users = objectsOf(database, 'VIF', network, 'VIFs').map((vif) => objectOf(database, 'VM', vif, 'VM'))
  const hosts = users.filter((user) => user?.power_state === 'Running').map((user) => user?.resident_on)
  return hosts.length === 0 || hosts.includes(hostRef)
}

function checkDevices({ vm, vmRef, hostRef }: Subject): ApiFailure | undefined {
  const [gpu] = listOf(vm, 'VGPUs')
  if (gpu !== undefined) return new ApiFailure('VM_REQUIRES_GPU', [vmRef, gpu])
  const [usb] = listOf(vm, 'VUSBs')
  if (usb === undefined) return undefined
  return new ApiFailure('OPERATION_NOT_ALLOWED', [`VUSB ${usb} is not available on Host ${hostRef}`])
}

function checkHvm({ vm, vmRef, host }: Subject): ApiFailure | undefined {
  const needsHvm = ['hvm', 'pvh', 'pv_in_pvh'].includes(textOf(vm, 'domain_type'))
  const hasHvm = listOf(host, 'capabilities').some((capability) => capability.includes('hvm'))
  return needsHvm && !hasHvm ? new ApiFailure('VM_HVM_REQUIRED', [vmRef]) : undefined
}

function checkMemory({ database, vm, vmRef, hostRef }: Subject): ApiFailure | undefined {
  const free = Math.max(0, freeBytes(database, hostRef, 'dynamic_min', vmRef))
  const needed = vmBytes(vm, 'dynamic_min')
  return needed <= free ? undefined : new ApiFailure('HOST_NOT_ENOUGH_FREE_MEMORY', [String(needed), String(free)])
}

function checkCpuCount({ vm, host }: Subject): ApiFailure | undefined {
  const cpus = mapOf(host, 'cpu_info').cpu_count ?? '0'
  const vcpus = numberOf(vm, 'VCPUs_max')
  if (vm.is_control_domain === true || mapOf(vm, 'platform')['vcpu-unrestricted'] === 'true') return undefined
  return vcpus <= Number(cpus) ? undefined : new ApiFailure('HOST_NOT_ENOUGH_PCPUS', [String(vcpus), cpus])
}
