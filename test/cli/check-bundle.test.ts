/** `wlb cert check` as it is shipped: a bundle of its own that loads little, and says what the whole command line says. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, test } from 'vitest'
import { checkLine } from '../../src/cli/cert/check-line.js'
import { commandLine } from '../../src/cli/command-line.js'
import { run } from './program.js'

const DIST = join(import.meta.dirname, '../../dist')
const SPARE = ['node:tls', 'node:https', 'node:http', 'node:child_process']

/** What is loaded before anything runs: what a file asks for, and what those files ask for. */
function loadedBy(file: string): string[] {
  const text = readFileSync(join(DIST, file), 'utf8')
  const names = [...text.matchAll(/=require\("([^"]+)"\)/g)].flatMap(([, name = '']) => name)
  return names.flatMap((name) =>
    name.startsWith('.') ? [name, ...loadedBy(join('chunks', name.replace(/^.*\//, '')))] : [name],
  )
}

test('neither networks nor programs are loaded for a verdict about files', () => {
  const loaded = loadedBy('check.cjs')
  expect(loaded.filter((name) => name.startsWith('.')).length).toBeLessThanOrEqual(2)
  expect(SPARE.filter((name) => loaded.includes(name))).toEqual([])
})

// in a process of its own: V8 takes what was compiled with the same flags alone
const ASK = `
  const { readFileSync } = require('node:fs')
  const { Script } = require('node:vm')
  const taken = process.argv.slice(1).map((filename) => {
    const source = '(function (exports, require, module) {' + readFileSync(filename, 'utf8') + '\\n})'
    return !new Script(source, { filename, cachedData: readFileSync(filename + '.compiled') }).cachedDataRejected
  })
  console.log(taken.join(' '))`

test('V8 takes the compiled form of each file that is loaded at once', () => {
  const files = [...new Set(['check.cjs', ...loadedBy('check.cjs').filter((name) => name.startsWith('.'))])]
  const taken = execFileSync(process.execPath, ['-e', ASK, ...files.map((name) => join(DIST, name))], {
    encoding: 'utf8',
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  expect(taken.trim()).toBe(files.map(() => 'true').join(' '))
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
