/**
 * An assignment with the sums that rules and cost are made of, so that a change costs what it touches: two machines and a service.
 * Everything lies in flat arrays, because a search asks a million times a second.
 */
import type { Instance } from './instance.js'

export interface State {
  readonly instance: Instance
  /** The number of no process: its requirement is nothing, and it is at home nowhere. */
  readonly nobody: number
  readonly requirement: Float64Array
  readonly home: Int32Array
  /** [p] */
  readonly machineOf: Int32Array
  /** [m] of load and balance */
  readonly machineCost: Float64Array
  /** [m * resources + r] what a unit beyond the capacity costs on top of the official cost: a search may pay for a while. */
  readonly price: Float64Array
  /** [m] what is paid for it. */
  readonly fine: Float64Array
  /** Machines that hold more than their capacity; none for a solution. */
  overfull: number
  /** [m * resources + r] */
  readonly used: Float64Array
  /** The same, with what moved processes left behind of transient resources. */
  readonly occupied: Float64Array
  readonly locations: number
  readonly neighbourhoods: number
  /** [s * machines + m], [s * locations + l], [s * neighbourhoods + n]: processes of the service there. */
  readonly onMachine: Uint8Array
  readonly inLocation: Int32Array
  readonly inNeighbourhood: Int32Array
  /** [s] in how many locations it is. */
  readonly spread: Int32Array
  /** [s] the services that need s. */
  readonly neededBy: readonly Int32Array[]
  /** [s] its processes that are not at home; [count] how many services have that many. */
  readonly movedOf: Int32Array
  readonly servicesWith: Int32Array
  mostMoved: number
  /** By the official formula. */
  cost: number
}

export function createState(instance: Instance): State {
  const { machines, resources, services, processes } = instance
  const locations = 1 + instance.locationOf.reduce((most, l) => Math.max(most, l), 0)
  const neighbourhoods = 1 + instance.neighbourhoodOf.reduce((most, n) => Math.max(most, n), 0)
  const state: State = {
    instance,
    nobody: processes,
    requirement: Float64Array.of(...instance.requirement, ...new Float64Array(resources)),
    home: Int32Array.of(...instance.start, -1),
    machineOf: instance.start.slice(),
    machineCost: new Float64Array(machines),
    price: new Float64Array(machines * resources).fill(1),
    fine: new Float64Array(machines),
    overfull: 0,
    used: new Float64Array(machines * resources),
    occupied: new Float64Array(machines * resources),
    locations,
    neighbourhoods,
    onMachine: new Uint8Array(services * machines),
    inLocation: new Int32Array(services * locations),
    inNeighbourhood: new Int32Array(services * neighbourhoods),
    spread: new Int32Array(services),
    neededBy: instance.needs.map((_, s) =>
      Int32Array.from(instance.needs.flatMap((needed, other) => (needed.includes(s) ? [other] : []))),
    ),
    movedOf: new Int32Array(services),
    servicesWith: new Int32Array(processes + 1),
    mostMoved: 0,
    cost: 0,
  }
  state.servicesWith[0] = services
  for (const [p, m] of state.machineOf.entries()) count(state, p, m, 1)
  state.occupied.set(state.used)
  for (let m = 0; m < machines; m++) updateMachine(state, m)
  return state
}

/** Moves a process, whatever the rules say. */
export function move(state: State, p: number, to: number): void {
  const { home, machineOf } = state
  const from = machineOf[p] ?? 0
  if (from === to) return
  state.cost += moveCost(state, p, to) - moveCost(state, p, from)
  count(state, p, from, -1)
  count(state, p, to, 1)
  occupy(state, p, from, -1)
  occupy(state, p, to, 1)
  machineOf[p] = to
  if (from === home[p]) countMoved(state, p, 1)
  else if (to === home[p]) countMoved(state, p, -1)
  updateMachine(state, from)
  updateMachine(state, to)
}

function count(state: State, p: number, m: number, sign: 1 | -1): void {
  const { instance, requirement, used, onMachine, inLocation, inNeighbourhood, spread } = state
  const { resources, machines } = instance
  const s = instance.serviceOf[p] ?? 0
  for (let r = 0; r < resources; r++) {
    const at = m * resources + r
    used[at] = (used[at] ?? 0) + sign * (requirement[p * resources + r] ?? 0)
  }
  onMachine[s * machines + m] = (onMachine[s * machines + m] ?? 0) + sign
  const location = s * state.locations + (instance.locationOf[m] ?? 0)
  const inside = (inLocation[location] ?? 0) + sign
  inLocation[location] = inside
  if (inside === (sign === 1 ? 1 : 0)) spread[s] = (spread[s] ?? 0) + sign
  const neighbourhood = s * state.neighbourhoods + (instance.neighbourhoodOf[m] ?? 0)
  inNeighbourhood[neighbourhood] = (inNeighbourhood[neighbourhood] ?? 0) + sign
}

/** At home a process occupies transient resources whether it is there or not. */
function occupy({ instance, requirement, home, occupied }: State, p: number, m: number, sign: 1 | -1): void {
  const { resources, isTransient } = instance
  for (let r = 0; r < resources; r++) {
    if (isTransient[r] === 1 && home[p] === m) continue
    const at = m * resources + r
    occupied[at] = (occupied[at] ?? 0) + sign * (requirement[p * resources + r] ?? 0)
  }
}

function countMoved(state: State, p: number, sign: 1 | -1): void {
  const { instance, movedOf, servicesWith } = state
  const s = instance.serviceOf[p] ?? 0
  const before = movedOf[s] ?? 0
  movedOf[s] = before + sign
  servicesWith[before] = (servicesWith[before] ?? 0) - 1
  servicesWith[before + sign] = (servicesWith[before + sign] ?? 0) + 1
  const most = Math.max(state.mostMoved, before + sign)
  const now = (servicesWith[most] ?? 0) > 0 ? most : most - 1
  state.cost += instance.serviceMoveWeight * (now - state.mostMoved)
  state.mostMoved = now
}

function updateMachine(state: State, m: number): void {
  const { machineCost, fine, nobody } = state
  const fined = fineOf(state, m)
  const cost = loadOf(state, m) + balanceWith(state, m, nobody, nobody)
  state.cost += cost - (machineCost[m] ?? 0)
  machineCost[m] = cost
  state.overfull += Number(fined > 0) - Number((fine[m] ?? 0) > 0)
  fine[m] = fined
}

/** Makes dearer what is exceeded, by the factor `up`, and cheaper what is not, by `down`, as far as `least`. */
export function adjustPrices(state: State, up: number, down: number, least: number): void {
  const { instance, occupied, price, fine } = state
  for (const [at, now] of price.entries()) {
    const isExceeded = (occupied[at] ?? 0) > (instance.capacity[at] ?? 0)
    price[at] = isExceeded ? now * up : Math.max(least, now * down)
  }
  for (let m = 0; m < instance.machines; m++) fine[m] = fineOf(state, m)
}

function loadOf({ instance, used }: State, m: number): number {
  const { resources, safety, loadWeight } = instance
  let cost = 0
  for (let r = 0, at = m * resources; r < resources; r++, at++) {
    cost += (loadWeight[r] ?? 0) * Math.max(0, (used[at] ?? 0) - (safety[at] ?? 0))
  }
  return cost
}

function fineOf({ instance, occupied, price }: State, m: number): number {
  const { resources, capacity } = instance
  let fine = 0
  for (let r = 0, at = m * resources; r < resources; r++, at++) {
    fine += (price[at] ?? 0) * Math.max(0, (occupied[at] ?? 0) - (capacity[at] ?? 0))
  }
  return fine
}

/**
 * Load and balance of machine `m` and its fine, with the process `more` and without the process `less`: what a search asks all the
 * time, in one pass.
 */
export function burdenWith(state: State, m: number, more: number, less: number): number {
  const { instance, requirement, home, used, occupied, price } = state
  const { resources, safety, capacity, loadWeight, isTransient } = instance
  const moreIsHome = home[more] === m
  const lessIsHome = home[less] === m
  const at = m * resources
  const moreAt = more * resources
  const lessAt = less * resources
  let burden = balanceWith(state, m, more, less)
  for (let r = 0; r < resources; r++) {
    const plus = requirement[moreAt + r] ?? 0
    const minus = requirement[lessAt + r] ?? 0
    const now = (used[at + r] ?? 0) + plus - minus
    const over = now - (safety[at + r] ?? 0)
    if (over > 0) burden += (loadWeight[r] ?? 0) * over
    const taken =
      isTransient[r] === 1 ? (occupied[at + r] ?? 0) + (moreIsHome ? 0 : plus) - (lessIsHome ? 0 : minus) : now
    const beyond = taken - (capacity[at + r] ?? 0)
    if (beyond > 0) burden += (price[at + r] ?? 0) * beyond
  }
  return burden
}

function balanceWith({ instance, requirement, used }: State, m: number, more: number, less: number): number {
  const { resources, capacity, balances } = instance
  let cost = 0
  for (let b = 0; b < balances.length; b++) {
    const balance = balances[b]
    if (!balance) continue
    const one = m * resources + balance.one
    const other = m * resources + balance.other
    const oneMore =
      (requirement[more * resources + balance.one] ?? 0) - (requirement[less * resources + balance.one] ?? 0)
    const otherMore =
      (requirement[more * resources + balance.other] ?? 0) - (requirement[less * resources + balance.other] ?? 0)
    const leftOfOne = (capacity[one] ?? 0) - (used[one] ?? 0) - oneMore
    const leftOfOther = (capacity[other] ?? 0) - (used[other] ?? 0) - otherMore
    const missing = balance.target * leftOfOne - leftOfOther
    if (missing > 0) cost += balance.weight * missing
  }
  return cost
}

/** What it costs that `p` is on `m`, services apart. */
export function moveCost({ instance, home }: State, p: number, m: number): number {
  const from = home[p] ?? 0
  if (from === m) return 0
  return (
    instance.processMoveWeight * (instance.processMoveCost[p] ?? 0) +
    instance.machineMoveWeight * (instance.machineMoveCost[from * instance.machines + m] ?? 0)
  )
}
