/** Who may know whom: the rooms import one way only, and the pure ones touch neither files nor network. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { cruise, type IConfiguration } from 'dependency-cruiser'
import { afterAll, expect, test } from 'vitest'

const rules: IConfiguration = createRequire(import.meta.url)('../.dependency-cruiser.cjs')
const root = join(import.meta.dirname, '..')

async function wrongArrows(baseDir: string): Promise<string[]> {
  const { output } = await cruise(['src'], { ...rules.options, baseDir, validate: true, ruleSet: rules })
  if (typeof output === 'string') throw new Error('expected a result, not a report')
  return output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} -> ${to}`)
}

test('no room imports a room it may not know', async () => {
  expect(await wrongArrows(root)).toEqual([])
})

const scratch = mkdtempSync(join(tmpdir(), 'openwlb-arrows-'))
afterAll(() => rmSync(scratch, { recursive: true }))

test('a wrong arrow is found', async () => {
  writeFileSync(join(scratch, 'tsconfig.json'), readFileSync(join(root, 'tsconfig.json')))
  writeFileSync(join(scratch, 'package.json'), '{"type":"module"}')
  for (const room of ['wlb', 'x509', 'cli']) mkdirSync(join(scratch, 'src', room), { recursive: true })
  writeFileSync(join(scratch, 'src/x509/index.ts'), "import '../cli/index.js'\nexport const anchor = 1\n")
  writeFileSync(join(scratch, 'src/wlb/index.ts'), "import 'node:fs'\nexport const call = 1\n")
  writeFileSync(join(scratch, 'src/cli/index.ts'), 'export const main = 1\n')
  expect(await wrongArrows(scratch)).toEqual([
    'pure-rooms-touch-nothing: src/wlb/index.ts -> fs',
    'x509-imports-downwards-only: src/x509/index.ts -> src/cli/index.ts',
  ])
})

/**
 * Tests of a room (test/ROOM) may import its files; of another room they import what its index.ts exports. `base` has no door,
 * `cli` neither: nobody below imports it.
 */
function importsPastDoors(): string[] {
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  return files
    .filter((file) => file.endsWith('.ts'))
    .flatMap((file) => {
      const path = join(import.meta.dirname, file)
      const targets = [...readFileSync(path, 'utf8').matchAll(/ from '(\.[^']*)'/g)].map(([, target = '']) =>
        relative(root, join(dirname(path), target)),
      )
      return targets
        .filter((target) => isPastDoor(target, file.split('/', 1).join('')))
        .map((target) => `${file}: ${target}`)
    })
}

function isPastDoor(target: string, testedRoom: string): boolean {
  const [source, room = '', ...rest] = target.split('/')
  const own = testedRoom === 'differential' ? 'x509' : testedRoom
  if (source !== 'src' || room === own || rest.join('/') === 'index.js') return false
  return existsSync(join(root, 'src', room, 'index.ts'))
}

test('tests of one room import another through its index.ts', () => {
  expect(importsPastDoors()).toEqual([])
})
