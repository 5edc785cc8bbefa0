/**
 * A solver for machine reassignment: simulated annealing with shifts and swaps, in which capacities have a price. Where machines are
 * full in a dozen resources, hardly any change is allowed, and what is allowed leads nowhere: a large process gets to a large
 * machine only through assignments that hold too much. So each capacity that is exceeded costs, and its price rises as long as it is
 * exceeded and falls while it is not (multipliers of Lagrange). Towards the end prices fall no more, and what is left keeps the
 * rules. Conflicts, spread and dependencies are kept all the time.
 */
import { type Random, randomFrom } from '../random.js'
import { shiftDelta, swapDelta } from './deltas.js'
import type { Instance } from './instance.js'
import { adjustPrices, createState, move, type State } from './state.js'

/** Processor time, or a number of proposals, with which a run can be repeated exactly. */
export type Budget = { readonly seconds: number } | { readonly proposals: number }

/** Temperature at the start and in the end, in shares of the cost of the start. */
const HOT = 1e-3
const COLD = 2e-6
const PROPOSALS_PER_TEMPERATURE = 4096
/** Changes of prices over the whole budget: more often, and prices rise faster than processes can find another place. */
const PRICE_STEPS = 3600
/** What a unit beyond the safety capacity costs in these instances. */
const LEAST_PRICE = 10
const RISE = 1.01
const FALL = 0.002
/** From this share of the budget on prices do not fall. */
const SETTLING = 0.85
/** Shares of the proposals: two processes of one service change places; any two do; the others are shifts. */
const SERVICE_SWAPS = 0.2
const SWAPS = 0.6

/** The cheapest assignment found that keeps the rules: for each process its machine. */
export function anneal(instance: Instance, seed: number, budget: Budget): Int32Array {
  const random = randomFrom(seed)
  const members = membersOf(instance)
  const state = createState(instance)
  state.price.fill(LEAST_PRICE)
  const start = state.cost
  const best = { cost: start, machineOf: state.machineOf.slice() }
  const spent = startClock(budget)
  let temperature = HOT * start
  let priceSteps = 0
  for (let proposals = 0; ; proposals++) {
    if (proposals % PROPOSALS_PER_TEMPERATURE === 0) {
      const done = spent(proposals)
      if (done >= 1) return best.machineOf
      temperature = HOT * start * (COLD / HOT) ** done
      if (done * PRICE_STEPS >= priceSteps) {
        priceSteps++
        adjustPrices(state, RISE, 1 - FALL * Math.max(0, 1 - done / SETTLING), LEAST_PRICE)
      }
    }
    propose(state, random, members, temperature)
    if (state.cost < best.cost && state.overfull === 0) {
      best.cost = state.cost
      best.machineOf.set(state.machineOf)
    }
  }
}

/** Says which share of the budget is spent after a number of proposals. */
function startClock(budget: Budget): (proposals: number) => number {
  if ('proposals' in budget) return (proposals) => proposals / budget.proposals
  const before = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1e6 / budget.seconds
  }
}

/** Draws one change and makes it if it saves, or by a chance that depends on what it costs. */
function propose(state: State, { next }: Random, members: readonly Int32Array[], temperature: number): void {
  const { instance, machineOf } = state
  const p = Math.floor(next() * instance.processes)
  const kind = next()
  if (kind >= SWAPS) {
    const to = Math.floor(next() * instance.machines)
    if (isAccepted(shiftDelta(state, p, to), temperature, next)) move(state, p, to)
    return
  }
  const siblings = members[instance.serviceOf[p] ?? 0]
  const q =
    kind < SERVICE_SWAPS && siblings
      ? (siblings[Math.floor(next() * siblings.length)] ?? p)
      : Math.floor(next() * instance.processes)
  if (!isAccepted(swapDelta(state, p, q), temperature, next)) return
  const from = machineOf[p] ?? 0
  move(state, p, machineOf[q] ?? 0)
  move(state, q, from)
}

function isAccepted(delta: number, temperature: number, next: () => number): boolean {
  if (delta <= 0) return true
  return delta < Number.POSITIVE_INFINITY && next() < Math.exp(-delta / temperature)
}

/** [s] the processes of each service. */
function membersOf({ services, serviceOf }: Instance): Int32Array[] {
  const members = Array.from({ length: services }, (): number[] => [])
  for (const [p, s] of serviceOf.entries()) members[s]?.push(p)
  return members.map((list) => Int32Array.from(list))
}
