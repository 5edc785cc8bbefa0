/** From the document to the form that a search works on. */
import type { Host, Pool, Vm } from '../document/pool-document.js'
import { mayMove } from '../rules/may-move.js'
import { mayRun } from '../rules/may-run.js'
import { compileRules } from './compile-rules.js'
import { type CompiledPool, NOWHERE, RESOURCES } from './compiled-pool.js'
import { baseMatrix, demandMatrix, isMeasured } from './demand.js'
import { recentScenarios, type Scenario } from './scenarios.js'

/** Compiles a pool; `scenarios` says which parts of the past stand for what is to come. */
export function compile(pool: Pool, scenarios: readonly Scenario[] = recentScenarios(pool)): CompiledPool {
  const hosts = pool.hosts.toSorted(byUuid)
  const vms = pool.vms.toSorted(byUuid)
  const hostNumbers = numberByUuid(hosts)
  const vmNumbers = numberByUuid(vms)
  const coordinator = hostNumbers.get(pool.pool.coordinator) ?? NOWHERE
  const hostOf = Int32Array.from(vms, (vm) => (isOnHost(vm) ? (hostNumbers.get(vm.host ?? '') ?? NOWHERE) : NOWHERE))
  const rules = compileRules(pool, { vms, hostNumbers, vmNumbers })
  const isLoadKnown = Uint8Array.from(vms, (vm) => Number(isMeasured(vm, pool.demand.stepSeconds)))
  const { settings } = pool
  const demand = demandMatrix(vms, scenarios)
  const capacity = Float64Array.from(hosts.flatMap((host, h) => capacities(host, pool, h === coordinator)))
  const resourceWeight = Float64Array.of(
    settings.vmCpuUtilizationWeightHigh,
    settings.vmNetworkReadWeightHigh,
    settings.vmNetworkWriteWeightHigh,
    settings.vmDiskReadWeightHigh,
    settings.vmDiskWriteWeightHigh,
  )
  const resources = RESOURCES.map((_, r) => r)
  const isKnown = (r: number) => hosts.some((_, h) => capacity[h * RESOURCES.length + r] !== Number.POSITIVE_INFINITY)
  return {
    pool,
    hosts,
    vms,
    hostNumbers,
    vmNumbers,
    coordinator,
    scenarioCount: scenarios.length,
    scenarioWeight: Float64Array.from(scenarios, ({ weight }) => weight),
    resourceWeight,
    measuredResources: resources.filter((r) => vms.some((vm) => (vm.demand[RESOURCES[r] ?? 'cpu'] ?? []).length > 0)),
    usedResources: resources.filter((r) => (resourceWeight[r] ?? 0) > 0 && isKnown(r)),
    memoryWeight: settings.vmMemoryWeightHigh,
    demand,
    base: baseMatrix(hosts, scenarios),
    capacity,
    memoryBytes: Float64Array.from(hosts, ({ memoryBytes }) => memoryBytes),
    memoryReserveBytes: Float64Array.from(hosts, ({ memoryBytes }, h) =>
      h === coordinator ? memoryBytes * settings.coordinatorReserve : 0,
    ),
    floorBytes: Float64Array.from(vms, ({ memoryFloorBytes }) => memoryFloorBytes),
    wantBytes: Float64Array.from(vms, wantBytes),
    staticMaxBytes: Float64Array.from(vms, (vm) => Math.max(vm.memoryStaticMaxBytes ?? 0, wantBytes(vm))),
    hostOf,
    isMovable: Uint8Array.from(vms, (vm) => Number(mayMove(vm, pool) === undefined)),
    mayRun: mayRunMatrix(vms, hosts, hostOf, rules),
    isLoadKnown,
    isLive: Uint8Array.from(hosts, ({ live }) => Number(live)),
    isEnabled: Uint8Array.from(hosts, ({ live, enabled }) => Number(live && enabled)),
    isAccepting: Uint8Array.from(hosts, ({ live, enabled, excluded }) =>
      Number(live && enabled && !excluded.includes('accepting')),
    ),
    isGiving: Uint8Array.from(hosts, ({ excluded }) => Number(!excluded.includes('optimisation'))),
    rules,
    rulesOf: rulesOfEach(vms.length, rules),
  }
}

/** A paused VM keeps its memory; a halted and a suspended one have none, wherever they were. */
function isOnHost({ state }: Vm): boolean {
  return state === 'running' || state === 'paused'
}

function rulesOfEach(vmCount: number, rules: CompiledPool['rules']): number[][] {
  const rulesOf = Array.from({ length: vmCount }, (): number[] => [])
  for (const [number, { vms }] of rules.entries()) {
    for (const v of vms) rulesOf[v]?.push(number)
  }
  return rulesOf
}

function wantBytes({ memoryFloorBytes, memoryWantBytes = 0 }: Vm): number {
  return Math.max(memoryFloorBytes, memoryWantBytes)
}

/** By code units, which is the same in every locale. */
function byUuid(one: { readonly uuid: string }, other: { readonly uuid: string }): number {
  return one.uuid < other.uuid ? -1 : Number(one.uuid > other.uuid)
}

function numberByUuid(entries: readonly { readonly uuid: string }[]): ReadonlyMap<string, number> {
  return new Map(entries.map(({ uuid }, number) => [uuid, number]))
}

/** The critical threshold by default; a setting that differs from it makes a host fuller or less full by that. */
const CRITICAL = 0.9

/** In the order of RESOURCES. A threshold in bytes stands for a capacity that nobody stated. */
function capacities({ cpus, network, storage }: Host, { settings }: Pool, isCoordinator: boolean): number[] {
  const share = isCoordinator ? 1 - settings.coordinatorReserve : 1
  const threshold = (critical: number | undefined) =>
    critical === undefined ? Number.POSITIVE_INFINITY : critical / CRITICAL
  const stated = [
    (cpus * settings.hostCpuThresholdCritical) / CRITICAL,
    network?.receiveBytesPerSecond ?? threshold(settings.hostPifReadThresholdCritical),
    network?.transmitBytesPerSecond ?? threshold(settings.hostPifWriteThresholdCritical),
    storage?.readBytesPerSecond ?? threshold(settings.hostPbdReadThresholdCritical),
    storage?.writeBytesPerSecond ?? threshold(settings.hostPbdWriteThresholdCritical),
  ]
  return RESOURCES.map((resource, r) => (stated[r] ?? 0) * (resource === 'cpu' ? share : 1))
}

/**
 * VMs that ask for the same have the same row, so that the checks run once for each kind of VM, not for each VM; only where it is
 * now each is asked for itself.
 */
function mayRunMatrix(
  vms: readonly Vm[],
  hosts: readonly Host[],
  hostOf: Int32Array,
  rules: CompiledPool['rules'],
): Uint8Array {
  const rows = new Map<string, Uint8Array>()
  const matrix = new Uint8Array(vms.length * hosts.length)
  for (const [v, vm] of vms.entries()) {
    const source = hosts[hostOf[v] ?? NOWHERE]
    const key = kindOf(vm, source?.version)
    let row = rows.get(key)
    if (!row) {
      row = Uint8Array.from(hosts, (host) => Number(!mayRun({ ...vm, host: null }, host, undefined, source)))
      rows.set(key, row)
    }
    matrix.set(row, v * hosts.length)
    if (source) matrix[v * hosts.length + (hostOf[v] ?? 0)] = Number(!mayRun(vm, source, undefined, source))
  }
  for (const { kind, must, vms: members, hosts: named } of rules) {
    if (!must || (kind !== 'pin' && kind !== 'avoid')) continue
    for (const v of members) {
      for (let h = 0; h < hosts.length; h++) {
        if ((named[h] === 1) !== (kind === 'pin')) matrix[v * hosts.length + h] = 0
      }
    }
  }
  return matrix
}

/** All that `mayRun` looks at, as text; most VMs ask for nothing. */
function kindOf(vm: Vm, sourceVersion: string | undefined): string {
  const { state, vcpus, vcpuUnrestricted, cpuFlags, needs, storageRepositories, networks } = vm
  const asks = cpuFlags !== undefined || needs.length + storageRepositories.length + networks.length > 0
  const rest = asks ? JSON.stringify([cpuFlags, needs, storageRepositories, networks]) : ''
  return `${state} ${vcpus} ${vcpuUnrestricted} ${sourceVersion} ${rest}`
}
