import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { readPoolNumber } from '../../src/wlb/pool-result.js'

const cases: [text: string, number: number | undefined][] = [
  ['1', 1],
  ['4.0', 4],
  ['.5', 0.5],
  ['2.', 2],
  ['1e3', 1000],
  ['1E-3', 0.001],
  ['+2', 2],
  ['-1', -1],
  ['0x10', 16],
  ['0x1.8p1', 3],
  ['1_000', 1000],
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
  [' 3', 3],
  ['', undefined],
  [' ', undefined],
  ['3,5', undefined],
  ['3 ', undefined],
  ['three', undefined],
  ['.', undefined],
  ['_', undefined],
  ['0x', undefined],
  ['1e', undefined],
  ['--1', undefined],
]

describe('numbers as a pool reads them', () => {
  it.each(cases)('%j is %s', (text, number) => {
    expect(readPoolNumber(text)).toBe(number)
  })

  test('every number this program prints', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (number) => {
        expect(readPoolNumber(String(number))).toBe(Object.is(number, -0) ? 0 : number)
      }),
    )
  })
})
