/** Rows 9 and 10: the pools that tests make up, counted instead of asserted. */
import fc from 'fast-check'
import { evacuate, optimise } from '../../src/balance/index.js'
import { faultsOf, resultOf } from '../../test/balance/own-arithmetic.js'
import { placedByXapi } from '../../test/balance/placed-by-xapi.js'
import { anyDocument, poolOf } from '../../test/balance/pools.js'
import type { Table } from './table.js'

const POOLS = 1000

export function laws(): readonly Table[] {
  const pools = fc.sample(anyDocument({ hosts: 6, vms: 14 }), { numRuns: POOLS, seed: 20_260_301 }).map(poolOf)
  let feasible = 0
  let settled = 0
  let moves = 0
  for (const pool of pools) {
    const plan = optimise(pool)
    moves += plan.moves.length
    if (faultsOf(pool, plan).length === 0) feasible++
    const again = optimise(resultOf(pool, plan))
    if (again.moves.length + again.power.length === 0) settled++
  }
  return [
    {
      title: `9. ${POOLS} pools with rules, high availability, storage and defects (${moves} moves)`,
      head: ['what', 'pools', 'goal', ''],
      lines: [
        ['every prefix passes every check', `${feasible}`, `${POOLS}`, reached(feasible)],
        ['the plan of a plan’s result is empty', `${settled}`, `${POOLS}`, reached(settled)],
      ],
    },
    evacuations(),
  ]
}

function reached(count: number): string {
  return count === POOLS ? 'reached' : 'missed'
}

/** Without rules, exclusions and high availability, which are ours to keep. */
function evacuations(): Table {
  const plain = anyDocument({ hosts: 6, vms: 14 }).map((given) => ({
    ...given,
    pool: { uuid: 'pool', coordinator: 'h1' },
    rules: [],
    hosts: given.hosts.map((host) => ({ ...host, excluded: [] })),
  }))
  let atLeast = 0
  let byXapi = 0
  let byUs = 0
  for (const pool of fc.sample(plain, { numRuns: POOLS, seed: 20_260_301 }).map(poolOf)) {
    let isAtLeast = true
    for (const { uuid } of pool.hosts) {
      const placed = (evacuate(pool, uuid)?.moves ?? []).map(({ vm }) => vm)
      const expected = placedByXapi(pool, uuid)
      byXapi += expected.length
      byUs += placed.length
      isAtLeast &&= expected.every((vm) => placed.includes(vm))
    }
    if (isAtLeast) atLeast++
  }
  return {
    title: `10. Evacuation of every host of ${POOLS} pools: ${byUs} VMs placed, ${byXapi} by xapi’s planner`,
    head: ['what', 'pools', 'goal', ''],
    lines: [['every VM that xapi places is placed', `${atLeast}`, `${POOLS}`, reached(atLeast)]],
  }
}
