/**
 * Machine reassignment: the reader, the rules and the cost of the challenge, by a problem small enough to calculate by hand and by
 * the published cost of ten start assignments; the sums a search keeps against the judge that keeps none.
 */
import { describe, expect, test } from 'vitest'
import { randomFrom } from '../../bench/quality/random.js'
import { anneal } from '../../bench/quality/roadef/anneal.js'
import { brokenRules, costOf } from '../../bench/quality/roadef/check.js'
import { shiftDelta, swapDelta } from '../../bench/quality/roadef/deltas.js'
import { readInstance } from '../../bench/quality/roadef/instance.js'
import { areInstancesHere, PUBLISHED, readPublished } from '../../bench/quality/roadef/published.js'
import { createState, move } from '../../bench/quality/roadef/state.js'

/**
 * Four machines in three locations and two neighbourhoods, two resources (the second transient), three services: the first must
 * be in two locations, the second needs the third.
 */
const SMALL = readInstance(
  `2  0 10  1 1
   4  0 0  10 10  6 6  0 1 2 3
      0 1  10 10  6 6  1 0 2 3
      1 2  10 10  6 6  2 2 0 1
      1 2  10 4   6 4  3 3 1 0
   3  2 0  0 1 2  0 0
   5  0 4 1 1   0 3 1 2   1 2 3 1   2 2 2 1   2 1 4 3
   1  0 1 2 5
   1 10 100`,
  '0 1 0 0 2',
)

test('a start assignment costs its load and its balance', () => {
  // machine 0 uses 8 and 6: 2 too many of the first resource, and 2 * 2 left of the one against 4 of the other
  // machine 1 uses 3 and 1: 2 * 7 against 9; machine 2 uses 1 and 4: 2 * 9 against 6; machine 3 is empty: 2 * 10 against 4
  expect(costOf(SMALL, SMALL.start)).toEqual({
    load: 20,
    balance: 5 * (0 + 5 + 12 + 16),
    processMove: 0,
    serviceMove: 0,
    machineMove: 0,
    total: 185,
  })
})

const moves: [assignment: string, processMove: number, serviceMove: number, machineMove: number][] = [
  ['0 1 0 0 2', 0, 0, 0],
  ['1 0 0 0 2', 3, 20, 200], // two processes of service 0
  ['0 1 0 1 2', 1, 10, 100],
  ['0 1 0 1 3', 4, 20, 200], // two of service 2
  ['0 1 1 0 3', 4, 10, 200], // one of service 1, one of service 2
]
test.each(moves)('moves to "%s" cost %i for processes, %i for services, %i for machines', (text, ...expected) => {
  const { processMove, serviceMove, machineMove } = costOf(SMALL, assignment(text))
  expect([processMove, serviceMove, machineMove]).toEqual(expected)
})

const rules: [assignment: string, broken: string[]][] = [
  ['0 1 0 0 2', []],
  [
    '0 0 0 3 2',
    [
      'machine 0 has two processes of service 0',
      'service 0 is in 1 locations instead of 2',
      'service 1 misses service 2 in neighbourhood 0',
    ],
  ],
  ['0 1 0 3 2', ['service 1 misses service 2 in neighbourhood 0']],
  ['0 0 3 0 2', ['machine 0 has two processes of service 0', 'service 0 is in 1 locations instead of 2']],
  ['2 3 0 0 2', ['service 0 is in 1 locations instead of 2']],
  ['0 1 2 0 2', []],
  ['0 1 2 0 1', ['service 1 misses service 2 in neighbourhood 1']],
  ['0 1 3 0 3', ['machine 3 has too little of resource 1']],
  ['3 1 0 0 2', []],
  ['0 1 0 0 4', ['there is no machine 4']],
  ['0 1 0 0', ['the number of processes differs']],
]
test.each(rules)('"%s" breaks: %j', (text, broken) => {
  expect(brokenRules(SMALL, assignment(text))).toEqual(broken)
})

test('what a moved process leaves behind of a transient resource stays occupied', () => {
  const text = (isTransient: number) =>
    `1 ${isTransient} 1  2  0 0 5 5 0 0  0 0 5 5 0 0  2 0 0 0 0  2  0 4 0  1 4 0  0  0 0 0`
  const swapped = Int32Array.of(1, 0)
  expect(brokenRules(readInstance(text(0), '0 1'), swapped)).toEqual([])
  expect(brokenRules(readInstance(text(1), '0 1'), swapped)).toEqual([
    'machine 0 has too little of resource 0',
    'machine 1 has too little of resource 0',
  ])
})

test.each([
  ['1 0 10', 'number 4 is missing or no whole number'],
  ['1 x', 'number 2 is missing or no whole number'],
])('a model "%s" is refused: %s', (model, message) => {
  expect(() => readInstance(model, '0')).toThrow(message)
})

describe.skipIf(!areInstancesHere())('the instances A (../shared/data/roadef)', () => {
  test.each(PUBLISHED)('$name: the start keeps the rules and costs $start', ({ name, start }) => {
    const instance = readPublished(name)
    expect(costOf(instance, instance.start).total).toBe(start)
    expect(brokenRules(instance, instance.start)).toEqual([])
  })

  test.each(['a1_4', 'a2_2', 'a2_3'])('%s: the sums of a search say what the judge says, change by change', (name) => {
    const instance = readPublished(name)
    const state = createState(instance)
    const { next } = randomFrom(5)
    let allowed = 0
    for (let round = 0; round < 20_000 && allowed < 200; round++) {
      const p = Math.floor(next() * instance.processes)
      const q = Math.floor(next() * instance.processes)
      const to = Math.floor(next() * instance.machines)
      const isSwap = round % 2 === 0
      const from = state.machineOf[p] ?? 0
      const before = state.cost
      const fines = sum(state.fine)
      const delta = isSwap ? swapDelta(state, p, q) : shiftDelta(state, p, to)
      if (delta === Number.POSITIVE_INFINITY) continue
      allowed++
      move(state, p, isSwap ? (state.machineOf[q] ?? 0) : to)
      if (isSwap) move(state, q, from)
      const judged = costOf(instance, state.machineOf).total
      expect(state.cost).toBe(judged)
      // both processes of a swap may make their service the one with most moves, which is counted twice
      expect(Math.abs(state.cost - before + sum(state.fine) - fines - delta)).toBeLessThanOrEqual(10)
      const broken = brokenRules(instance, state.machineOf)
      expect(broken.filter((rule) => !rule.includes('too little'))).toEqual([])
      expect(new Set(broken.map((rule) => rule.split(' ')[1])).size).toBe(state.overfull)
    }
    expect(allowed).toBe(200)
  })

  test('the same seed and number of proposals find the same assignment, which keeps the rules and costs less', () => {
    const instance = readPublished('a1_1')
    const found = anneal(instance, 3, { proposals: 200_000 })
    expect(anneal(instance, 3, { proposals: 200_000 })).toEqual(found)
    expect(brokenRules(instance, found)).toEqual([])
    expect(costOf(instance, found).total).toBeLessThan(45_000_000)
  })
})

function assignment(text: string): Int32Array {
  return Int32Array.from(text.split(' '), Number)
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
