/**
 * A pool whose every text is hostile: escape sequences, new lines, text that turns round, shell syntax. What wlb prints holds no
 * control character, at a terminal and in a pipe, for people and as JSON; its remedies, pasted into a shell, do what they say.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type HostBehaviour, startXenApiHost, type XenApiHost } from '../server/xen-api-host.js'
import { paste } from './foreign/recorders.js'
import { atTerminal, EVIL, HIDDEN, makeEvilCertificate } from './foreign/seen.js'
import { makeFolder, removeFolder, run } from './program.js'

const folder = makeFolder()
const passwordFile = join(folder, 'password')
let host: XenApiHost

const normal: HostBehaviour = { poolUuid: 'p', hostUuids: ['h'], password: 'secret' }
beforeAll(async () => {
  writeFileSync(passwordFile, 'secret\n')
  makeEvilCertificate(join(folder, 'evil.pem'), join(folder, 'evil.key'))
  host = await startXenApiHost(normal)
})
afterAll(async () => {
  await host.close()
  removeFolder(folder)
})

/** All it says is hostile, but for its addresses, which are refused when they are none (test/xapi/pool-records.test.ts). */
const records: HostBehaviour = {
  ...normal,
  values: {
    'pool.get_all_records': {
      'OpaqueRef:pool': {
        ...{ uuid: EVIL, name_label: EVIL, master: `OpaqueRef:${EVIL}`, wlb_url: `127.0.0.1:1/${EVIL}` },
        ...{ wlb_username: EVIL, wlb_enabled: true, wlb_verify_cert: true, other_config: { [EVIL]: EVIL } },
      },
    },
    'host.get_all_records': {
      [`OpaqueRef:${EVIL}`]: {
        ...{ uuid: EVIL, name_label: EVIL, hostname: EVIL, address: '127.0.0.1', software_version: { xapi: EVIL } },
      },
      'OpaqueRef:two': { uuid: `${EVIL}2`, name_label: '', hostname: EVIL, address: '', metrics: EVIL },
    },
    'host_metrics.get_all_records': { [EVIL]: { live: true } },
    'Certificate.get_all_records': {
      [EVIL]: { uuid: EVIL, type: 'ca', name: EVIL, fingerprint_sha256: EVIL, not_after: new Date(0) },
    },
    'pool.crl_list': [EVIL],
    'pool.retrieve_wlb_configuration': { [EVIL]: EVIL },
  },
}
const behaviours: [what: string, behaviour: HostBehaviour][] = [
  ['a member that names a coordinator', { ...normal, memberOf: EVIL }],
  ['a member that names shell syntax', { ...normal, memberOf: "x';touch owned;'" }],
  ['an error with parameters', { ...normal, failure: ['INTERNAL_ERROR', EVIL, EVIL] }],
  ['an error with another code', { ...normal, failure: [EVIL, EVIL] }],
  ['a role that is denied', { ...normal, failure: ['RBAC_PERMISSION_DENIED', EVIL, EVIL] }],
  ['all records', records],
  ['a WLB address that is none', withUrl(EVIL)],
  ['identifiers', { ...normal, poolUuid: EVIL, hostUuids: [EVIL, `${EVIL}2`] }],
]
function withUrl(wlbUrl: string): HostBehaviour {
  const [pool] = Object.values(Object(records.values?.['pool.get_all_records']))
  const changed = { 'OpaqueRef:pool': { ...Object(pool), wlb_url: wlbUrl } }
  return { ...records, values: { ...records.values, 'pool.get_all_records': changed } }
}
const commands = [
  'trust status',
  'trust plan --goal self-signed',
  `trust plan --goal ca ${join(folder, 'evil.pem')}`,
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
    remedy: expect.stringMatching(
      new RegExp(
        `^wlb --root \\S+ ${command} (--goal self-signed )?--pool \\S+ --pool-insecure --username USER --password-file FILE$`,
      ),
    ),
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
  const shown = [plain.stdout, plain.stderr, await atTerminal(args, { XDG_CONFIG_HOME: join(folder, 'config') })]
  for (const text of shown) {
    expect(text.replaceAll('\r\n', '\n').replaceAll('\r\u001b[K', '')).not.toMatch(HIDDEN)
    expect(text).not.toMatch(/^\s*wlb: done/m) // no line of its own
  }
  const json = await run('wlb', [...args, '--json'])
  expect(json.stdout).not.toMatch(HIDDEN)
  if (words !== 'watch --once') expect(() => JSON.parse(json.stdout)).not.toThrow()
  expect(`${plain.stderr}${json.stderr}`).not.toContain('This is a defect in OpenWLB')
  const remedies = [...plain.stderr.matchAll(/^ {2}try: (.*)$/gm)].map(([, remedy = '']) => remedy)
  for (const calls of paste(join(folder, 'shell'), remedies)) expect(calls.length).toBeLessThanOrEqual(1)
}
