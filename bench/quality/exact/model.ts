/**
 * What the search looks for, as a mixed integer program: column v * hosts + h is 1 where VM v ends on host h. It is put together from
 * the pieces of the product's own cost (the knots of congestion, what a move costs) and from the compiled pool, so that both mean
 * the same.
 *
 * The order of the moves is left out, and so are high availability and rules between VMs, which small pools do not have: the
 * optimum may be lower than what a plan can reach, never higher.
 */
import { type CompiledPool, RESOURCES } from '../../../src/balance/compiled/compiled-pool.js'
import {
  horizonMinutes,
  KNOTS,
  MEMORY_KNOTS,
  memoryGoalBytes,
  moveCost,
} from '../../../src/balance/compiled/congestion.js'
import type { Placement } from '../../../src/balance/compiled/placement.js'
import type { Program } from './program.js'

const GIB = 2 ** 30

export function writeModel(pool: CompiledPool, start: Placement): Program {
  const program: Program = { columns: [], rows: [] }
  addPlaces(program, pool, start)
  for (let h = 0; h < pool.hosts.length; h++) {
    addLimits(program, pool, start, h)
    addMemory(program, pool, h)
    for (let r = 0; r < RESOURCES.length; r++) {
      for (let s = 0; s < pool.scenarioCount; s++) addCongestion(program, pool, h, r, s)
    }
  }
  return program
}

/** Each VM is somewhere; what may not move stays, and a move costs. */
function addPlaces({ columns, rows }: Program, pool: CompiledPool, { hostOf }: Placement): void {
  const hosts = pool.hosts.length
  for (let v = 0; v < pool.vms.length; v++) {
    const canLeave = pool.isMovable[v] === 1 && pool.isLoadKnown[v] === 1
    for (let h = 0; h < hosts; h++) {
      const isHome = h === hostOf[v]
      const isOpen = isHome || (canLeave && pool.mayRun[v * hosts + h] === 1 && pool.isAccepting[h] === 1)
      columns.push({ cost: isHome ? 0 : moveCost(pool, v), upper: Number(isOpen), isInteger: true })
    }
    rows.push({ lower: 1, upper: 1, entries: pool.hosts.map((_, h) => [v * hosts + h, 1]) })
  }
}

/** Memory as a limit, and the reserve of the coordinator: one that is not kept at the start need not be, but gets no worse. */
function addLimits({ rows }: Program, pool: CompiledPool, start: Placement, h: number): void {
  const lower = Number.NEGATIVE_INFINITY
  const floor = pool.vms.map((_, v) => (pool.floorBytes[v] ?? 0) / GIB)
  const memory = (pool.memoryBytes[h] ?? 0) - (pool.memoryReserveBytes[h] ?? 0)
  rows.push({ lower, upper: Math.max(memory, start.floorBytes[h] ?? 0) / GIB, entries: onHost(pool, h, floor) })
  if (h !== pool.coordinator) return
  const meanOf = (series: Float64Array, owner: number) =>
    pool.scenarioWeight.reduce(
      (sum, weight, s) => sum + weight * (series[owner * RESOURCES.length * pool.scenarioCount + s] ?? 0),
      0,
    )
  const cores = (pool.hosts[h]?.cpus ?? 0) * (1 - pool.pool.settings.coordinatorReserve)
  rows.push({
    lower,
    upper: Math.max(cores, meanOf(start.load, h)) - meanOf(pool.base, h),
    entries: onHost(
      pool,
      h,
      pool.vms.map((_, v) => meanOf(pool.demand, v)),
    ),
  })
}

function addMemory(program: Program, pool: CompiledPool, h: number): void {
  const full = memoryGoalBytes(pool, h)
  if (full <= 0) return
  const shares = pool.vms.map((_, v) => (pool.wantBytes[v] ?? 0) / full)
  addConvexCost(program, pool, h, { shares, base: 0, weight: pool.memoryWeight, knots: MEMORY_KNOTS })
}

function addCongestion(program: Program, pool: CompiledPool, h: number, r: number, s: number): void {
  const full = pool.capacity[h * RESOURCES.length + r] ?? 0
  if (full === Number.POSITIVE_INFINITY || pool.isLive[h] === 0) return
  const share = (series: Float64Array, owner: number) =>
    (series[(owner * RESOURCES.length + r) * pool.scenarioCount + s] ?? 0) / full
  addConvexCost(program, pool, h, {
    shares: pool.vms.map((_, v) => share(pool.demand, v)),
    base: share(pool.base, h),
    weight: (pool.resourceWeight[r] ?? 0) * (pool.scenarioWeight[s] ?? 0),
    knots: KNOTS,
  })
}

/** A column for how full the host is, and one for each knot: how far beyond it. */
function addConvexCost(
  { columns, rows }: Program,
  pool: CompiledPool,
  h: number,
  { shares, base, weight, knots }: ConvexCost,
): void {
  if (weight === 0 || shares.every((share) => share === 0)) return
  const full = columns.length
  const upper = Number.POSITIVE_INFINITY
  columns.push({ cost: 0, upper, isInteger: false })
  rows.push({
    lower: base,
    upper: base,
    entries: [
      [full, 1],
      ...onHost(
        pool,
        h,
        shares.map((share) => -share),
      ),
    ],
  })
  for (const [knot, slope] of knots) {
    rows.push({
      lower: -knot,
      upper,
      entries: [
        [columns.length, 1],
        [full, -1],
      ],
    })
    columns.push({ cost: horizonMinutes(pool) * weight * slope, upper, isInteger: false })
  }
}
interface ConvexCost {
  /** [v] of what is full */
  readonly shares: readonly number[]
  readonly base: number
  readonly weight: number
  readonly knots: readonly (readonly [share: number, slope: number])[]
}

function onHost({ hosts }: CompiledPool, h: number, factors: readonly number[]): [number, number][] {
  return factors.flatMap((factor, v): [number, number][] => (factor === 0 ? [] : [[v * hosts.length + h, factor]]))
}

/** The columns of a placement; what else there is the solver fills in. */
export function valuesOf({ hosts, vms }: CompiledPool, { columns }: Program, hostOf: Int32Array): Float64Array {
  const values = new Float64Array(columns.length)
  for (let v = 0; v < vms.length; v++) values[v * hosts.length + (hostOf[v] ?? 0)] = 1
  return values
}

/** [v] where the solver put each VM. */
export function hostsOf({ hosts, vms }: CompiledPool, values: Float64Array): Int32Array {
  return Int32Array.from(vms, (_, v) => hosts.findIndex((__, h) => (values[v * hosts.length + h] ?? 0) > 0.5))
}
