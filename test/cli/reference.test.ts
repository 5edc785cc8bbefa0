/** The reference page and the code say the same, and every remedy is a command that exists. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { documentedErrors, leaves, renderReference } from '../../scripts/reference-page.js'
import { VERSION } from '../../src/base/version.js'
import { commandLine } from '../../src/cli/command-line.js'

const root = join(import.meta.dirname, '../..')

test('docs/reference.md is what the code says (npm run docs writes it)', () => {
  expect(readFileSync(join(root, 'docs/reference.md'), 'utf8')).toBe(renderReference())
})

test('the version is the one of package.json', () => {
  const { version }: { version: string } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  expect(VERSION).toBe(version)
})

const commands = leaves(commandLine()).map(({ words, command }) => ({
  words: words.join(' '),
  flags: command.options.flatMap(({ long }) => long ?? []),
}))
const remedies = [...new Set(documentedErrors().flatMap(({ remedy }) => (remedy.startsWith('wlb ') ? [remedy] : [])))]

it.each(remedies)('can be typed: %s', (remedy) => {
  if (/^wlb --(version|help)/.test(remedy)) return
  const command = commands.find(({ words }) => `${remedy} `.startsWith(`${words} `))
  expect(command, 'a command of ours').toBeDefined()
  const used = remedy.match(/--[a-z-]+/g) ?? []
  expect(used.filter((flag) => flag !== '--help' && !command?.flags.includes(flag))).toEqual([])
})

test('errors have a code in capitals, a sentence and something to type', () => {
  const odd = documentedErrors().filter(
    ({ code, message, remedy }) =>
      !/^[A-Z][A-Z0-9_]+$/.test(code) || !/([.…]|: [A-Z]+)$/.test(message) || remedy === '',
  )
  expect(odd).toEqual([])
})

test('errors are made by the tables; what others have refused is passed on in few places', () => {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  )
  const makers = files.filter((path) => readFileSync(join(root, 'src', path), 'utf8').includes('new WlbError('))
  expect(makers.sort()).toEqual([
    'base/error.ts', // the tables
    'identity/store/identity-files.ts', // a refusal, with the names of the files
    'lab/launcher/host-control.ts', // what a host process said
    'trust/run/run-steps.ts', // the pool's own code, with the role that is needed
    'xapi/api-failure.ts', // the pool's own code
  ])
})
