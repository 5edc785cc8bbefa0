/** `wlb cert check` as it is shipped: a bundle of its own that loads little, and says what the whole command line says. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { checkLine } from '../../src/cli/cert/check-line.js'
import { commandLine } from '../../src/cli/command-line.js'
import { run } from './program.js'

const DIST = join(import.meta.dirname, '../../dist')
const SPARE = ['node:tls', 'node:https', 'node:http', 'node:child_process']

/** What is loaded before anything runs: the imports of a file, and of the files it imports. */
function loadedBy(file: string): string[] {
  const text = readFileSync(join(DIST, file), 'utf8')
  const names = [...text.matchAll(/(?:\bfrom|\bimport)\s*"([^"]+)"/g)].flatMap(([, name = '']) => name)
  return names.flatMap((name) =>
    name.startsWith('.') ? [name, ...loadedBy(join('chunks', name.replace(/^.*\//, '')))] : [name],
  )
}

test('neither networks nor programs are loaded for a verdict about files', () => {
  const loaded = loadedBy('check.js')
  expect(loaded.filter((name) => name.startsWith('.')).length).toBeLessThanOrEqual(2)
  expect(SPARE.filter((name) => loaded.includes(name))).toEqual([])
})

test('help is the same as of the whole command line', () => {
  const helpOf = (line: ReturnType<typeof commandLine>) =>
    line.commands
      .find((group) => group.name() === 'cert')
      ?.commands.find((command) => command.name() === 'check')
      ?.helpInformation()
  expect(helpOf(checkLine())).toBe(helpOf(commandLine()))
})

const calls: [args: string, exitCode: number, code: string][] = [
  ['cert check --nmae x', 2, 'USAGE'],
  ['cert check nothing.pem --name a.example', 2, 'FILE_MISSING'],
  ['cert check --connect 127.0.0.1:1 --name a.example', 2, 'ENDPOINT_UNREACHABLE'],
  ['cert check', 2, 'USAGE_NEEDS_NAME'],
  ['--root /nowhere cert check', 2, 'USAGE_NEEDS_NAME'],
  ['cert check --root /nowhere', 2, 'USAGE_NEEDS_NAME'],
]
it.each(calls)('wlb %s: exit %i, %s', async (args, exitCode, code) => {
  const answer = await run('wlb', [...args.split(' '), '--json'], { WLB_ROOT: '/nowhere' })
  expect([answer.exitCode, JSON.parse(answer.stdout).error.code]).toEqual([exitCode, code])
})
