/**
 * Machine reassignment, the problem of the ROADEF/EURO challenge 2012: processes on machines, many resources, hard rules, a weighted
 * cost. An outside yardstick for a search: instances and their best values are published. Its words (machine, process, service)
 * are kept here and mean host, VM and VM group elsewhere.
 */

export interface Instance {
  readonly resources: number
  readonly machines: number
  readonly services: number
  readonly processes: number
  /** [r] 1: what a process leaves behind stays occupied until all moves are done. */
  readonly isTransient: Uint8Array
  readonly loadWeight: Float64Array
  /** [m] */
  readonly neighbourhoodOf: Int32Array
  readonly locationOf: Int32Array
  /** [m * resources + r] */
  readonly capacity: Float64Array
  /** Use beyond this costs. */
  readonly safety: Float64Array
  /** [from * machines + to] */
  readonly machineMoveCost: Float64Array
  /** [s] in how many locations a service must be. */
  readonly spreadMin: Int32Array
  /** [s] services that must be in every neighbourhood in which s is. */
  readonly needs: readonly Int32Array[]
  /** [p] */
  readonly serviceOf: Int32Array
  /** [p * resources + r] */
  readonly requirement: Float64Array
  /** [p] */
  readonly processMoveCost: Float64Array
  readonly balances: readonly Balance[]
  readonly processMoveWeight: number
  readonly serviceMoveWeight: number
  readonly machineMoveWeight: number
  /** [p] the machine of each process at the start. */
  readonly start: Int32Array
}

/** `target` times what is left of `one` should be left of `other`. */
export interface Balance {
  readonly one: number
  readonly other: number
  readonly target: number
  readonly weight: number
}

/** Reads a model and a start assignment in the official form: whole numbers with blanks between them. */
export function readInstance(model: string, assignment: string): Instance {
  const { next, list } = createReader(model)
  const resource = records(next(), () => ({ isTransient: next(), loadWeight: next() }))
  const resources = resource.length
  const machines = next()
  const machine = records(machines, () => ({
    neighbourhood: next(),
    location: next(),
    capacity: list(resources),
    safety: list(resources),
    moveCost: list(machines),
  }))
  const service = records(next(), () => ({ spreadMin: next(), needs: list(next()) }))
  const process = records(next(), () => ({ service: next(), requirement: list(resources), moveCost: next() }))
  const balances = records(next(), () => ({ one: next(), other: next(), target: next(), weight: next() }))
  const start = createReader(assignment)
  return {
    resources,
    machines,
    services: service.length,
    processes: process.length,
    isTransient: Uint8Array.from(resource, ({ isTransient }) => isTransient),
    loadWeight: Float64Array.from(resource, ({ loadWeight }) => loadWeight),
    neighbourhoodOf: Int32Array.from(machine, ({ neighbourhood }) => neighbourhood),
    locationOf: Int32Array.from(machine, ({ location }) => location),
    capacity: Float64Array.from(machine.flatMap(({ capacity }) => capacity)),
    safety: Float64Array.from(machine.flatMap(({ safety }) => safety)),
    machineMoveCost: Float64Array.from(machine.flatMap(({ moveCost }) => moveCost)),
    spreadMin: Int32Array.from(service, ({ spreadMin }) => spreadMin),
    needs: service.map(({ needs }) => Int32Array.from(needs)),
    serviceOf: Int32Array.from(process, ({ service: number }) => number),
    requirement: Float64Array.from(process.flatMap(({ requirement }) => requirement)),
    processMoveCost: Float64Array.from(process, ({ moveCost }) => moveCost),
    balances,
    processMoveWeight: next(),
    serviceMoveWeight: next(),
    machineMoveWeight: next(),
    start: Int32Array.from(start.list(process.length)),
  }
}

function records<Item>(count: number, read: () => Item): Item[] {
  return Array.from({ length: count }, read)
}

function createReader(text: string) {
  const numbers = text.trim().split(/\s+/).map(Number)
  let at = 0
  const next = (): number => {
    const number = numbers[at++]
    if (number === undefined || !Number.isSafeInteger(number))
      throw new Error(`number ${at} is missing or no whole number`)
    return number
  }
  return { next, list: (count: number) => records(count, next) }
}
