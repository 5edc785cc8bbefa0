/** A shell where every program only writes down what it was called with: what a line does when it is pasted. */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

/** All that our commands call; a line that calls another one finds nothing, and its calls differ. */
const PROGRAMS = [
  ...['wlb', 'xe', 'openssl', 'ssh', 'scp', 'ssh-keygen', 'ssh-keyscan', 'curl', 'nc', 'stunnel', 'killall', 'chronyc'],
  ...[
    'ls',
    'df',
    'cat',
    'cp',
    'mv',
    'rm',
    'chmod',
    'chown',
    'mkdir',
    'head',
    'tail',
    'sed',
    'awk',
    'grep',
    'od',
    'vi',
    'ps',
  ],
  ...[
    'dmesg',
    'ss',
    'id',
    'file',
    'getent',
    'mount',
    'lsattr',
    'stat',
    'sha256sum',
    'systemctl',
    'journalctl',
    'touch',
  ],
]

export type Call = readonly string[]

/**
 * Runs each line in `shell`, and lists its calls, in alphabetical order, since those of a pipe begin at once. Nothing may be left
 * behind. `folder` is made.
 */
export function paste(
  folder: string,
  lines: readonly string[],
  shell: 'sh' | 'bash' = 'sh',
): readonly (readonly Call[])[] {
  const [bin, here, log] = [join(folder, 'bin'), join(folder, 'here'), join(folder, 'calls')]
  mkdirSync(bin, { recursive: true })
  mkdirSync(here, { recursive: true })
  for (const program of [END, ...PROGRAMS]) {
    const file = join(bin, program)
    if (existsSync(file)) continue
    writeFileSync(file, `#!/bin/sh\nprintf '%s\\0' ${program} "$@" '\u0001' >>'${log}'\n`)
    chmodSync(file, 0o755)
  }
  writeFileSync(log, '')
  execFileSync(`/bin/${shell}`, ['-c', lines.map((line) => `${line}\n${END}\n`).join('')], {
    cwd: here,
    env: { PATH: bin, HOME: here },
    stdio: 'ignore',
  })
  expect(readdirSync(here).filter((name) => !MADE.includes(name))).toEqual([])
  for (const name of readdirSync(here)) rmSync(join(here, name))
  const pasted = readFileSync(log, 'utf8').split(`${END}\0\u0001\0`).slice(0, -1)
  return pasted.map((text) =>
    sorted(
      text
        .split('\0\u0001\0')
        .slice(0, -1)
        .map((call) => call.split('\0')),
    ),
  )
}

export function sorted(calls: readonly Call[]): readonly Call[] {
  return [...calls].sort((one, other) => (one.join(' ') < other.join(' ') ? -1 : 1))
}

/** Stands between the lines. */
const END = 'end-of-line'

/** Files that some of our commands write. */
const MADE = ['server.pem', 'wlb.pem', 'root_ca.pem', 'wlb-leaf.pem', 'intermediate_ca.pem']

/** Words that a shell would take apart, replace or carry out if they were not quoted. */
export const ODD_WORDS = [
  "x';touch owned;'",
  '$(touch owned)',
  '`touch owned`',
  'x;touch owned',
  'x|touch owned',
  'x&touch owned&',
  '>owned',
  '<owned',
  'a b  c',
  '~',
  '~root',
  '!!',
  '*',
  '[a-z]?',
  '{a,b}',
  '"',
  '\\',
  "'",
  "''",
  '#x',
  '$HOME',
  'a=b',
  'Müller 日本',
  '(x)',
]

/** Words that nobody can type as they are. */
export const UNSEEN_WORDS = [
  'x\ntouch owned\n',
  'x\rtouch owned',
  '\u001b[2Jx',
  'x\u202ey',
  'x\u0000y',
  'x\u200by',
  'x\u2028touch owned',
]
