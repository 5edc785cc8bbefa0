/** Looking at pools, as people and programs see it: one pool in every state it can be in, many at once, and watched over time. */
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { SYSTEM_CLOCK } from '../../src/base/clock.js'
import { WlbError } from '../../src/base/error.js'
import { openLog, paths } from '../../src/config/index.js'
import { clearFaults, injectFault } from '../../src/lab/index.js'
import { poolWatch } from '../../src/server/index.js'
import { type DatedEvent, judgeHosts, lookAtFleet, observe, proveHosts, readFleet } from '../../src/trust/index.js'
import { type Ended, run, runUntilReady } from '../cli/program.js'
import { freePort } from '../free-port.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { type Sshd, startSshd } from './sshd.js'
import { HOSTNAME, useTrustStage } from './stage.js'

const stage = useTrustStage('node')
const { pool } = stage
const folder = mkdtempSync(join(tmpdir(), 'openwlb-look-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const passwordFile = join(folder, 'password')
const readerFile = join(folder, 'reader')
const env = { XDG_CONFIG_HOME: join(folder, 'config') }

beforeAll(async () => {
  writeFileSync(passwordFile, `${pool.document.password}\n`)
  writeFileSync(readerFile, `${pool.document.reader?.password}\n`)
  await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  expect(await stage.apply()).toContain('all accepted host')
})

const url = () => `https://${pool.host('xs1').address}:${pool.host('xs1').tlsPort}`
const appliance = () => `${OWN_ADDRESS}:${stage.appliance.port}`
const flags = (user: readonly string[] = ['--password-file', passwordFile]) => [
  ...['--root', folder, '--pool', url(), ...user, '--pool-insecure', '--appliance', appliance()],
]
const status = (...args: string[]) => run('wlb', ['trust', 'status', ...flags(), ...args], env)

/** What this lab alone is called becomes a word; the second that clocks are off by chance, none. */
async function scrub({ stdout, stderr, exitCode }: Ended, ...more: [string, string][]): Promise<string> {
  const words: [string, string][] = [
    [await stage.uuid(), 'POOL-UUID'],
    [stage.certificate().fingerprint256, 'FINGERPRINT'],
    [stage.certificate().fingerprint256.slice(0, 23), 'FINGER...'],
    [new Date(stage.certificate().validTo).toISOString(), 'END'],
    [new Date(stage.certificate().validTo).toISOString().slice(0, 10), 'END-DAY'],
    [String(stage.appliance.port), 'PORT'],
    [url().slice('https://'.length), 'XS1'],
    [folder, 'FOLDER'],
    ...more,
    [OWN_ADDRESS, '127.0.0.1'],
  ]
  const text = words.reduce((told, [from, to]) => told.replaceAll(from, to), `${stdout}${stderr}exit ${exitCode}\n`)
  return text
    .replaceAll(/[+-][1-5] s( |$)/gm, (_, end) => (end === '' ? '0 s' : '0 s  '))
    .replaceAll(/in \d+ days/g, 'in N days')
}

const golden = (name: string) => join(import.meta.dirname, `../cli/golden/look/${name}.txt`)

const states: [name: string, before: () => Promise<unknown>, after: () => Promise<unknown>, exitCode: number][] = [
  ['healthy', async () => {}, async () => {}, 0],
  ['member-down', () => pool.fault('stop', 'xs3'), () => pool.fault('start', 'xs3'), 0],
  ['verification-off', () => stage.verify(false), () => stage.verify(true), 1],
  ['bundle-removed', () => pool.fault('remove-bundle', 'xs2'), () => pool.call('xs1', 'pool.certificate_sync'), 1],
  ['answers-cut', () => pool.fault('cut', 'xs1'), () => pool.fault('mend', 'xs1'), 2],
  ['answers-garbage', () => pool.fault('garbage', 'xs1'), () => pool.fault('mend', 'xs1'), 2],
]

describe('wlb trust status', () => {
  it.each(states)('%s', async (name, before, after, exitCode) => {
    await before()
    try {
      const ended = await status()
      await expect(await scrub(ended)).toMatchFileSnapshot(golden(name))
      expect(ended.exitCode).toBe(exitCode)
    } finally {
      await after()
    }
  })

  test('a read-only user sees the same', async () => {
    const reader = ['--username', pool.document.reader?.username ?? '', '--password-file', readerFile]
    const ended = await run('wlb', ['trust', 'status', ...flags(reader), '--json'], env)
    const document = JSON.parse(ended.stdout)
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(document.hosts.map(({ verdict, proof }: Record<string, string>) => `${verdict} ${proof}`)).toEqual(
      Array(3).fill('accepted host'),
    )
    expect(Object.keys(document)).toEqual(['ok', 'pool', 'appliance', 'installed', 'crls', 'hosts'])
    expect(Object.keys(document.hosts[0]).join(' ')).toBe(
      'name uuid address role live store clockOffsetMs verdict proof error why',
    )
  })

  test('a session that ended between two questions is opened anew', async () => {
    const session = await stage.open()
    const where = { now: new Date(), appliance: { host: OWN_ADDRESS, port: stage.appliance.port } }
    const connection = await observe(session, where)
    await pool.fault('expire-sessions', 'xs1')
    const proofs = await proveHosts(session, connection)
    expect(judgeHosts(connection, proofs).map(({ verdict }) => verdict)).toEqual(Array(3).fill('accepted'))
    await pool.fault('expire-sessions', 'xs1')
    expect((await observe(session, where)).hosts).toHaveLength(3)
    await session.close()
  })

  test('a host that hangs is waited for as long as the others give reason to, and says nothing', async () => {
    const session = await stage.open()
    const connection = await observe(session, {
      now: new Date(),
      appliance: { host: OWN_ADDRESS, port: stage.appliance.port },
    })
    const process3 = Number(readFileSync(pool.path('xs3', 'var/lib/xcp/xapi.pid'), 'utf8'))
    process.kill(process3, 'SIGSTOP')
    try {
      const proofs = await proveHosts(session, connection, { graceMs: 300 })
      expect(proofs.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'not asked'])
      expect(proofs[2]).toMatchObject({
        why: expect.stringMatching(/^no answer within \d+ ms, and others have answered$/),
      })
    } finally {
      process.kill(process3, 'SIGCONT')
      await session.close()
    }
  })
})

const sshdProgram = requirePart('sshd')

/** A real sshd at the addresses of two hosts of three; each host's files are its folder of the lab. */
describe.skipIf(!sshdProgram)('--host-ssh (needs openssh-server)', () => {
  let sshd: Sshd
  const knownHosts = join(folder, 'config/openwlb/known_hosts')
  beforeAll(async () => {
    sshd = await startSshd(sshdProgram ?? '', [pool.host('xs1').address, pool.host('xs2').address])
  })
  afterAll(() => sshd.stop())

  const login = () => [
    ...['--host-ssh', sshd.target.user, '--host-ssh-port', String(sshd.target.port)],
    ...['--host-root', join(pool.root, 'lab/{name}'), '--ssh-key', sshd.key],
  ]
  const disks = async (...args: string[]) => {
    const { stdout, exitCode } = await status(...login(), '--json', ...args)
    const { hosts }: { hosts: { disk: Record<string, unknown> }[] } = JSON.parse(stdout)
    return { exitCode, disks: hosts.map(({ disk }) => disk) }
  }

  test('hosts nobody knows are not logged in to: the key of each is told, none is kept, and the verdict stands', async () => {
    const seen = await disks()
    const unknown = { state: 'not seen', why: expect.stringMatching(/SHA256:.*\[USAGE_NEEDS_SSH_FINGERPRINT\]$/) }
    const refused = { state: 'not seen', why: expect.stringMatching(/^no SSH server listens there .*\[SSH_REFUSED\]$/) }
    expect(seen).toEqual({ exitCode: 0, disks: [unknown, unknown, refused] })
    expect(existsSync(knownHosts)).toBe(false)
  })

  test('with the fingerprint given both are kept, and what lies there is what the pool believes', async () => {
    const seen = await disks('--ssh-fingerprint', sshd.fingerprint)
    const { fingerprint256 } = stage.certificate()
    expect(seen.disks[1]).toEqual({
      state: 'as recorded',
      bundle: 'built',
      trustedSha256: [fingerprint256],
      crls: [],
      odd: [],
      resolved: null,
      files: [{ name: 'wlb.pem', kind: 'certificate', what: 'a certificate', fingerprintsSha256: [fingerprint256] }],
      againstRecords: { lacks: [], differs: [], more: [] },
      againstCoordinator: { lacks: [], differs: [], more: [] },
    })
    expect(seen.disks.map(({ state }) => state)).toEqual(['as recorded', 'as recorded', 'not seen'])
    expect(readFileSync(knownHosts, 'utf8').trim().split('\n')).toHaveLength(2)
  })

  test.skipIf(!requirePart('ssh'))('through a jump host of the SSH settings, with the key they name', async () => {
    const jump = await startSshd(sshdProgram ?? '')
    const home = join(folder, 'a home')
    mkdirSync(join(home, '.ssh'), { recursive: true })
    const { user, host, port } = jump.target
    const addresses = [pool.host('xs1').address, pool.host('xs2').address]
    const lines = [
      `Host ${addresses.join(' ')}`,
      `  Port ${sshd.target.port}`,
      `  IdentityFile ${sshd.key}`,
      '  ProxyJump hop',
      'Host hop',
      ...[`  HostName ${host}`, `  Port ${port}`, `  User ${user}`, `  IdentityFile ${jump.key}`],
    ]
    writeFileSync(join(home, '.ssh/config'), lines.join('\n'), { mode: 0o600 })
    writeFileSync(join(home, '.ssh/known_hosts'), `[${host}]:${port} ${jump.hostKeys[0]}\n`)
    const words = ['--host-ssh', sshd.target.user, '--host-root', join(pool.root, 'lab/{name}'), '--json']
    const call = ['trust', 'status', ...flags(), ...words, '--ssh-fingerprint', sshd.fingerprint]
    const states = async (agent = '') => {
      const { stdout } = await run('wlb', call, { ...env, HOME: home, SSH_AUTH_SOCK: agent })
      const { hosts }: { hosts: { disk: { state: string; why?: string } }[] } = JSON.parse(stdout)
      return hosts.map(({ disk }) => disk.why?.match(/\[(.*)\]$/)?.[1] ?? disk.state)
    }
    const noAgent = join(home, 'no agent')
    const there = [await states(), await states(noAgent)]
    await jump.stop()
    expect([...there, await states(noAgent)].map((hosts) => hosts.slice(0, 2))).toEqual([
      ['as recorded', 'as recorded'],
      ['as recorded', 'as recorded'],
      ['SSH_REFUSED', 'SSH_REFUSED'],
    ])
  })

  test('a member that missed a synchronisation, by the dates of its files; the disk that is closed is said', async () => {
    await injectFault({ root: pool.root, row: 30, host: 'xs2', variant: undefined })
    try {
      const ended = await status(...login())
      const { address } = pool.host('xs3')
      const text = await scrub(ended, [`${address}:${sshd.target.port}`, 'XS3:SSH'], [address, 'XS3'])
      await expect(text).toMatchFileSnapshot(golden('disks'))
      const { stdout, exitCode } = await run('wlb', ['doctor', ...flags(), ...login(), '--json'], env)
      const { findings, notSeen } = JSON.parse(stdout)
      expect([exitCode, findings[0]]).toMatchObject([1, { row: 30, code: 'HOST_MISSED_SYNC', host: 'xs2' }])
      expect(findings[0].evidence).toContain(`wlb.pem (${stage.certificate().fingerprint256.slice(0, 23)}`)
      const aboutDisks = notSeen.filter((sentence: string) => sentence.includes('disk'))
      expect(aboutDisks).toEqual([expect.stringMatching(/^What lies on the disk of xs3: .*\[SSH_REFUSED\]\.$/)])
    } finally {
      await clearFaults(pool.root)
    }
  })

  const calls: [what: string, code: string, words: () => string[]][] = [
    ['a login, and no user', 'USAGE_NEEDS_HOST_SSH', () => ['--ssh-key', sshd.key]],
    ['a user, and nothing to log in with', 'USAGE_NEEDS_SSH_LOGIN', () => ['--host-ssh', 'root']],
    ['a key that is none', 'SSH_KEY_UNREADABLE', () => ['--host-ssh', 'root', '--ssh-key', `${sshd.key}.pub`]],
  ]
  it.each(calls)('%s: %s', async (_what, code, words) => {
    const ofHome = { ...env, HOME: folder, SSH_AUTH_SOCK: '' }
    const ended = await run('wlb', ['trust', 'status', ...flags(), ...words()], ofHome)
    expect(ended).toMatchObject({ exitCode: code.startsWith('USAGE') ? 2 : 1, stderr: expect.stringContaining(code) })
  })
})

/** A fleet file of this test, its pools told apart by what is wrong with them. */
function fleetFile(...pools: string[]): string {
  const file = join(folder, 'pools.toml')
  writeFileSync(file, pools.join('\n'))
  return file
}
const entry = (name: string, where: string, secret: string, more = 'insecure = true') =>
  `[[pool]]\nname = "${name}"\nurl = "${where}"\npassword_file = "${secret}"\nappliance = "${appliance()}"\n${more}\n`

describe('a fleet', () => {
  test('one pool that is out of reach and one with another password hide no other', async () => {
    writeFileSync(join(folder, 'wrong'), 'guess\n')
    const nobody = `${OWN_ADDRESS}:${await freePort()}`
    const file = fleetFile(
      entry('berlin', url(), 'password'),
      entry('lyon', `https://${nobody}`, 'password'),
      entry('oslo', url(), 'wrong'),
      entry('rome', url(), 'missing'),
    )
    const ended = await run('wlb', ['trust', 'status', '--fleet', file, '--hosts'], env)
    const text = await scrub(ended, [nobody, 'NOBODY'])
    await expect(text).toMatchFileSnapshot(golden('fleet'))
    const { stdout, exitCode } = await run('wlb', ['trust', 'status', '--fleet', file, '--json'], env)
    const documents: { name: string; ok: boolean; error?: { code: string } }[] = JSON.parse(stdout)
    expect(documents.map(({ name, ok, error }) => `${name} ${error?.code ?? ok}`)).toEqual([
      'berlin true',
      'lyon CONNECT_REFUSED',
      'oslo POOL_CREDENTIALS_REFUSED',
      'rome PASSWORD_FILE_UNREADABLE',
    ])
    expect(exitCode).toBe(2)
  })

  test('a pool that answers late is given up after its time', async () => {
    await pool.fault('slow', 'xs1')
    const { address, tlsPort } = pool.host('xs1')
    const access = async () => ({
      address,
      port: tlsPort,
      userName: 'root',
      password: pool.document.password,
      trust: { kind: 'none' } as const,
      timeoutMs: 300,
    })
    const late = { name: 'late', access, appliance: undefined }
    const lines = await lookAtFleet([late], { atOnce: 1, now: () => new Date() })
    await pool.fault('mend', 'xs1')
    expect(lines).toMatchObject([{ name: 'late', state: 'not seen', error: { code: 'API_TIMEOUT' } }])
  })

  const mistakes: [what: string, text: string, told: string][] = [
    ['nothing in it', '', 'key: pool'],
    ['no TOML', 'pool = [', 'line: 1'],
    ['no pool', 'pool = []', 'key: pool\n'],
    ['a pool without a name', '[[pool]]\nurl = "https://a"\n', 'pool: number 1\n  key: name'],
    [
      'a second one without an address',
      `${'[[pool]]\nname = "a"\nurl = "https://a"\n'}[[pool]]\nname = "b"\n`,
      'number 2',
    ],
    ['plain http', '[[pool]]\nname = "a"\nurl = "http://a"\n', 'key: url\n  why: must be https'],
    ['no password', '[[pool]]\nname = "a"\nurl = "https://a"\ninsecure = true\n', 'pool: a\n  key: password_file'],
    [
      'nothing to tell it from an impostor',
      '[[pool]]\nname = "a"\nurl = "https://a"\npassword_file = "p"\n',
      'pool: a\n  key: fingerprint',
    ],
    ['half a fingerprint', '[[pool]]\nname = "a"\nurl = "https://a"\nfingerprint = "3F:0A"\n', 'key: fingerprint'],
    ['an appliance without a port', '[[pool]]\nname = "a"\nurl = "https://a"\nappliance = "wlb"\n', 'key: appliance'],
    [
      'a word nobody knows',
      '[[pool]]\nname = "a"\nurl = "https://a"\npasswd = "x"\n',
      'key: passwd\n  why: is not a key',
    ],
    [
      'such a word in the defaults',
      '[defaults]\nurl = "x"\n[[pool]]\nname = "a"\nurl = "https://a"\n',
      'key: defaults.url',
    ],
    [
      'two of one name',
      '[defaults]\ninsecure = true\npassword_file = "p"\n[[pool]]\nname = "a"\nurl = "https://a"\n[[pool]]\nname = "a"\nurl = "https://b"\n',
      'pool: a\n  why: two pools have this name',
    ],
  ]
  it.each(mistakes)('%s', async (_, text, told) => {
    const error = await readFleet(fleetFile(text)).catch((caught: unknown) => caught)
    if (!(error instanceof WlbError)) throw new Error('it was taken')
    const lines = Object.entries(error.facts).map(([name, value]) => `  ${name}: ${value}\n`)
    expect(`${error.code}\n${lines.join('')}`).toContain('FLEET_FILE_INVALID')
    expect(lines.join('')).toContain(told)
  })

  test('no such file', async () => {
    await expect(readFleet(join(folder, 'none.toml'))).rejects.toMatchObject({ code: 'FLEET_FILE_UNREADABLE' })
  })
})

describe('wlb watch', () => {
  const look = async (...args: string[]) => {
    const { stdout, stderr, exitCode } = await run('wlb', ['watch', '--once', '--json', ...flags(), ...args], env)
    const lines = stdout.split('\n').filter((line) => line !== '')
    const events = lines.map((line): DatedEvent => JSON.parse(line))
    return { said: events.map(({ kind, code, subject }) => `${kind} ${code} ${subject}`), stderr, exitCode }
  }

  test('says once what broke, and once that it is mended', async () => {
    expect(await look(), 'all is well').toEqual({ said: [], stderr: '', exitCode: 0 })
    await stage.verify(false)
    expect(await look(), 'the flag').toMatchObject({ said: ['problem VERIFICATION '], exitCode: 1 })
    expect(await look(), 'no news').toMatchObject({ said: [], exitCode: 1 })
    await stage.verify(true)
    await pool.fault('remove-bundle', 'xs2')
    expect(await look(), 'one bundle').toMatchObject({
      said: ['mended VERIFICATION ', 'problem HOST_VERIFIES xs2'],
      exitCode: 1,
    })
    await pool.call('xs1', 'pool.certificate_sync')
    await pool.fault('cut', 'xs1')
    expect(await look(), 'out of reach').toMatchObject({ said: ['problem POOL_UNREACHABLE '], exitCode: 2 })
    await pool.fault('mend', 'xs1')
    expect(await look(), 'all is well again').toMatchObject({
      said: ['mended POOL_UNREACHABLE ', 'mended HOST_VERIFIES xs2'],
      exitCode: 0,
    })
  })

  test('a pool whose clock is wrong: the appliance says so once, and that it is right again', async () => {
    await injectFault({ root: pool.root, row: 5, host: 'xs1', variant: undefined })
    const logged: string[] = []
    const root = join(folder, 'appliance')
    const { address, tlsPort } = pool.host('xs1')
    const access = async () => ({
      address,
      port: tlsPort,
      userName: 'root',
      password: pool.document.password,
      trust: { kind: 'none' } as const,
      timeoutMs: 10_000,
    })
    const watching = await poolWatch({
      root,
      log: openLog({ write: (line) => void logged.push(line) }),
      // an hour passes in a fifth of a second
      clock: { ...SYSTEM_CLOCK, schedule: (work, delayMs) => SYSTEM_CLOCK.schedule(work, delayMs / 18_000) },
      stop: () => {},
      place: paths(root),
      settings: { hostname: HOSTNAME, address: '127.0.0.1', port: 8012, userName: 'wlbuser', passwordHash: '' },
      registered: async () => [{ name: 'POOL', access, appliance: undefined }],
    })
    await expect.poll(() => logged.join(''), { timeout: 15_000 }).toContain('clocks of pool and appliance differ')
    await clearFaults(pool.root)
    await expect.poll(() => logged.join(''), { timeout: 15_000 }).toContain('agree again')
    await watching.close?.()
    expect(logged.filter((line) => line.includes('appliance differ'))).toHaveLength(1)
  })

  test('wlb serve watches the pools that registered with it, and stops when it is told to', async () => {
    const received: DatedEvent[] = []
    const hook = createServer(async (request, response) => {
      let body = ''
      for await (const piece of request) body += piece
      received.push(...JSON.parse(body).events)
      response.end()
    }).listen(0, OWN_ADDRESS)
    await new Promise((resolve) => hook.once('listening', resolve))
    const place = hook.address()
    const port = typeof place === 'object' && place ? place.port : 0
    await stage.verify(false)
    await stage.appliance.close()
    appendFileSync(stage.appliance.paths.settings, `\n[watch]\nwebhook = "http://${OWN_ADDRESS}:${port}/"\n`)
    const serving = await runUntilReady(['--root', stage.appliance.root, 'serve'])
    await expect.poll(() => received.length, { timeout: 20_000 }).toBeGreaterThan(0)
    await serving.stop()
    hook.close()
    const uuid = await stage.uuid()
    expect(received.map(({ pool: name, kind, code }) => `${name === uuid} ${kind} ${code}`)).toEqual([
      'true problem VERIFICATION',
    ])
    expect(serving.child.exitCode).toBe(0)
    expect(readFileSync(join(stage.appliance.paths.stateFolder, 'watch/watch.json'), 'utf8')).not.toContain(
      pool.document.password,
    )
  })
})
