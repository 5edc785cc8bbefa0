/**
 * The challenge's own rules and cost, calculated from nothing but the instance and an assignment, slowly and plainly: the judge of a
 * search that keeps sums of its own.
 */
import type { Instance } from './instance.js'

export interface Cost {
  readonly load: number
  readonly balance: number
  readonly processMove: number
  readonly serviceMove: number
  readonly machineMove: number
  readonly total: number
}

/** What an assignment costs by the official formula, whether or not it keeps the rules. */
export function costOf(instance: Instance, assignment: Int32Array): Cost {
  const { start, serviceOf, machines, services } = instance
  const used = usageOf(instance, assignment)
  const moved = [...assignment.keys()].filter((p) => assignment[p] !== start[p])
  const movedOfService = new Int32Array(services)
  for (const p of moved) movedOfService[serviceOf[p] ?? 0] = (movedOfService[serviceOf[p] ?? 0] ?? 0) + 1

  const load = sum(used.keys(), (at) => {
    const over = (used[at] ?? 0) - (instance.safety[at] ?? 0)
    return (instance.loadWeight[at % instance.resources] ?? 0) * Math.max(0, over)
  })
  const balance = sum(new Int32Array(machines).keys(), (m) => {
    const left = (r: number) =>
      (instance.capacity[m * instance.resources + r] ?? 0) - (used[m * instance.resources + r] ?? 0)
    return sum(
      instance.balances,
      ({ one, other, target, weight }) => weight * Math.max(0, target * left(one) - left(other)),
    )
  })
  const processMove = instance.processMoveWeight * sum(moved, (p) => instance.processMoveCost[p] ?? 0)
  const serviceMove = instance.serviceMoveWeight * Math.max(0, ...movedOfService)
  const machineMove =
    instance.machineMoveWeight *
    sum(moved, (p) => instance.machineMoveCost[(start[p] ?? 0) * machines + (assignment[p] ?? 0)] ?? 0)
  return {
    load,
    balance,
    processMove,
    serviceMove,
    machineMove,
    total: load + balance + processMove + serviceMove + machineMove,
  }
}

/** The rules that an assignment breaks, each in a sentence; none for a solution. */
export function brokenRules(instance: Instance, assignment: Int32Array): string[] {
  if (assignment.length !== instance.processes) return ['the number of processes differs']
  const strangers = [...assignment].filter((m) => m < 0 || m >= instance.machines)
  if (strangers.length > 0) return [`there is no machine ${strangers[0]}`]
  return [
    ...brokenCapacities(instance, assignment),
    ...brokenConflicts(instance, assignment),
    ...brokenSpreads(instance, assignment),
    ...brokenDependencies(instance, assignment),
  ]
}

/** Of a transient resource a process that has moved occupies both machines. */
function brokenCapacities(instance: Instance, assignment: Int32Array): string[] {
  const { resources, capacity, requirement, isTransient, start } = instance
  const occupied = usageOf(instance, assignment)
  for (const [p, m] of assignment.entries()) {
    const from = start[p] ?? 0
    if (from === m) continue
    for (let r = 0; r < resources; r++) {
      const at = from * resources + r
      if (isTransient[r] === 1) occupied[at] = (occupied[at] ?? 0) + (requirement[p * resources + r] ?? 0)
    }
  }
  return [...occupied.keys()]
    .filter((at) => (occupied[at] ?? 0) > (capacity[at] ?? 0))
    .map((at) => `machine ${Math.floor(at / resources)} has too little of resource ${at % resources}`)
}

function brokenConflicts({ serviceOf }: Instance, assignment: Int32Array): string[] {
  const seen = new Set<string>()
  return [...assignment].flatMap((m, p) => {
    const key = `${serviceOf[p]} ${m}`
    const isSecond = seen.has(key)
    seen.add(key)
    return isSecond ? [`machine ${m} has two processes of service ${serviceOf[p]}`] : []
  })
}

function brokenSpreads(instance: Instance, assignment: Int32Array): string[] {
  const locations = placesOf(instance, assignment, instance.locationOf)
  return locations.flatMap((found, s) => {
    const least = instance.spreadMin[s] ?? 0
    return found.size < least ? [`service ${s} is in ${found.size} locations instead of ${least}`] : []
  })
}

function brokenDependencies(instance: Instance, assignment: Int32Array): string[] {
  const neighbourhoods = placesOf(instance, assignment, instance.neighbourhoodOf)
  return instance.needs.flatMap((needed, s) =>
    [...(neighbourhoods[s] ?? [])].flatMap((n) =>
      [...needed]
        .filter((other) => !neighbourhoods[other]?.has(n))
        .map((other) => `service ${s} misses service ${other} in neighbourhood ${n}`),
    ),
  )
}

/** [s] the locations, or neighbourhoods, in which a service is. */
function placesOf({ services, serviceOf }: Instance, assignment: Int32Array, placeOf: Int32Array): Set<number>[] {
  const places = Array.from({ length: services }, () => new Set<number>())
  for (const [p, m] of assignment.entries()) places[serviceOf[p] ?? 0]?.add(placeOf[m] ?? 0)
  return places
}

/** [m * resources + r] */
function usageOf({ machines, resources, requirement }: Instance, assignment: Int32Array): Float64Array {
  const used = new Float64Array(machines * resources)
  for (const [p, m] of assignment.entries()) {
    for (let r = 0; r < resources; r++) {
      used[m * resources + r] = (used[m * resources + r] ?? 0) + (requirement[p * resources + r] ?? 0)
    }
  }
  return used
}

function sum<Item>(items: Iterable<Item>, weigh: (item: Item) => number): number {
  let total = 0
  for (const item of items) total += weigh(item)
  return total
}
