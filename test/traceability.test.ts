/** The page of tests and what they decide is made from the titles, and what the appliance decides has a test. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { CAUSES } from '../scripts/failure-causes.js'
import { SECTIONS, UNTESTED } from '../scripts/requirements.js'
import { namedNumbers, numbersIn, readTitles, withoutNumbers } from '../scripts/test-titles.js'
import { isDecidedHere, renderTraceability, testsOf } from '../scripts/traceability-page.js'

const named = namedNumbers()
const all = SECTIONS.flatMap(({ requirements }) => requirements)

test('docs/traceability.md is what the titles say (npm run docs writes it)', () => {
  expect(readFileSync(join(import.meta.dirname, '../docs/traceability.md'), 'utf8')).toBe(renderTraceability())
})

test('what the appliance decides has a test that names it, or is on the list of what is open', () => {
  const decided = SECTIONS.slice(0, 3).flatMap(({ requirements }) => requirements.filter(isDecidedHere))
  const untested = decided.filter(({ id }) => testsOf(id, named).length === 0).map(({ id }) => id)
  expect(decided.length).toBeGreaterThan(30)
  expect(untested, 'a test has come: take its number off UNTESTED; one has gone: write it').toEqual(UNTESTED)
})

test('every number named is known, and every one is said once', () => {
  const known = new Set([...all.map(({ id }) => id), ...CAUSES.map((_, index) => `row ${index + 1}`)])
  expect(named.filter(({ number }) => !known.has(number))).toEqual([])
  expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => `S${index + 1}`))
})

const titles: [numbers: string, title: string, sentence: string][] = [
  ['', 'no number', 'no number'],
  ['S1', 'refused (S1)', 'refused'],
  ['row 8 S14', 'refused (row 8, S14)', 'refused'],
  ['row 29 row 30 S21', 'refused (rows 29, 30, S21)', 'refused'],
  ['S40', 'S40: the country', 'the country'],
  ['S40 S41', 'S40, S41: the country', 'the country'],
  ['S47 S48', 'S47 and S48: %s', '%s'],
  ['row 8 S35', 'row 8 (S35): address', 'address'],
  ['row 8 S35', 'row 8: S35: address', 'address'],
  ['row 1 row 2 row 3', 'rows 1 to 3: dates', 'dates'],
  ['', 'a file (S3 bucket)', 'a file (S3 bucket)'],
  ['', 'the S5 of it: none', 'the S5 of it: none'],
  ['', 'exit (1)', 'exit (1)'],
  ['', '1: first', '1: first'],
]
it.each(titles)('the numbers "%s" are in "%s"', (numbers, title, sentence) => {
  expect(numbersIn(title).join(' ')).toBe(numbers)
  expect(withoutNumbers(title)).toBe(sentence)
})

const sources: [source: string, titles: string[]][] = [
  ["test('a', () => f('no'))", ['a']],
  ["describe.skipIf(!x).each(['b', 'c'] as const)('d %s', () => {})", ['d %s', 'b', 'c']],
  ["const cases: [string, number][] = [['e', 1], ['f', 2]]", ['e', 'f']],
  ["type Row = readonly [row: number, what: string]; const rows: Row[] = [[7, 'S1: x']]", ['row 7: S1: x']],
  ["const counts = [[7, 'x']]", []],
  ["describeDials('g', [['h', 'accepted', () => g()]])", ['g', 'h']],
  ['for (const x of y) describe(`with $' + '{x}`, () => {})', ['with …']],
  ["expect('i').toBe('j'); run(['k', 'l']); items('m')", []],
]
it.each(sources)('%s', (source, found) => {
  expect(readTitles('x.test.ts', source)).toEqual(found)
})
