/**
 * An ACME authority changes its root, and two pools have to trust the new one before it is served: brought by an operator, by
 * the appliance itself, held back by one pool, interrupted, killed, refused and taken back. The authority is pebble.
 */
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { startSteadyClient } from '../../src/cli/demo/steady-client.js'
import { type AcmeSettings, openLog, paths } from '../../src/config/index.js'
import {
  type AnchorInstaller,
  installIdentity,
  listIdentities,
  lockedIdentity,
  readDirectoryOf,
  readStatus,
  rememberAcme,
  startRenewalKeeper,
} from '../../src/identity/index.js'
import {
  type AnchorPart,
  anchorInstaller,
  type RunningAppliance,
  renewal as renewalPart,
  serve,
  serviceParts,
} from '../../src/server/index.js'
import { isAnchorUnfinished, placeHere, readPoolNow, renew, undoLast } from '../../src/trust/index.js'
import { openJournal } from '../../src/trust/run/journal.js'
import { configFolder, openPool } from '../../src/xapi/index.js'
import { run, runUntilReady } from '../cli/program.js'
import { type Pebble, startPebble } from '../identity/acme/pebble.js'
import { buildHostProgram } from '../lab/lab-program.js'
import { TestPool } from '../lab/test-pool.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { HOSTNAME, PASSWORD, setUpForTests, USER_NAME } from '../server/test-appliance.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../x509/test-authority.js'

const program = requirePart('pebble')
const hostProgram = buildHostProgram()
const root = mkdtempSync(join(tmpdir(), 'openwlb-bring-'))
const place = paths(root)
const QUARTER_MS = 15 * 60_000 + 1000
const LEGACY = 'etc/stunnel/certs'

describe.skipIf(!program)('with pebble', () => {
  const [first, second] = [new TestPool(hostProgram), new TestPool(hostProgram)]
  let pebble: Pebble
  let appliance: RunningAppliance
  let bringer: AnchorInstaller
  let settings: AcmeSettings
  let oldRoot: Issued
  let oldLeaf: Issued
  const logged: string[] = []
  /** `POOL STEP`, after which the appliance is told to stop. */
  let stopAfter = ''
  let stop = new AbortController()
  let onStep: (step: string) => void = () => {}

  const log = openLog({
    write: (line) => {
      logged.push(line)
      const { step, poolUuid } = JSON.parse(line)
      if (step === undefined) return
      const name = `${poolUuid === uuids[0] ? 'first' : 'second'} ${step}`
      onStep(name)
      if (name === stopAfter) stop.abort()
    },
  })
  const lines = () => logged.map((line) => JSON.parse(line))
  let uuids: string[] = []

  beforeAll(async () => {
    process.env.XDG_CONFIG_HOME = join(root, 'config')
    pebble = await startPebble(program ?? '')
    await setUpForTests(root)
    await Promise.all([
      first.up({ hosts: 1, tlsClient: 'node', addHosts: [{ name: HOSTNAME, address: OWN_ADDRESS }] }),
      second.up({ hosts: 2, tlsClient: 'node', addHosts: [{ name: HOSTNAME, address: OWN_ADDRESS }] }),
    ])
    const directoryCa = join(root, 'directory-ca.pem')
    writeFileSync(directoryCa, readFileSync(pebble.directoryCa, 'utf8') + (await pebble.rootPem()))
    const challenge = { type: 'http-01', address: OWN_ADDRESS, port: pebble.httpPort } as const
    settings = { directory: pebble.directory, email: 'admin@example.com', names: [HOSTNAME], challenge, directoryCa }
    settings = { ...settings, agreedTerms: (await readDirectoryOf(settings)).terms }
    oldRoot = await issueAuthority({ subject: 'Old Root', keyIdentifiers: true })
    oldLeaf = await issue({
      subject: HOSTNAME,
      dnsNames: [HOSTNAME],
      keyLabel: 'old-leaf',
      issuer: oldRoot,
      notBefore: daysFromNow(-80),
      notAfter: daysFromNow(10),
    })
    await start()
    for (const pool of [first, second]) {
      await set(pool, 'wlb_verify_cert', false)
      await connect(pool)
      await set(pool, 'wlb_enabled', true)
    }
    uuids = await Promise.all([first, second].map(async (pool) => (await record(pool)).uuid))
    await asBefore()
  })
  afterAll(async () => {
    await appliance?.close()
    await Promise.all([first.remove(), second.remove()])
    await pebble?.stop()
    rmSync(root, { recursive: true, force: true })
  })
  beforeEach(() => {
    logged.splice(0)
    stopAfter = ''
    stop = new AbortController()
    onStep = () => {}
  })

  /** The product's parts, with an installer that each test can interrupt. */
  const installing = serviceParts.add(anchorInstaller).add(async ({ anchorInstaller: opened }: AnchorPart) => {
    bringer = { ...opened, install: () => opened.install(stop.signal) }
    return { provides: { anchorInstaller: bringer } }
  })

  /** Without the part that renews: each test looks when it wants to. */
  async function start(): Promise<void> {
    appliance = await serve({ root, log }, installing)
  }

  async function connect(pool: TestPool, user: { username: string; password: string } = pool.document): Promise<void> {
    const url = `${HOSTNAME}:${appliance.port}`
    await pool.call('xs1', 'pool.initialize_wlb', url, USER_NAME, PASSWORD, user.username, user.password)
  }

  async function record(pool: TestPool): Promise<{ ref: string; uuid: string }> {
    const [[ref = '', found] = []] = Object.entries(await pool.call('xs1', 'pool.get_all_records'))
    return { ref, uuid: String(Object(found).uuid) }
  }

  async function set(pool: TestPool, what: string, value: boolean): Promise<void> {
    await pool.call('xs1', `pool.set_${what}`, (await record(pool)).ref, value)
  }

  /** The old certificate serves, both pools trust its root and nothing else, and nobody is in the middle of anything. */
  async function asBefore(): Promise<void> {
    rmSync(join(root, 'config'), { recursive: true, force: true })
    rmSync(join(root, 'etc/openwlb/acme'), { recursive: true, force: true })
    const identity = {
      certificatePem: oldLeaf.certificatePem + oldRoot.certificatePem,
      privateKeyPem: oldLeaf.privateKeyPem,
    }
    await lockedIdentity(place, () => installIdentity(place, identity, { how: 'acme', now: new Date() }))
    await appliance.reload()
    for (const pool of [first, second]) {
      await set(pool, 'wlb_verify_cert', false)
      for (const name of store(pool).split(' ').filter(Boolean))
        await pool.call('xs1', 'pool.uninstall_ca_certificate', name)
      await pool.call('xs1', 'pool.install_ca_certificate', 'old.pem', oldRoot.certificatePem)
      await pool.call('xs1', 'pool.certificate_sync')
      await set(pool, 'wlb_verify_cert', true)
    }
    await rememberAcme(place, { ...settings, bringsAnchor: true })
  }

  const store = (pool: TestPool) => pool.files('xs1', LEGACY)
  const stores = () => `${store(first)} | ${store(second)}`
  const inPlace = async () => (await listIdentities(root)).find((one) => one.isInPlace)
  const isOld = async () => (await inPlace())?.fingerprintSha256 === oldLeaf.certificate.fingerprint256
  const renewal = async () => (await readStatus(root)).renewal
  const OLD = 'old.pem | old.pem'
  const NEW = 'root_ca.pem | root_ca.pem'
  const BOTH = 'old.pem root_ca.pem | old.pem root_ca.pem'

  /** As the keeper of `wlb serve` looks. */
  async function look(change: Partial<Parameters<typeof startRenewalKeeper>[0]> = {}): Promise<void> {
    const keeper = startRenewalKeeper({
      root,
      log,
      anchorInstaller: bringer,
      now: () => new Date(),
      schedule: () => () => {},
      pace: { patienceMs: 20_000, pauseMs: 20 },
      ...change,
    })
    await keeper.look()
    await keeper.close()
  }

  async function asOperator<T>(
    pool: TestPool,
    work: (session: Awaited<ReturnType<typeof openPool>>, common: Common) => Promise<T>,
  ): Promise<T> {
    const { address, tlsPort } = pool.host('xs1')
    const { username: userName, password } = pool.document
    const access = { address, port: tlsPort, userName, password, trust: { kind: 'none' }, timeoutMs: 10_000 } as const
    const session = await openPool(access)
    const common = {
      appliance: { host: OWN_ADDRESS, port: appliance.port },
      home: configFolder(),
      name: undefined,
      wlbUserName: undefined,
      wlbPassword: undefined,
      poolUser: { userName, password },
    }
    try {
      return await work(session, common)
    } finally {
      await session.close()
    }
  }
  type Common = Pick<
    Parameters<typeof renew>[1],
    'appliance' | 'home' | 'name' | 'wlbUserName' | 'wlbPassword' | 'poolUser'
  >

  const renewByHand = (pool: TestPool, otherPoolsReady = false) =>
    asOperator(pool, async (session, common) => {
      const given = { files: [], keyFile: undefined, passphrase: undefined }
      const request = { ...common, place: placeHere(root), given, otherPoolsReady, now: new Date() }
      const outcome = await renew(session, request, await readPoolNow(session), async () => true, {})
      return outcome?.reports.map(({ id, state }) => `${id} ${state}`).join(', ')
    })

  const undoByHand = (pool: TestPool) =>
    asOperator(pool, async (session, common) => {
      const request = { ...common, applianceRoot: root, fingerprintSha256: undefined, allowDown: false }
      await undoLast(session, request, await readPoolNow(session), async () => true, {})
    })

  test('by an operator: wlb trust renew takes up what was issued and held back, and it is renewed on', async () => {
    await rememberAcme(place, { ...settings, bringsAnchor: false })
    await set(second, 'wlb_verify_cert', false)
    await look()
    const { held } = (await renewal()) ?? {}
    expect(held?.because).toMatchObject({ pool: '', remedy: 'wlb trust renew' })
    expect([stores(), await isOld()]).toEqual([OLD, true])
    expect(await renewByHand(first, true)).toBe(
      'install-root done, list done, sync done, prove-old done, identity done, prove-new done, uninstall done, sync-last done, prove-last done, ask done',
    )
    expect(await inPlace()).toMatchObject({ fingerprintSha256: held?.fingerprintSha256, how: 'acme' })
    expect(await renewal()).toMatchObject({ held: null, failure: null, next: expect.any(String) })
    expect(stores()).toBe('root_ca.pem | old.pem')

    await undoByHand(first)
    expect(await inPlace()).toMatchObject({ fingerprintSha256: oldLeaf.certificate.fingerprint256, how: 'acme' })
    await asBefore()
  })

  const secondPool = () => ({ uuid: uuids[1] ?? '', name: 'second' })
  const hindrances: [what: string, code: string, make: () => Promise<() => Promise<void>>][] = [
    [
      'its user may only read',
      'RBAC_PERMISSION_DENIED',
      async () => {
        await connect(second, second.document.reader ?? undefined)
        return () => connect(second)
      },
    ],
    [
      'it is paused',
      'WLB_PAUSED',
      async () => {
        await set(second, 'wlb_enabled', false)
        return () => set(second, 'wlb_enabled', true)
      },
    ],
    [
      'an operator is at work there',
      'TRUST_BUSY',
      async () => {
        const journal = await openJournal(secondPool())
        return () => journal.close()
      },
    ],
    [
      'an operator was at work there, and was cut short',
      'ANOTHER_RUN_OPEN',
      async () => {
        const journal = await openJournal(secondPool())
        journal.begin('apply', null, new Date())
        await journal.write({ id: 'sync', kind: 'sync', isDue: true }, 'doing')
        await journal.close()
        return async () => rmSync(journal.folder, { recursive: true })
      },
    ],
    [
      'its host is gone',
      'CONNECT_REFUSED',
      async () => {
        await second.fault('stop', 'xs1')
        return () => second.fault('start', 'xs1')
      },
    ],
  ]
  it.each(hindrances)('held back, no pool is changed, and the pool is named: %s', async (_, code, make) => {
    const mend = await make()
    await look()
    await look()
    await mend()
    expect([stores(), await isOld()]).toEqual([OLD, true])
    const { held, failure } = (await renewal()) ?? {}
    expect(held?.because).toMatchObject({ pool: uuids[1], code })
    expect(failure).toBeNull()
    const warnings = lines().filter(({ level, msg }) => level === 'warn' && msg.includes('held back'))
    expect(warnings, 'said once').toMatchObject([{ pool: uuids[1], because: code, remedy: expect.any(String) }])
  })

  test('wlb status: which pool is the reason, and what to type', async () => {
    const { stdout } = await run('wlb', ['--root', root, 'status'])
    expect(stdout).toMatch(
      new RegExp(
        `HELD BACK: +a new certificate, .*Pebble Root.*which pool ${uuids[1]} does not: .* \\[CONNECT_REFUSED\\]: \\S+`,
      ),
    )
  })

  test('interrupted after step upon step, it goes on; no connection fails; the old root is gone in the end', async () => {
    const client = startSteadyClient({
      hostRoot: second.host('xs2').root,
      name: HOSTNAME,
      address: OWN_ADDRESS,
      port: appliance.port,
    })
    const stops: [after: string, state: string, serves: 'old' | 'new'][] = [
      ['second prove-old', BOTH, 'old'],
      ['first identity', BOTH, 'new'],
      ['first uninstall', 'root_ca.pem | old.pem root_ca.pem', 'new'],
    ]
    for (const [after, state, serves] of stops) {
      stopAfter = after
      stop = new AbortController()
      await look()
      expect([stores(), (await isOld()) ? 'old' : 'new'], after).toEqual([state, serves])
      expect(await bringer.isUnfinished(), after).toBe(true)
    }
    stop = new AbortController()
    stopAfter = ''
    await expect(renewByHand(first), 'not as if there were one pool').rejects.toMatchObject({
      code: 'RENEW_OTHER_POOLS',
    })
    await look()
    await expect(undoByHand(first), 'the other would refuse it').rejects.toMatchObject({ code: 'UNDO_OTHER_POOLS' })
    const { failures, verified } = await client.stop()
    expect(failures).toEqual([])
    expect(verified).toBeGreaterThan(20)
    expect(stores()).toBe(NEW)
    expect(await bringer.isUnfinished()).toBe(false)
    expect(await renewal()).toMatchObject({ held: null, failure: null, unfinished: null })
    expect(lines().filter(({ msg }) => msg === 'the certificate was renewed')).toHaveLength(1)
    await asBefore()
  })

  test('a host of the last pool refuses: the old one serves in all of them, and a quarter of an hour later it is tried again', async () => {
    // as after a restore of that host from a backup
    onStep = (step) => {
      if (step !== 'second prove-old') return
      rmSync(second.path('xs2', `${LEGACY}/root_ca.pem`))
      writeFileSync(second.path('xs2', 'etc/stunnel/xapi-stunnel-ca-bundle.pem'), oldRoot.certificatePem)
    }
    await look()
    onStep = () => {}
    expect(await isOld()).toBe(true)
    expect(await renewal()).toMatchObject({
      held: { because: { pool: uuids[1], code: 'HOSTS_REFUSE' } },
      failure: { code: 'HOSTS_REFUSE', count: 1 },
    })
    const before = logged.length
    await look()
    expect(logged.slice(before), 'too early').toEqual([])
    await look({ now: () => new Date(Date.now() + QUARTER_MS) })
    expect([stores(), await isOld()]).toEqual([NEW, false])
    expect(await renewal()).toMatchObject({ held: null, failure: null })
    await asBefore()
  })

  test('wlb serve, killed where it counts and started again, ends it by itself', {
    tags: 'long',
  }, async () => {
    await appliance.close()
    const env = { XDG_CONFIG_HOME: join(root, 'config') }
    const killed = await runUntilReady(['--root', root, 'serve'], env)
    await expect.poll(killed.said, { timeout: 20_000, interval: 5 }).toContain('"step":"identity"')
    killed.child.kill('SIGKILL')
    await once(killed.child, 'exit')
    const isUnfinished = () => isAnchorUnfinished(uuids, { root, home: configFolder() })
    expect([await isOld(), await isUnfinished()]).toEqual([false, true])
    appliance = await serve({ root, log }, installing.add(renewalPart))
    await expect.poll(isUnfinished, { timeout: 20_000 }).toBe(false)
    expect(stores()).toBe(NEW)
  })
})
