/**
 * Demand in scenarios. Unknown is not zero: a missing value is the VM's own mean; a VM without any is as busy for each vCPU as the
 * other VMs of the pool are.
 */
import type { Host, Vm } from '../document/pool-document.js'
import type { Series } from '../document/series.js'
import { RESOURCES } from './compiled-pool.js'
import type { Scenario } from './scenarios.js'

/** A VM's load is known as long as its last CPU sample is not older. */
const KNOWN_FOR_SECONDS = 900

/** Tells whether there is a recent CPU sample. A VM that does not run consumes nothing, which is known. */
export function isMeasured({ state, demand: { cpu = [] } }: Vm, stepSeconds: number): boolean {
  const recent = Math.max(1, Math.round(KNOWN_FOR_SECONDS / stepSeconds))
  return state !== 'running' || cpu.slice(-recent).some((sample) => sample !== null)
}

/** [(v * resources + r) * scenarios + s]. A paused VM consumes nothing; of one that is off it is what it would consume. */
export function demandMatrix(vms: readonly Vm[], scenarios: readonly Scenario[]): Float64Array {
  const matrix = new Float64Array(vms.length * RESOURCES.length * scenarios.length)
  for (const [r, resource] of RESOURCES.entries()) {
    const unknown: number[] = []
    for (const [v, vm] of vms.entries()) {
      if (vm.state === 'paused') continue
      const at = (v * RESOURCES.length + r) * scenarios.length
      const series = vm.demand[resource] ?? []
      if (!fillMeans(matrix, at, series, scenarios)) unknown.push(v)
    }
    if (unknown.length === 0 || unknown.length === vms.length) continue
    const perVcpu = meanPerVcpu(vms, r, matrix, new Set(unknown), scenarios)
    for (const v of unknown) {
      const at = (v * RESOURCES.length + r) * scenarios.length
      matrix.fill(perVcpu * (vms[v]?.vcpus ?? 0), at, at + scenarios.length)
    }
  }
  return matrix
}

/** The same for what hosts consume themselves; without a sample that is nothing. */
export function baseMatrix(hosts: readonly Host[], scenarios: readonly Scenario[]): Float64Array {
  const matrix = new Float64Array(hosts.length * RESOURCES.length * scenarios.length)
  for (const [h, { base }] of hosts.entries()) {
    for (const [r, resource] of RESOURCES.entries()) {
      fillMeans(matrix, (h * RESOURCES.length + r) * scenarios.length, base?.[resource] ?? [], scenarios)
    }
  }
  return matrix
}

/**
 * Writes from `at` on the mean of the known samples of each scenario's window; a window without one has the weighted mean of the
 * others. False when no sample is known, the older ones included: then nothing is written.
 */
function fillMeans(matrix: Float64Array, at: number, series: Series, scenarios: readonly Scenario[]): boolean {
  let sum = 0
  let weights = 0
  for (let s = 0; s < scenarios.length; s++) {
    const { from = 0, to = 0, weight = 0 } = scenarios[s] ?? {}
    const mean = meanOf(series, Math.max(0, series.length - to), series.length - from)
    matrix[at + s] = mean
    if (Number.isNaN(mean)) continue
    sum += mean * weight
    weights += weight
  }
  const otherwise = weights > 0 ? sum / weights : meanOf(series, 0, series.length)
  const isKnown = !Number.isNaN(otherwise)
  for (let s = at; s < at + scenarios.length; s++) {
    if (Number.isNaN(matrix[s] ?? 0)) matrix[s] = isKnown ? otherwise : 0
  }
  return isKnown
}

/** NaN when no sample is known. */
function meanOf(series: Series, from: number, to: number): number {
  if (to === from + 1) return series[from] ?? Number.NaN
  let sum = 0
  let known = 0
  for (let index = from; index < to; index++) {
    const sample = series[index] ?? null
    if (sample === null) continue
    sum += sample
    known++
  }
  return known > 0 ? sum / known : Number.NaN
}

/** What a vCPU of a running VM consumes on average; 0 where nobody has been measured, and then the resource does not count. */
function meanPerVcpu(
  vms: readonly Vm[],
  r: number,
  matrix: Float64Array,
  unknown: ReadonlySet<number>,
  scenarios: readonly Scenario[],
): number {
  let sum = 0
  let vcpus = 0
  for (const [v, vm] of vms.entries()) {
    if (unknown.has(v) || vm.state !== 'running') continue
    const at = (v * RESOURCES.length + r) * scenarios.length
    for (const [s, { weight }] of scenarios.entries()) sum += weight * (matrix[at + s] ?? 0)
    vcpus += vm.vcpus
  }
  return vcpus > 0 ? sum / vcpus : 0
}
