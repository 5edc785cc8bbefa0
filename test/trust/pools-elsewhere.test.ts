/**
 * Another certificate for an appliance on another machine: the pools that would refuse it are named before, by the OpenWLB there, or as
 * far as they were met from here; and the default is no.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { forgetPool } from '../../src/server/index.js'
import { type Ended, run } from '../cli/program.js'
import { wlbAtTerminal } from '../cli/terminal.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { call } from '../server/raw-client.js'
import { startXenApiHost, type XenApiHost } from '../server/xen-api-host.js'
import { type Sshd, startSshd } from './sshd.js'
import { HOSTNAME, makeAuthority, readPair, useTrustStage } from './stage.js'

const program = requirePart('sshd')
const hasTerminal = requirePart('script') !== undefined
const stage = useTrustStage('node')
const file = (name: string) => join(stage.folder, name)

/** The second passes no sockets on: then the appliance there cannot be asked. */
let [open, closed]: (Sshd | undefined)[] = []
let before: readonly [certificatePem: string, privateKeyPem: string]
beforeAll(async () => {
  if (program === undefined) return
  ;[open, closed] = [
    await startSshd(program),
    await startSshd(program, [OWN_ADDRESS], ['AllowStreamLocalForwarding no']),
  ]
  await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  expect(await stage.apply()).toMatch(/ all accepted host \| done$/)
  const authority = await makeAuthority()
  writeFileSync(file('a chain.pem'), authority.chainPem)
  writeFileSync(file('leaf.key'), authority.leaf.privateKeyPem)
  writeFileSync(file('password'), `${stage.pool.document.password}\n`)
  before = readPair(stage.appliance)
})
afterAll(async () => {
  for (const sshd of [open, closed]) await sshd?.stop()
})

const url = () => `https://${stage.pool.host('xs1').address}:${stage.pool.host('xs1').tlsPort}`

/** What is known here of pools: `appliance` is the one that this pool was told to have. */
async function configOf(name: string, pool?: { readonly fingerprint: string; readonly appliance: string }) {
  const folder = file(name)
  mkdirSync(join(folder, 'openwlb'), { recursive: true })
  const known = pool && {
    url: url(),
    uuid: await stage.uuid(),
    username: stage.pool.document.username,
    passwordFile: file('password'),
    trust: { fingerprintSha256: pool.fingerprint },
    appliance: pool.appliance,
  }
  writeFileSync(join(folder, 'openwlb/pools.json'), JSON.stringify({ pools: known ? { office: known } : {} }))
  return { XDG_CONFIG_HOME: folder, SSH_AUTH_SOCK: '' }
}

async function fingerprintOfPool(): Promise<string> {
  const session = await stage.open()
  await session.close()
  return session.fingerprintSha256
}

const words = (sshd: Sshd | undefined) => [
  ...['trust', 'install', `${sshd?.target.user}@${OWN_ADDRESS}:${sshd?.target.port}`, file('a chain.pem')],
  ...['--key', file('leaf.key'), '--appliance-root', stage.appliance.root, '--name', HOSTNAME],
  ...['--appliance', `${OWN_ADDRESS}:${stage.appliance.port}`, '--restart-command', 'true'],
  ...['--ssh-key', sshd?.key ?? '', '--ssh-fingerprint', sshd?.fingerprint ?? ''],
]
const here = () => `${OWN_ADDRESS}:${stage.appliance.port}`
const install = (sshd: Sshd | undefined, env: NodeJS.ProcessEnv, ...more: readonly string[]): Promise<Ended> =>
  run('wlb', [...words(sshd), ...more], env)

/** Another pool at the appliance. */
async function register(poolUuid: string): Promise<XenApiHost> {
  const host = await startXenApiHost({ poolUuid, hostUuids: ['h1'], password: 'secret' })
  const request = { password: 'secret', poolUuid, userName: 'root', xenServerUrl: host.url }
  const added = await call(stage.appliance.port, { method: 'AddXenServer', request })
  expect(added).toMatchObject({ kind: 'result' })
  return host
}

const REFUSES = { outlook: 'refuses', why: expect.stringContaining('self-signed certificate in certificate chain') }
type Known = () => Promise<NodeJS.ProcessEnv>
const nothing: Known = () => configOf('nothing known')
const met: Known = async () => configOf('met', { fingerprint: await fingerprintOfPool(), appliance: here() })
const silent = (appliance: () => string): Known => {
  return () => configOf(`silent ${appliance()}`, { fingerprint: 'AA:'.repeat(31).concat('AA'), appliance: appliance() })
}
const UNKNOWN = 'the pools of that appliance are not known from here'
const ALL = 'REFUSES it'
const rows: [what: string, sshd: () => Sshd | undefined, known: Known, pools: unknown, says: string][] = [
  ['the OpenWLB there knows its pools', () => open, nothing, [REFUSES], ALL],
  ['a pool that was met from here', () => closed, met, [REFUSES], ALL],
  ['a pool met from here that does not answer', () => closed, silent(here), [{ outlook: 'unknown' }], 'MAY REFUSE it'],
]
const unknowns: typeof rows = [
  ['nobody knows', () => closed, nothing, null, UNKNOWN],
  [
    'a silent pool of another appliance',
    () => closed,
    silent(() => '192.0.2.7:8012'),
    null,
    `${UNKNOWN}; of those that`,
  ],
]

describe.skipIf(program === undefined)('wlb trust install (needs openssh-server)', () => {
  it.each(rows)('%s: named, and --yes alone is not enough', async (_what, sshd, known, pools, says) => {
    const env = await known()
    const planned = await install(sshd(), env, '--dry-run', '--json')
    expect(JSON.parse(planned.stdout), planned.stderr).toMatchObject({ state: 'planned', pools })
    expect(planned.stderr).toContain(says)
    const ended = await install(sshd(), env, '--yes')
    expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[POOLS_WOULD_REFUSE]') })
    expect(ended.stderr).toMatch(
      /missing: --anyway\n {2}try: wlb trust renew '\S+ chain.pem' .*--ssh \S+ --appliance-root \S+ .*--manage --pool https:\S+ --password-file FILE\n/,
    )
    expect(readPair(stage.appliance)).toEqual(before)
  })

  it.each(unknowns)('%s: said, and left to a person or --yes', async (_what, sshd, known, pools, says) => {
    const env = await known()
    const planned = await install(sshd(), env, '--dry-run', '--json')
    expect(JSON.parse(planned.stdout), planned.stderr).toMatchObject({ state: 'planned', pools })
    expect(planned.stderr.replace(/\s+/g, ' ')).toContain(says)
    expect(await install(sshd(), env)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('USAGE_NEEDS_YES'),
    })
    expect(readPair(stage.appliance)).toEqual(before)
    expect(await install(sshd(), env, '--yes')).toMatchObject({ exitCode: 0 })
    await stage.serve(...before)
  })

  test('with --anyway it goes on', async () => {
    expect(await install(open, await nothing(), '--yes', '--anyway')).toMatchObject({ exitCode: 0 })
    await stage.serve(...before)
  })

  it.skipIf(!hasTerminal).each([
    ['refuses', () => open, 'REFUSES it'],
    ['is not known', () => closed, 'not known from here'],
  ] as const)('at a terminal, where a pool %s, Enter alone means no', async (_what, sshd, says) => {
    const terminal = wlbAtTerminal(words(sshd()), await nothing())
    await terminal.shown(says)
    await terminal.shown('Install this certificate on')
    terminal.press('\r')
    expect(await terminal.ended).toMatch(/wlb: nothing was changed\s+exit 130/)
    expect(readPair(stage.appliance)).toEqual(before)
  })

  const OTHER = '00000000-0000-4000-8000-000000000001'
  const renewals: [what: string, sshd: () => Sshd | undefined, others: string[], code: string | undefined][] = [
    ['only this pool', () => open, [], undefined],
    ['another pool too', () => open, [OTHER], 'RENEW_OTHER_POOLS'],
    ['pools that cannot be asked for', () => closed, [OTHER], undefined],
  ]
  it.each(renewals)('wlb trust renew --ssh, where the OpenWLB there has %s', async (_what, sshd, others, code) => {
    const [, , target = '', ...options] = words(sshd())
    const pool = ['--pool', url(), '--username', stage.pool.document.username, '--password-file', file('password')]
    const known = ['--pool-fingerprint', await fingerprintOfPool()]
    const hosts = await Promise.all(others.map(register))
    try {
      const there = ['--ssh', target, '--dry-run', '--json']
      const ended = await run('wlb', ['trust', 'renew', ...options, ...there, ...pool, ...known], await nothing())
      const { error, notes = [] } = JSON.parse(ended.stdout)
      expect(error?.code, ended.stdout).toBe(code)
      expect(error?.facts.pools).toBe(code && OTHER)
      const isNoted = notes.some((note: string) => note.includes('which cannot be seen from here'))
      expect(isNoted).toBe(sshd() === closed)
    } finally {
      for (const uuid of others) await forgetPool(stage.appliance.root, uuid)
      for (const host of hosts) await host.close()
    }
  })
})
