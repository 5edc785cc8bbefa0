/**
 * Where a VM may run: xapi's checks in xapi's order, the first failure reported with xapi's code (`assert_can_boot_here` in
 * xapi_vm_helpers.ml). xapi checks our answer again; a reason that equals its own is the one an operator understands.
 */
import type { Host, Need, Vm } from '../document/pool-document.js'

/** Why not: the code xapi raises, or one of ours (RULE_…) that no xapi code stands for. */
export interface Refusal {
  readonly code: string
  readonly why: string
}

/** Needs in the order in which xapi checks them, with its code. */
const NEED_CODES: readonly (readonly [need: Need, code: string])[] = [
  ['iommu', 'VM_REQUIRES_IOMMU'],
  ['gpu', 'VM_REQUIRES_GPU'],
  ['usb', 'OPERATION_NOT_ALLOWED'],
  ['sriov', 'NETWORK_SRIOV_INSUFFICIENT_CAPACITY'],
  ['hvm', 'VM_HVM_REQUIRED'],
]

/**
 * Says why `vm` may not run on `host`, or nothing. `freeBytes` is the memory that is free there without this VM; leave it out to
 * ask for all other reasons. `source` is the host it would come from: a VM goes to an equal or newer version only.
 */
export function mayRun(vm: Vm, host: Host, freeBytes = Number.POSITIVE_INFINITY, source?: Host): Refusal | undefined {
  const isThere = vm.host === host.uuid && vm.state !== 'halted' && vm.state !== 'suspended'
  if (!host.live) return { code: 'HOST_NOT_LIVE', why: 'the host is not live' }
  if (!host.enabled && !isThere) return { code: 'HOST_DISABLED', why: 'the host is disabled' }
  return (
    refuseVersion(host, source) ??
    refuseCpu(vm, host) ??
    refuseMissing('VM_REQUIRES_SR', 'storage repository', vm.storageRepositories, host.storageRepositories) ??
    refuseMissing('VM_REQUIRES_NETWORK', 'network', vm.networks, host.networks) ??
    (isThere ? undefined : refuseNeeds(vm, host)) ??
    refuseMemory(vm.memoryFloorBytes, freeBytes) ??
    refuseCpuCount(vm, host)
  )
}

function refuseVersion(host: Host, source: Host | undefined): Refusal | undefined {
  if (source?.version === undefined || host.version === undefined) return undefined
  if (compareVersions(host.version, source.version) >= 0) return undefined
  return {
    code: 'NOT_SUPPORTED_DURING_UPGRADE',
    why: `the host has version ${host.version}, older than ${source.version} where the VM runs`,
  }
}

function refuseCpu(vm: Vm, host: Host): Refusal | undefined {
  if (vm.state === 'halted') return undefined
  const { vendor, features = [] } = flagsOf(vm)
  if (vendor !== undefined && host.cpuVendor !== undefined && vendor !== host.cpuVendor) {
    return incompatible(`the CPU is of ${host.cpuVendor}, the VM was started on one of ${vendor}`)
  }
  if (host.cpuFeatures === undefined) return undefined
  const offered = readFeatures(host.cpuFeatures)
  const missing = [...readFeatures(features)].find((feature) => !offered.has(feature))
  return missing === undefined ? undefined : incompatible(`the CPU lacks the feature ${missing}`)
}

const incompatible = (why: string): Refusal => ({ code: 'VM_INCOMPATIBLE_WITH_THIS_HOST', why })

function flagsOf({ cpuFlags = [] }: Vm): {
  readonly vendor?: string | undefined
  readonly features?: Features | undefined
} {
  return typeof cpuFlags === 'string' || isList(cpuFlags) ? { features: cpuFlags } : cpuFlags
}

type Features = string | readonly string[]

/** `Array.isArray` does not narrow a readonly array. */
function isList(value: object): value is readonly string[] {
  return Array.isArray(value)
}

/** Words of 32 bits in hex become `word.bit`; anything else is a name. */
function readFeatures(given: Features): ReadonlySet<string> {
  const names = typeof given === 'string' ? given.split(/[\s,]+/).filter(Boolean) : given
  return new Set(names.flatMap((name) => (/^[0-9a-f]{8}(-[0-9a-f]{8})*$/i.test(name) ? bitsOf(name) : [name])))
}

function bitsOf(words: string): string[] {
  return words.split('-').flatMap((word, at) => {
    const value = Number.parseInt(word, 16)
    return Array.from({ length: 32 }, (_, bit) => bit).flatMap((bit) => ((value >>> bit) & 1 ? [`${at}.${bit}`] : []))
  })
}

function refuseMissing(
  code: string,
  what: string,
  needed: readonly string[],
  present: readonly string[] | undefined,
): Refusal | undefined {
  if (present === undefined) return undefined
  const missing = needed.find((one) => !present.includes(one))
  return missing === undefined ? undefined : { code, why: `the ${what} ${missing} is not on the host` }
}

function refuseNeeds(vm: Vm, host: Host): Refusal | undefined {
  const found = NEED_CODES.find(([need]) => vm.needs.includes(need) && !host.provides.includes(need))
  return found && { code: found[1], why: `the VM needs ${found[0]}, which the host does not provide` }
}

function refuseMemory(neededBytes: number, freeBytes: number): Refusal | undefined {
  if (neededBytes <= freeBytes) return undefined
  return {
    code: 'HOST_NOT_ENOUGH_FREE_MEMORY',
    why: `it needs ${gib(neededBytes)} GiB and ${gib(Math.max(0, freeBytes))} GiB are free`,
  }
}

function refuseCpuCount(vm: Vm, host: Host): Refusal | undefined {
  if (vm.vcpuUnrestricted || vm.vcpus <= host.cpus) return undefined
  return { code: 'HOST_NOT_ENOUGH_PCPUS', why: `it has ${vm.vcpus} vCPUs and the host ${host.cpus} CPUs` }
}

function gib(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(2)
}

/** Compares dotted numbers; what is not a number counts as 0. */
function compareVersions(one: string, other: string): number {
  const parts = (version: string) => version.split('.').map((part) => Number.parseInt(part, 10) || 0)
  const [left, right] = [parts(one), parts(other)]
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
