/** Test files share a process, so what a helper keeps at the top of its module would pass from one file to the next. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const CHANGES = /^(export )?(let|var) |^(export )?const [^=]+ = (new (Map|Set|WeakMap)|\[\]|\{\})/

const helpers = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .filter((file) => file !== 'file-cache.ts' && file !== 'attack/attacker.ts') // the second is a program, in a process of its own

test('helpers keep nothing between calls, except in a cache that is emptied before each test file', () => {
  expect(helpers.length).toBeGreaterThan(50)
  const kept = helpers.flatMap((file) =>
    readFileSync(join(import.meta.dirname, file), 'utf8')
      .split('\n')
      .filter((line) => CHANGES.test(line))
      .map((line) => `${file}: ${line}`),
  )
  expect(kept).toEqual([])
})
