/** The judge of small pools: its program and the product mean the same cost, and no plan beats the optimum. */
import type { Highs } from 'highs'
import { beforeAll, expect, test } from 'vitest'
import { compareWithOptimum } from '../../bench/quality/exact/optimum.js'
import { loadSolver, solve } from '../../bench/quality/exact/program.js'
import { makeSmallPool, type SmallPool } from '../../bench/quality/exact/small-pool.js'

const LIMITS = { gap: 1e-6, seconds: 20 }
let solver: Highs
beforeAll(async () => {
  solver = await loadSolver()
})

test('the solver solves: of two things that do not fit together, the dearer one', () => {
  const column = (cost: number) => ({ cost, upper: 1, isInteger: true })
  const row = { lower: Number.NEGATIVE_INFINITY, upper: 1.5, entries: [[0, 1] as const, [1, 1] as const] }
  const { values, cost } = solve(
    solver,
    { columns: [column(-2), column(-3)], rows: [row] },
    new Float64Array(2),
    LIMITS,
  )
  expect([...values, cost]).toEqual([0, 1, -3])
})

const pools: [hosts: number, vms: number, samples: number, load: number, seed: number][] = [
  [2, 8, 1, 0.7, 1],
  [3, 20, 3, 0.7, 2],
  [4, 24, 4, 0.6, 3],
  [3, 20, 2, 0.9, 4], // more than the coordinator should hold
]
test.each(pools)(
  '%i hosts, %i VMs, %i scenarios, load %f, seed %i: the optimum is no worse than the plan, and the cost is the product’s',
  (...size) => {
    const [hosts, vms, samples, load, seed] = size
    const found = compareWithOptimum(
      solver,
      makeSmallPool({ hosts, vms, samples, load, seed } satisfies SmallPool),
      LIMITS,
    )
    expect(found.optimum).toBeLessThanOrEqual(found.ours + 1e-6)
    expect(found.ours).toBeLessThanOrEqual(found.start + 1e-6)
    expect(found.bound).toBeGreaterThan(found.optimum - 0.01)
  },
)

test('the same seed is the same pool', () => {
  const size = { hosts: 3, vms: 12, samples: 2, load: 0.6, seed: 7 }
  expect(makeSmallPool(size)).toEqual(makeSmallPool(size))
  expect(makeSmallPool(size)).not.toEqual(makeSmallPool({ ...size, seed: 8 }))
})
