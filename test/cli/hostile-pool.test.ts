/**
 * A pool whose every text is hostile: escape sequences, new lines, text that turns round, shell syntax. What wlb prints holds no
 * control character, at a terminal and in a pipe, for people and as JSON; its remedies, pasted into a shell, do what they say.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type HostBehaviour, startXenApiHost, type XenApiHost } from '../server/xen-api-host.js'
import { makeFolder, removeFolder, run } from './program.js'

const EVIL =
  "\u001b]0;owned\u0007\u001b[2J\u009b31m\n\twlb: done\r\u202exyz\u2066\u200b\u2028';touch owned;$(touch owned)`touch owned`\u0000"
const WLB = join(import.meta.dirname, '../../dist/wlb.js')
const folder = makeFolder()
const passwordFile = join(folder, 'password')
let host: XenApiHost

const normal: HostBehaviour = { poolUuid: 'p', hostUuids: ['h'], password: 'secret' }
beforeAll(async () => {
  writeFileSync(passwordFile, 'secret\n')
  host = await startXenApiHost(normal)
})
afterAll(async () => {
  await host.close()
  removeFolder(folder)
})

const behaviours: [what: string, behaviour: HostBehaviour][] = [
  ['a member that names a coordinator', { ...normal, memberOf: EVIL }],
  ['a member that names shell syntax', { ...normal, memberOf: "x';touch owned;'" }],
  ['an error with parameters', { ...normal, failure: ['INTERNAL_ERROR', EVIL, EVIL] }],
  ['an error with another code', { ...normal, failure: [EVIL, EVIL] }],
  ['a role that is denied', { ...normal, failure: ['RBAC_PERMISSION_DENIED', EVIL, EVIL] }],
  ['identifiers', { ...normal, poolUuid: EVIL, hostUuids: [EVIL, `${EVIL}2`] }],
]
const commands = [
  'trust status',
  'trust plan --goal self-signed',
  'trust apply --goal self-signed --yes',
  'trust undo --yes',
  'doctor',
  'watch --once',
]
const rows = behaviours.flatMap(([what, behaviour]) =>
  commands.map((words): [string, string, HostBehaviour] => [words, what, behaviour]),
)

it.each(rows)('wlb %s: %s', { tags: ['long'], timeout: 60_000 }, async (words, _, behaviour) => {
  await check(words, behaviour)
})
const denied = [
  'trust status',
  'trust plan --goal self-signed',
  'trust apply --goal self-signed --yes',
  'trust undo --yes',
  'trust renew --dry-run',
  'doctor',
]
it.each(denied)('wlb %s, for a user without the role: the code of the pool, and what to type', async (words) => {
  host.behaviour = { ...normal, failure: ['RBAC_PERMISSION_DENIED', 'pool.get_all_records', 'no'] }
  const { stdout, stderr } = await run('wlb', [...argumentsOf(words), '--json'])
  const command = words.replace(/ --.*/, '')
  expect(stderr).toContain('[RBAC_PERMISSION_DENIED]')
  expect(JSON.parse(stdout).error).toMatchObject({
    code: 'RBAC_PERMISSION_DENIED',
    facts: { asked: command, permission: 'pool.get_all_records' },
    remedy: expect.stringMatching(new RegExp(`^wlb (--root \\S+ )?${command} --username USER --password-file FILE$`)),
  })
})
it('wlb trust status, of one and of all of them', { timeout: 60_000 }, async () => {
  for (const [, behaviour] of behaviours) await check('trust status', behaviour)
})

function argumentsOf(words: string): string[] {
  const pool = ['--pool', `https://${host.address}:${host.tlsPort}`, '--pool-insecure', '--password-file', passwordFile]
  return ['--root', join(folder, 'root'), ...words.split(' '), ...pool]
}

async function check(words: string, behaviour: HostBehaviour): Promise<void> {
  host.behaviour = behaviour
  const args = argumentsOf(words)
  const plain = await run('wlb', args)
  const shown = [plain.stdout, plain.stderr, await atTerminal(args)]
  for (const text of shown) {
    expect(text.replaceAll('\r\n', '\n').replaceAll('\r\u001b[K', '')).not.toMatch(HIDDEN)
    expect(text).not.toMatch(/^\s*wlb: done/m) // no line of its own
  }
  const json = await run('wlb', [...args, '--json'])
  expect(json.stdout).not.toMatch(HIDDEN)
  if (words !== 'watch --once') expect(() => JSON.parse(json.stdout)).not.toThrow()
  expect(`${plain.stderr}${json.stderr}`).not.toContain('This is a defect in OpenWLB')
  const remedies = [...plain.stderr.matchAll(/^ {2}try: (.*)$/gm)].map(([, remedy = '']) => remedy)
  for (const remedy of remedies) expect(runInSandbox(remedy)).toBeLessThanOrEqual(1)
}

/** All but the ends of our own lines. */
const HIDDEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

async function atTerminal(args: readonly string[]): Promise<string> {
  const command = [process.execPath, WLB, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    env: { ...process.env, XDG_CONFIG_HOME: join(folder, 'config'), NO_COLOR: '1', TERM: 'xterm' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  await once(child, 'close')
  return text
}

/** Pastes a line into a shell where `wlb` only counts; returns how many commands it ran. Nothing else may appear there. */
function runInSandbox(line: string): number {
  const sandbox = join(folder, 'sandbox')
  mkdirSync(join(sandbox, 'bin'), { recursive: true })
  const log = join(folder, 'ran')
  writeFileSync(log, '')
  writeFileSync(join(sandbox, 'bin/wlb'), `#!/bin/sh\necho ran >>'${log}'\n`)
  chmodSync(join(sandbox, 'bin/wlb'), 0o755)
  for (const shell of ['sh', 'bash']) {
    execFileSync(shell, ['-c', `${line}\n:`], {
      cwd: sandbox,
      env: { PATH: `${join(sandbox, 'bin')}:/usr/bin:/bin`, HOME: sandbox },
      stdio: 'ignore',
    })
    expect(readdirSync(sandbox)).toEqual(['bin'])
  }
  const count = readFileSync(log, 'utf8').split('\n').length - 1
  rmSync(sandbox, { recursive: true })
  return count / 2
}
