/**
 * Orders to a real ACME authority, pebble, which now and then refuses a nonce on purpose: proofs by HTTP and DNS, what
 * comes into service, what is renewed, held back or refused. No name leads off this machine.
 */

import { webcrypto, X509Certificate } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { type AcmeSettings, type AppliancePaths, openLog, paths } from '../../../src/config/index.js'
import { startRenewalKeeper } from '../../../src/identity/acme/renewal-keeper.js'
import {
  installObtained,
  obtainCertificate,
  readDirectoryOf,
  readStatus,
  rememberAcme,
} from '../../../src/identity/index.js'
import { installIdentity, lockedIdentity } from '../../../src/identity/store/identity-change.js'
import { type RunningAppliance, serve } from '../../../src/server/index.js'
import { checkAsPool, probeServed } from '../../../src/tls/index.js'
import { readPemBlocks } from '../../../src/x509/index.js'
import { freePort } from '../../free-port.js'
import { requirePart } from '../../real-parts.js'
import { OWN_ADDRESS } from '../../run-folder.js'
import { HOSTNAME, setUpForTests } from '../../server/test-appliance.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../../x509/test-authority.js'
import { type Pebble, startPebble } from './pebble.js'

const program = requirePart('pebble')
const root = mkdtempSync(join(tmpdir(), 'openwlb-acme-'))
const place: AppliancePaths = paths(root)
const DAY_MS = 86_400_000
const now = () => new Date()
const PACE = { patienceMs: 20_000, pauseMs: 20 }

let pebble: Pebble
let appliance: RunningAppliance
let settings: AcmeSettings
/** What the appliance's own keeper has logged and what it waits for. */
const logged: string[] = []

describe.skipIf(!program)('with pebble', () => {
  beforeAll(async () => {
    pebble = await startPebble(program ?? '', { PEBBLE_WFE_NONCEREJECT: '20', PEBBLE_ALTERNATE_ROOTS: '1' })
    await setUpForTests(root)
    // without the part that renews: each test looks when it wants to
    appliance = await serve({ root, log: openLog({ write: (line) => void logged.push(line) }) })
    settings = {
      directory: pebble.directory,
      email: 'admin@example.com',
      names: [HOSTNAME],
      challenge: { type: 'http-01', address: OWN_ADDRESS, port: pebble.httpPort },
      directoryCa: pebble.directoryCa,
      agreedTerms: undefined,
    }
    settings = { ...settings, agreedTerms: (await readDirectoryOf(settings)).terms }
  })
  afterAll(async () => {
    await appliance?.close()
    await pebble?.stop()
    rmSync(root, { recursive: true, force: true })
  })

  const obtain = (change: Partial<AcmeSettings> = {}, rest: { hookTimeoutMs?: number } = {}) =>
    obtainCertificate({ root, settings: { ...settings, ...change }, now, pace: PACE, ...rest })
  const dns = () => ({ challenge: { type: 'dns-01', hook: pebble.hook } }) as const
  const refusal = (action: Promise<unknown>) =>
    action.then(
      () => 'done',
      (error: unknown) => error,
    )
  const served = async () => {
    const answer = await probeServed({ address: OWN_ADDRESS, port: appliance.port, timeoutMs: 5000 })
    return answer.state === 'served' ? answer.fingerprintSha256 : answer.why
  }
  const onDisk = () => new X509Certificate(readFileSync(place.certificate))
  /** Certificates with and without what a pool needs, put in place as if the authority had issued them. */
  const putInPlace = async (leaf: Issued, ...above: readonly { certificatePem: string }[]) => {
    const certificatePem = [leaf, ...above].map((one) => one.certificatePem).join('')
    const identity = { certificatePem, privateKeyPem: leaf.privateKeyPem }
    await lockedIdentity(place, () => installIdentity(place, identity, { how: 'acme', now: now() }))
    await appliance.reload()
  }
  const leafBy = (issuer: Issued) =>
    issue({
      subject: HOSTNAME,
      dnsNames: [HOSTNAME],
      keyLabel: 'acme-leaf',
      issuer,
      notBefore: daysFromNow(-80),
      notAfter: daysFromNow(10),
      keyUsage: ['digitalSignature', 'keyEncipherment'],
      extendedKeyUsage: ['serverAuth'],
    })

  test('proved by HTTP, put in place, served, and accepted by a pool that trusts the authority’s root', async () => {
    const before = await served()
    const obtained = await obtain()
    expect(await served(), 'nothing changes before it is installed').toBe(before)
    expect(obtained).toMatchObject({ origin: 'ordered', isAnchorKept: false })
    await rememberAcme(place, settings)
    const { activation } = await installObtained(root, obtained, settings, { now: now() })
    expect(activation.state).toBe('proved')
    expect(await served()).toBe(obtained.plan.chain.leaf.fingerprint256)
    expect(obtained.plan.chain.leaf.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048)

    const presented = readPemBlocks(readFileSync(place.certificate, 'utf8')).map(({ der }) => new X509Certificate(der))
    const bundle = Buffer.from(await pebble.rootPem())
    const at = new Date(obtained.plan.chain.leaf.validFrom)
    const question = { presented, crls: undefined, name: HOSTNAME, now: at, port: appliance.port }
    expect(checkAsPool({ ...question, bundle })).toMatchObject({ accepted: true })
    expect(obtained.anchor.name).toBe(`CN=${new X509Certificate(bundle).subject.slice(3)}`)
  })

  test('keys are for their owner alone, and nothing is pending any more', () => {
    const [folder = ''] = readdirSync(place.acmeFolder)
    const files = readdirSync(join(place.acmeFolder, folder))
    expect(files).toEqual(['account.key'])
    expect(statSync(join(place.acmeFolder, folder, 'account.key')).mode & 0o777).toBe(0o600)
    expect(statSync(place.acmeFolder).mode & 0o777).toBe(0o700)
  })

  test('wlb status tells of the next renewal, two thirds of the lifetime after it began', async () => {
    const { validFrom, validTo } = onDisk()
    const due = Date.parse(validFrom) + ((Date.parse(validTo) - Date.parse(validFrom)) * 2) / 3
    expect((await readStatus(root)).renewal).toMatchObject({
      next: new Date(due).toISOString(),
      failure: null,
      held: null,
    })
  })

  test('what was issued and not installed is taken up again, and nothing is ordered twice', async () => {
    const first = await obtain({ names: [HOSTNAME, 'second.lab.internal'] })
    const again = await obtain({ names: [HOSTNAME, 'second.lab.internal'] })
    expect(first).toMatchObject({ origin: 'ordered', isAnchorKept: true })
    expect(again.origin).toBe('kept')
    expect(again.plan.chain.leaf.fingerprint256).toBe(first.plan.chain.leaf.fingerprint256)
  })

  test('proved by DNS: a wildcard and the name beside it, and the records are taken out again', async () => {
    const obtained = await obtain({ ...dns(), names: ['*.site.lab.internal', HOSTNAME, 'site.lab.internal'] })
    expect(obtained.origin, 'other names are another order').toBe('ordered')
    expect(obtained.plan.chain.leaf.subjectAltName?.split(', ').sort()).toEqual([
      'DNS:*.site.lab.internal',
      'DNS:site.lab.internal',
      `DNS:${HOSTNAME}`,
    ])
    const calls = readFileSync(pebble.hookLog, 'utf8').trim().split('\n')
    const names = new Set(calls.map((line) => line.split(' ').slice(0, 2).join(' ')))
    expect(calls).toHaveLength(6)
    expect([...names].sort()).toEqual([
      'add _acme-challenge.site.lab.internal',
      `add _acme-challenge.${HOSTNAME}`,
      'remove _acme-challenge.site.lab.internal',
      `remove _acme-challenge.${HOSTNAME}`,
    ])
    for (const line of calls) expect(line.split(' = ')[0]).toBe(line.split(' = ')[1])
    expect(readFileSync(pebble.dnsFile, 'utf8')).toBe('')
  })

  describe('refused', () => {
    let before: string
    beforeEach(async () => {
      before = await served()
    })
    const expectUnchanged = async () => expect(await served()).toBe(before)

    test('a proof that the authority cannot see: its own words, and what to look at', async () => {
      const port = await freePort() // not the one the authority asks
      const challenge = { type: 'http-01', address: OWN_ADDRESS, port } as const
      expect(await refusal(obtain({ challenge, names: [HOSTNAME, 'a.lab.internal'] }))).toMatchObject({
        code: 'ACME_CHALLENGE_FAILED',
        facts: {
          name: expect.stringMatching(/lab\.internal$/),
          type: 'http-01',
          authoritySays: expect.stringContaining('connection refused'),
          check: expect.stringContaining('nobody has asked for the proof here'),
        },
      })
      await expectUnchanged()
    })

    const hooks: [what: string, script: string, facts: object][] = [
      ['ends with 3', 'echo no such zone >&2; exit 3', { exitCode: 3, output: 'no such zone' }],
      ['does not end', 'sleep 60', { output: expect.stringContaining('not done after 300 ms') }],
    ]
    it.each(hooks)('a hook that %s', async (_, script, facts) => {
      const hook = join(root, 'hook')
      writeFileSync(hook, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
      const names = [HOSTNAME, 'b.lab.internal']
      const change = { challenge: { type: 'dns-01', hook }, names } as const
      expect(await refusal(obtain(change, { hookTimeoutMs: 300 }))).toMatchObject({ code: 'ACME_HOOK_FAILED', facts })
      await expectUnchanged()
    })

    test('a hook that does nothing', async () => {
      const challenge = { type: 'dns-01', hook: '/bin/true' } as const
      expect(await refusal(obtain({ challenge, names: [HOSTNAME, 'c.lab.internal'] }))).toMatchObject({
        code: 'ACME_CHALLENGE_FAILED',
        facts: { type: 'dns-01', check: expect.stringContaining('dig TXT _acme-challenge.') },
      })
    })

    const others: [what: string, code: string, change: () => Partial<AcmeSettings> | Promise<Partial<AcmeSettings>>][] =
      [
        [
          'nobody there',
          'ACME_DIRECTORY_UNREACHABLE',
          async () => ({ directory: `https://${OWN_ADDRESS}:${await freePort()}/dir` }),
        ],
        ['a directory that is not trusted', 'ACME_DIRECTORY_UNTRUSTED', () => ({ directoryCa: undefined })],
        ['a trust file without a certificate', 'ACME_DIRECTORY_CA_UNUSABLE', () => ({ directoryCa: pebble.hook })],
        ['a trust file that is not there', 'FILE_MISSING', () => ({ directoryCa: '/nowhere/ca.pem' })],
        ['a page that is no directory', 'ACME_DIRECTORY_UNUSABLE', () => ({ directory: `${pebble.directory}ectory` })],
        ['terms not agreed to', 'ACME_TERMS_NOT_AGREED', () => ({ agreedTerms: undefined })],
        [
          'other terms agreed to',
          'ACME_TERMS_NOT_AGREED',
          () => ({ agreedTerms: 'https://example.com/terms-of-2020' }),
        ],
        [
          'a name the authority does not issue for',
          'ACME_ORDER_REFUSED',
          () => ({ names: [HOSTNAME, 'www.blocked.test'] }),
        ],
        [
          'a contact it does not take',
          'ACME_ACCOUNT_REFUSED',
          () => ({ email: 'no address', names: [HOSTNAME, 'e.lab.internal'] }),
        ],
        [
          'a hook that is not there',
          'ACME_HOOK_UNUSABLE',
          () => ({ challenge: { type: 'dns-01', hook: '/nowhere/dns' }, names: [HOSTNAME, 'f.lab.internal'] }),
        ],
        [
          'an address of another machine',
          'ACME_ADDRESS_UNUSABLE',
          () => ({
            challenge: { type: 'http-01', address: '192.0.2.1', port: 80 },
            names: [HOSTNAME, 'e.lab.internal'],
          }),
        ],
        [
          'a certificate without the host name',
          'ACME_CERTIFICATE_REFUSED',
          () => ({ names: ['elsewhere.lab.internal'] }),
        ],
      ]
    it.each(others)('%s: %s', async (_, code, change) => {
      expect(await refusal(obtain(await change()))).toMatchObject({ code })
      await expectUnchanged()
    })

    test('what a pool would refuse is kept to be looked at, and not taken up again', async () => {
      const [folder = ''] = readdirSync(place.acmeFolder).filter((name) =>
        existsSync(join(place.acmeFolder, name, 'refused.pem')),
      )
      expect(new X509Certificate(readFileSync(join(place.acmeFolder, folder, 'refused.pem'))).subjectAltName).toBe(
        'DNS:elsewhere.lab.internal',
      )
      expect(readdirSync(join(place.acmeFolder, folder))).not.toContain('pending.pem')
    })

    test('a port that is taken, before anything is ordered', async () => {
      const other = createServer().listen(pebble.httpPort, OWN_ADDRESS)
      expect(await refusal(obtain())).toMatchObject({ code: 'ACME_PORT_IN_USE', facts: { port: pebble.httpPort } })
      other.close()
    })
  })

  describe('renewed by the appliance', () => {
    const lines = () => logged.splice(0).map((line): Record<string, unknown> => JSON.parse(line))
    const keep = (at: Date, more: Partial<Parameters<typeof startRenewalKeeper>[0]> = {}) => {
      const delays: number[] = []
      const keeper = startRenewalKeeper({
        root,
        now: () => at,
        log: openLog({ write: (line) => void logged.push(line) }),
        pace: PACE,
        schedule: (_, delayMs) => {
          delays.push(delayMs)
          return () => {}
        },
        ...more,
      })
      return { keeper, delays }
    }
    beforeEach(() => void logged.splice(0))

    test('not before two thirds of the lifetime', async () => {
      const before = await served()
      const { validFrom, validTo } = onDisk()
      const [from, until] = [Date.parse(validFrom), Date.parse(validTo)]
      const { keeper } = keep(new Date(from + (until - from) * 0.66))
      await keeper.look()
      await keeper.close()
      expect(await served()).toBe(before)
    })

    const LATER = new Date(Date.now() + 4 * 365 * DAY_MS)
    const MINUTE_MS = 60_000

    test('a failure is logged with its code, told by status, tried again later, and breaks nothing', async () => {
      const before = await served()
      const other = createServer().listen(pebble.httpPort, OWN_ADDRESS)
      const { keeper, delays } = keep(LATER)
      await keeper.look()
      await keeper.look() // too early: nothing is tried
      await keeper.close()
      other.close()
      const errors = lines().filter(({ level }) => level === 'error')
      expect(errors).toMatchObject([{ code: 'ACME_PORT_IN_USE', failures: 1 }])
      expect((await readStatus(root)).renewal?.failure).toMatchObject({ code: 'ACME_PORT_IN_USE', count: 1 })
      expect(delays).toEqual([0, 15 * MINUTE_MS, 15 * MINUTE_MS])
      expect(await served()).toBe(before)
    })

    test('after a quarter of an hour it is renewed, by the same anchor, and the failure is forgotten', async () => {
      const before = await served()
      const { keeper, delays } = keep(new Date(LATER.getTime() + 16 * MINUTE_MS))
      await keeper.look()
      await keeper.close()
      expect(await served()).not.toBe(before)
      const renewed = lines().filter(({ msg }) => msg === 'the certificate was renewed')
      expect(renewed).toMatchObject([{ fingerprintSha256: await served() }])
      expect(delays).toEqual([0, 15 * MINUTE_MS]) // new by the real clock is old by this one: no hurry
      expect((await readStatus(root)).renewal?.failure).toBeNull()
    })

    test('below another anchor it is held back until somebody says that pools trust it', async () => {
      const authority = await issueAuthority({ subject: 'Old Root', keyKind: 'ec', keyIdentifiers: true })
      await putInPlace(await leafBy(authority), authority)
      const before = await served()
      const { keeper } = keep(now())
      await keeper.look()
      await keeper.look()
      await keeper.close()
      expect(await served()).toBe(before)
      expect(lines().filter(({ code }) => code)).toMatchObject([
        { level: 'warn', code: 'ACME_ANCHOR_CHANGED', anchorBefore: 'CN=Old Root', remedy: 'wlb trust renew' },
      ])
      const { renewal } = await readStatus(root)
      expect(renewal?.held).toMatchObject({ anchor: expect.stringContaining('Pebble Root') })

      const anchorInstaller = {
        isUnfinished: async () => false,
        install: async () => ({ state: 'not needed' }) as const,
      }
      const told = keep(now(), { anchorInstaller })
      await told.keeper.look()
      await told.keeper.close()
      expect(await served(), 'the very one that was held back').toBe(renewal?.held?.fingerprintSha256)
      expect((await readStatus(root)).renewal?.held).toBeNull()
    })

    test('of the chains offered the one is taken that leads to the root pools trust already', async () => {
      const pems = await pebble.otherRoot()
      const certificate = new X509Certificate(pems.certificatePem)
      const publicKey = await webcrypto.subtle.importKey(
        'spki',
        certificate.publicKey.export({ type: 'spki', format: 'der' }),
        { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
        true,
        ['verify'],
      )
      const other: Issued = { ...pems, certificate, publicKey, keyKind: 'rsa2048' }
      await putInPlace(await leafBy(other), other)
      const { keeper } = keep(now())
      await keeper.look()
      await keeper.close()
      expect(await served()).toBe(onDisk().fingerprint256)
      const chain = readPemBlocks(readFileSync(place.certificate, 'utf8')).map(({ der }) => new X509Certificate(der))
      expect(chain.map(({ issuer }) => issuer).at(-2)).toBe(certificate.subject)
      expect(chain.at(-1)?.fingerprint256, 'the root before, taken along').toBe(certificate.fingerprint256)
      expect(chain[0]?.issuer).toContain('Pebble Intermediate')
      expect(new X509Certificate(await pebble.rootPem()).subject).not.toBe(certificate.subject)
    })

    test('what its owner has put in place is its owner’s to renew', async () => {
      const authority = await issueAuthority({ subject: 'Old Root', keyKind: 'ec', keyIdentifiers: true })
      const leaf = await leafBy(authority)
      const identity = {
        certificatePem: leaf.certificatePem + authority.certificatePem,
        privateKeyPem: leaf.privateKeyPem,
      }
      await lockedIdentity(place, () => installIdentity(place, identity, { how: 'install', now: now() }))
      await appliance.reload()
      const { keeper } = keep(now())
      await keeper.look()
      await keeper.close()
      expect(await served()).toBe(leaf.certificate.fingerprint256)
      expect((await readStatus(root)).renewal?.next).toBeNull()
    })

    test('closed while an order is under way, it breaks off and counts no failure', async () => {
      const authority = await issueAuthority({ subject: 'Old Root', keyKind: 'ec', keyIdentifiers: true })
      await putInPlace(await leafBy(authority), authority)
      const hook = join(root, 'slow-hook')
      const started = join(root, 'hook-started')
      writeFileSync(hook, `#!/bin/sh\necho > ${started}\nsleep 60\n`, { mode: 0o700 })
      await rememberAcme(place, {
        ...settings,
        challenge: { type: 'dns-01', hook },
        names: [HOSTNAME, 'd.lab.internal'],
      })
      const { keeper } = keep(now())
      const looking = keeper.look()
      await expect.poll(() => existsSync(started), { timeout: 20_000 }).toBe(true)
      await keeper.close()
      await looking
      expect((await readStatus(root)).renewal?.failure).toBeNull()
      expect(lines().filter(({ level }) => level === 'error')).toEqual([])
    })
  })
})
