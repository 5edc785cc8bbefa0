/** What a change of an assignment is worth, and whether the rules allow it, without making it. */
import { burdenWith, moveCost, type State } from './state.js'

/** What no rule allows. */
const FORBIDDEN = Number.POSITIVE_INFINITY

/** What the cost changes by when process `p` goes to machine `to`. */
export function shiftDelta(state: State, p: number, to: number): number {
  const { nobody, machineCost, fine } = state
  const from = state.machineOf[p] ?? 0
  if (from === to || !mayGo(state, p, from, to, nobody)) return FORBIDDEN
  return (
    burdenWith(state, from, nobody, p) +
    burdenWith(state, to, p, nobody) -
    (machineCost[from] ?? 0) -
    (machineCost[to] ?? 0) -
    (fine[from] ?? 0) -
    (fine[to] ?? 0) +
    moveCost(state, p, to) -
    moveCost(state, p, from) +
    serviceDelta(state, p, from, to)
  )
}

/**
 * The same for two processes that change places. When both change the largest number of moved processes of a service, that is
 * counted twice: the state has the exact cost afterwards.
 */
export function swapDelta(state: State, p: number, q: number): number {
  const { machineCost, fine, machineOf, instance } = state
  const a = machineOf[p] ?? 0
  const b = machineOf[q] ?? 0
  if (a === b) return FORBIDDEN
  // two processes of one service leave its places as they were
  const isOneService = instance.serviceOf[p] === instance.serviceOf[q]
  if (!isOneService && (!mayGo(state, p, a, b, q) || !mayGo(state, q, b, a, p))) return FORBIDDEN
  return (
    burdenWith(state, a, q, p) +
    burdenWith(state, b, p, q) -
    (machineCost[a] ?? 0) -
    (machineCost[b] ?? 0) -
    (fine[a] ?? 0) -
    (fine[b] ?? 0) +
    moveCost(state, p, b) -
    moveCost(state, p, a) +
    moveCost(state, q, a) -
    moveCost(state, q, b) +
    serviceDelta(state, p, a, b) +
    serviceDelta(state, q, b, a)
  )
}

/** Conflict, spread and dependencies, when `partner` goes the other way. */
function mayGo(state: State, p: number, from: number, to: number, partner: number): boolean {
  const { instance, onMachine, inLocation, locations, spread, inNeighbourhood, neighbourhoods, neededBy } = state
  const { serviceOf, locationOf, neighbourhoodOf, spreadMin } = instance
  const s = serviceOf[p] ?? 0
  if ((onMachine[s * instance.machines + to] ?? 0) > 0) return false
  const fromLocation = locationOf[from] ?? 0
  const toLocation = locationOf[to] ?? 0
  if (
    fromLocation !== toLocation &&
    inLocation[s * locations + fromLocation] === 1 &&
    (inLocation[s * locations + toLocation] ?? 0) > 0 &&
    (spread[s] ?? 0) <= (spreadMin[s] ?? 0)
  ) {
    return false
  }
  const fromNeighbourhood = neighbourhoodOf[from] ?? 0
  const toNeighbourhood = neighbourhoodOf[to] ?? 0
  if (fromNeighbourhood === toNeighbourhood) return true
  if (inNeighbourhood[s * neighbourhoods + fromNeighbourhood] === 1) {
    const partnerService = serviceOf[partner] ?? -1
    for (const other of neededBy[s] ?? []) {
      if (other === partnerService || (inNeighbourhood[other * neighbourhoods + fromNeighbourhood] ?? 0) > 0)
        return false
    }
  }
  if (inNeighbourhood[s * neighbourhoods + toNeighbourhood] === 0) {
    for (const needed of instance.needs[s] ?? []) {
      if (inNeighbourhood[needed * neighbourhoods + toNeighbourhood] === 0) return false
    }
  }
  return true
}

/** The largest number of moved processes of one service costs. */
function serviceDelta(
  { instance, home, movedOf, mostMoved, servicesWith }: State,
  p: number,
  from: number,
  to: number,
) {
  const moved = movedOf[instance.serviceOf[p] ?? 0] ?? 0
  if (moved !== mostMoved) return 0
  if (from === home[p]) return instance.serviceMoveWeight
  return to === home[p] && servicesWith[moved] === 1 ? -instance.serviceMoveWeight : 0
}
