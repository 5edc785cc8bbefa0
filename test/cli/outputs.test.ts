/** Where commands write to: devices and pipes stay what they are, and output that is lost is a failure. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, lstatSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { leaves } from '../../scripts/reference-page.js'
import { commandLine } from '../../src/cli/command-line.js'
import { writeExport } from '../../src/identity/index.js'
import { issue } from '../x509/test-authority.js'
import { makeFolder, removeFolder } from './program.js'

const folder = makeFolder()
const wlb = join(import.meta.dirname, '../../dist/wlb.js')
const passphraseFile = join(folder, 'passphrase')
const authority = join(folder, 'authority')
const at = (name: string) => join(folder, name)
/** Nodes of our own: a fault in what is tested must not replace the machine's. */
const hasNodes = makeNode('null', 3) && makeNode('full', 7)

function makeNode(name: string, minor: number): boolean {
  return spawnSync('mknod', ['-m', '666', at(name), 'c', '1', String(minor)]).status === 0
}

beforeAll(() => {
  execFileSync('mkfifo', [at('pipe')])
  writeFileSync(passphraseFile, 'a passphrase\n')
  call(['ca', 'create', '--dir', authority, '--passphrase-file', passphraseFile, '--yes'])
})
afterAll(() => removeFolder(folder))

function call(args: readonly string[], stdout: number | 'pipe' = 'pipe') {
  return spawnSync(process.execPath, [wlb, ...args], {
    stdio: ['ignore', stdout, 'pipe'],
    encoding: 'utf8',
    timeout: 20_000,
    env: { ...process.env, NO_COLOR: '1' },
  })
}

const crl = (...args: string[]) => ['ca', 'crl', '--dir', authority, '--passphrase-file', passphraseFile, ...args]

describe.skipIf(!hasNodes)('a device (this user may make none: skipped)', () => {
  test('is written into and stays a device', () => {
    expect(call(crl('--out', at('null')))).toMatchObject({ status: 0 })
    expect(statSync(at('null')).isCharacterDevice()).toBe(true)
  })

  test('that is full: said so, and it stays a device', () => {
    const { status, stderr } = call(crl('--out', at('full')))
    expect([status, stderr]).toEqual([1, expect.stringContaining('[DISK_FULL]')])
    expect(statSync(at('full')).isCharacterDevice()).toBe(true)
  })
})

test('a pipe gets the content, and nothing waits for more of it', async () => {
  const reader = spawn('cat', [at('pipe')])
  const writer = spawn(process.execPath, [wlb, ...crl('--out', at('pipe'))])
  let text = ''
  reader.stdout.on('data', (piece: Buffer) => {
    text += piece
  })
  const [[status]] = await Promise.all([once(writer, 'close'), once(reader, 'close')])
  expect([status, text]).toEqual([0, expect.stringMatching(/^-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----\n$/)])
})

const names = ['-', '/dev/stdout', '/proc/self/fd/1', '/dev/fd/1']
it.each(names)('--out %s: the list on standard output, what is said besides on the other', (name) => {
  const { status, stdout, stderr } = call(crl('--out', name))
  expect([status, stdout, stderr]).toEqual([
    0,
    expect.stringMatching(/^-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----\n$/),
    expect.stringContaining('next before'),
  ])
})

test('the list and the document of --json do not both fit on standard output', () => {
  const { status, stderr } = call(crl('--out', '-', '--json'))
  expect([status, stderr]).toEqual([2, expect.stringContaining('USAGE_STDOUT_TWICE')])
})

test('of a symbolic link, the file it leads to is written, there or not yet', async () => {
  const pem = (await issue({ subject: 'leaf' })).certificatePem
  symlinkSync('target.pem', at('link.pem'))
  for (const _ of ['made', 'replaced']) await writeExport(at('link.pem'), pem)
  expect(lstatSync(at('link.pem')).isSymbolicLink()).toBe(true)
  expect(readFileSync(at('target.pem'), 'utf8')).toBe(pem)
})

const everyCommand = leaves(commandLine()).map(({ words }): [words: string] => [words.slice(1).join(' ')])
const some = everyCommand.filter((_, index) => index % 12 === 0)
describe.each([
  { title: 'some commands', commands: some, tags: [] },
  { title: 'every command', commands: everyCommand, tags: ['long'] },
])('$title, with output that cannot be written', ({ commands, tags }) => {
  it.skipIf(!hasNodes).each(commands)('wlb %s: exit 1, and it says so', { tags }, (words) => {
    const full = openSync(at('full'), 'w')
    try {
      const { status, stderr } = call([...words.split(' '), '--help'], full)
      expect([status, stderr]).toEqual([1, expect.stringContaining('[OUTPUT_UNWRITABLE]')])
    } finally {
      closeSync(full)
    }
  })
})

it.skipIf(!hasNodes).each(['', ' --json'])('an answer that cannot be written: wlb ca list%s', (json) => {
  const full = openSync(at('full'), 'w')
  try {
    const { status, stderr } = call(['ca', 'list', '--dir', authority, ...json.split(' ').filter(Boolean)], full)
    expect([status, stderr]).toEqual([1, expect.stringContaining('systemError: ENOSPC')])
  } finally {
    closeSync(full)
  }
})

it.skipIf(!hasNodes)(
  'wlb balance plan --stream ends when its answers cannot be written, though its input goes on',
  async () => {
    const full = openSync(at('full'), 'w')
    const child = spawn(process.execPath, [wlb, 'balance', 'plan', '--stream'], { stdio: ['pipe', full, 'pipe'] })
    closeSync(full)
    let said = ''
    child.stderr?.on('data', (piece: Buffer) => {
      said += piece
    })
    child.stdin?.on('error', () => {}).write('{}\n{}\n')
    const [status] = await once(child, 'close')
    expect([status, said]).toEqual([1, expect.stringContaining('[OUTPUT_UNWRITABLE]')])
  },
)

test('a reader who has enough is no failure', async () => {
  const script = `"$0" "$@" | head -c 1 >/dev/null; echo "\${PIPESTATUS[0]}"`
  const { stdout } = spawnSync('bash', ['-c', script, process.execPath, wlb, '--help'], { encoding: 'utf8' })
  expect(stdout.trim()).toBe('0')
})
