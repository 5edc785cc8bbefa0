/** The catalogue of causes: every number of it once, and the page that is made from it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderCauses } from '../../scripts/causes-page.js'
import { CAUSES } from '../../scripts/failure-causes.js'
import { CATALOGUE } from '../../src/trust/diagnose/catalogue/catalogue.js'

test('docs/causes.md is what the code says (npm run docs writes it)', () => {
  expect(readFileSync(join(import.meta.dirname, '../../docs/causes.md'), 'utf8')).toBe(renderCauses())
})

test('every row of the catalogue has a cause, and no code is used twice', () => {
  const rows = new Set(CATALOGUE.map(({ row }) => row))
  expect(CAUSES.map((_, index) => index + 1).filter((row) => !rows.has(row))).toEqual([])
  expect(new Set(CATALOGUE.map(({ code }) => code)).size).toBe(CATALOGUE.length)
})
