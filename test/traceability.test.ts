/** Which test decides what: the table names tests there are, its page is made from it, and what the appliance decides has a test. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CAUSES } from '../scripts/failure-causes.js'
import { SECTIONS, UNTESTED } from '../scripts/requirements.js'
import { isDecidedHere, renderTraceability } from '../scripts/traceability-page.js'
import { TESTS } from './requirements.js'

const all = SECTIONS.flatMap(({ requirements }) => requirements)
const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')

test('every test in the table stands in its file, in these words', () => {
  const gone = Object.entries(TESTS).flatMap(([number, files]) =>
    Object.entries(files).flatMap(([file, titles]) => {
      const source = read(file)
      return titles.filter((title) => !isIn(source, title)).map((title) => `${number}: ${file}: ${title}`)
    }),
  )
  expect(gone).toEqual([])
})

/** As a literal of the source; `…` stands for what a template puts in. */
function isIn(source: string, title: string): boolean {
  return title.split('…').every((part) => source.includes(part) || source.includes(part.replaceAll("'", "\\'")))
}

test('docs/traceability.md is what the table says (npm run docs writes it)', () => {
  expect(read('../docs/traceability.md')).toBe(renderTraceability())
})

test('what the appliance decides has a test, or is on the list of what is open', () => {
  const decided = SECTIONS.slice(0, 3).flatMap(({ requirements }) => requirements.filter(isDecidedHere))
  const untested = decided.filter(({ id }) => !(id in TESTS)).map(({ id }) => id)
  expect(decided.length).toBeGreaterThan(30)
  expect(untested, 'a test has come: take its number off UNTESTED; one has gone: write it').toEqual(UNTESTED)
})

test('every number in the table is known, and every requirement has a number of its own', () => {
  const known = new Set([...all.map(({ id }) => id), ...CAUSES.map((_, index) => `row ${index + 1}`)])
  expect(Object.keys(TESTS).filter((number) => !known.has(number))).toEqual([])
  expect(all.map(({ id }) => id)).toEqual(all.map((_, index) => `S${index + 1}`))
})
