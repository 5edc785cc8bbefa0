/**
 * Authorities that differ from pebble: orders that are ready late, lost connections, maintenance, accounts that were
 * deactivated, profiles, and authorities that say when to renew.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { type AcmeSettings, openLog, paths } from '../../../src/config/index.js'
import { startRenewalKeeper } from '../../../src/identity/acme/renewal-keeper.js'
import {
  installObtained,
  obtainCertificate,
  readDirectoryOf,
  readStatus,
  rememberAcme,
} from '../../../src/identity/index.js'
import { requirePart } from '../../real-parts.js'
import { OWN_ADDRESS } from '../../run-folder.js'
import { HOSTNAME, setUpForTests } from '../../server/test-appliance.js'
import { daysFromNow, issue, issueAuthority } from '../../x509/test-authority.js'
import { type Alteration, type AlteredAuthority, type Answer, problem, startAltered } from './altered-authority.js'
import { type Pebble, startPebble } from './pebble.js'

const program = requirePart('pebble')
const root = mkdtempSync(join(tmpdir(), 'openwlb-acme-other-'))
const place = paths(root)
const now = () => new Date()
const PACE = { patienceMs: 20_000, pauseMs: 10 }

/** The first `count` requests that `is` picks are answered by `answer`. */
function first(count: number, is: (path: string) => boolean, answer: () => Answer | 'drop'): Alteration {
  let left = count
  return async ({ path }) => (is(path) && left-- > 0 ? answer() : undefined)
}
const isFinalize = (path: string) => path.startsWith('/finalize-order')
const isOrder = (path: string) => path.startsWith('/my-order')
const isNewOrder = (path: string) => path === '/order-plz'
const isAuthorization = (path: string) => path.startsWith('/authZ')
const maintenance = (): Answer => ({
  status: 503,
  headers: { 'content-type': 'text/html', 'retry-after': '1' },
  body: '<html><body>Down for maintenance.</body></html>',
})

describe.skipIf(!program)('with pebble behind', () => {
  let pebble: Pebble
  let authority: AlteredAuthority
  let settings: AcmeSettings
  const steps: string[] = []

  beforeAll(async () => {
    await setUpForTests(root)
    pebble = await startPebble(program ?? '', { PEBBLE_WFE_NONCEREJECT: '0' })
    const issuer = await issueAuthority({ subject: 'Directory Authority', keyLabel: 'directory-ca' })
    const own = { ipAddresses: [OWN_ADDRESS], dnsNames: ['localhost'], notAfter: daysFromNow(300) }
    const identity = await issue({ subject: 'localhost', issuer, keyLabel: 'altered', ...own })
    authority = await startAltered(pebble.directory, readFileSync(pebble.directoryCa, 'utf8'), identity)
    writeFileSync(join(root, 'ca.pem'), issuer.certificatePem)
    settings = {
      directory: authority.directory,
      email: 'admin@example.com',
      names: [HOSTNAME],
      challenge: { type: 'http-01', address: OWN_ADDRESS, port: pebble.httpPort },
      directoryCa: join(root, 'ca.pem'),
    }
    settings = { ...settings, agreedTerms: (await readDirectoryOf(settings)).terms }
  })
  afterAll(async () => {
    await authority?.close()
    await pebble?.stop()
    rmSync(root, { recursive: true, force: true })
  })
  beforeEach(() => {
    authority.alter(async () => undefined)
    authority.takeAsked()
    steps.splice(0)
  })

  let orders = 0
  /** Each with a name of its own, so that nothing kept from before answers it. */
  const obtain = (change: Partial<AcmeSettings> = {}) =>
    obtainCertificate({
      root,
      settings: { ...settings, names: [HOSTNAME, `n${++orders}.lab.internal`], ...change },
      now,
      pace: PACE,
      onStep: (step) => void steps.push(step),
    })
  const outcome = (action: Promise<{ origin: string }>) =>
    action.then(
      ({ origin }) => origin,
      (error: unknown) => error,
    )

  const passing: [what: string, alteration: () => Alteration][] = [
    [
      'an order that is not ready when it is called so',
      () => first(2, isFinalize, () => problem(403, 'orderNotReady', 'Order is not ready')),
    ],
    ['a connection lost while the order is read', () => first(2, isOrder, () => 'drop')],
    ['a connection lost while a name is proved', () => first(3, isAuthorization, () => 'drop')],
    ['a connection lost while the request is submitted', () => first(1, isFinalize, () => 'drop')],
    [
      'a connection lost while the certificate is fetched',
      () =>
        first(
          1,
          (path) => path.startsWith('/certZ'),
          () => 'drop',
        ),
    ],
    ['a connection lost while the order is made', () => first(1, isNewOrder, () => 'drop')],
    ['maintenance while the order is read', () => first(1, isOrder, maintenance)],
    [
      'the order still called ready after the request was submitted',
      () => {
        let left = 2
        let isSubmitted = false
        return async ({ path }, pass) => {
          if (isFinalize(path)) isSubmitted = true
          if (!isSubmitted || !isOrder(path) || left-- <= 0) return undefined
          const answer = await pass()
          return { ...answer, body: answer.body.replace(/"status": *"(valid|processing)"/, '"status": "ready"') }
        }
      },
    ],
  ]
  it.each(passing)('passes: %s', async (_, alteration) => {
    authority.alter(alteration())
    expect(await outcome(obtain())).toBe('ordered')
  })

  const VISIT = 'https://127.0.0.1/agreement?token=1'
  const refusals: [what: string, alteration: Alteration, expected: object][] = [
    [
      'maintenance',
      first(99, isNewOrder, maintenance),
      { code: 'ACME_UNAVAILABLE', facts: { authoritySays: 'HTTP status 503', retryAfterSeconds: 1 } },
    ],
    [
      'maintenance of all of it',
      first(99, () => true, maintenance),
      { code: 'ACME_UNAVAILABLE', facts: { asked: 'the directory' } },
    ],
    [
      'new terms that are agreed to in a browser',
      first(99, isNewOrder, () => ({
        ...problem(403, 'userActionRequired', 'Terms of service have changed', { instance: VISIT }),
        headers: { link: '<https://127.0.0.1/tos-v9>;rel="terms-of-service"' },
      })),
      { code: 'ACME_TERMS_NOT_AGREED', facts: { visit: VISIT, terms: 'https://127.0.0.1/tos-v9' } },
    ],
    [
      'an account that is bound to nobody',
      first(
        99,
        (path) => path === '/sign-me-up',
        () => problem(403, 'externalAccountRequired', 'No.'),
      ),
      { code: 'ACME_BINDING_REQUIRED' },
    ],
    ['connections that are lost for good', first(99, isNewOrder, () => 'drop'), { code: 'ACME_DIRECTORY_UNREACHABLE' }],
  ]
  it.each(refusals)('is said: %s', async (_, alteration, expected) => {
    authority.alter(alteration)
    expect(await outcome(obtain())).toMatchObject(expected)
  })

  describe('an account that the authority has deactivated', () => {
    const folder = () => join(place.acmeFolder, readdirSync(place.acmeFolder).find((name) => name.includes('-')) ?? '')
    const accountKey = () => readFileSync(join(folder(), 'account.key'), 'utf8')

    test('gives way to a new one, which is said; its key is kept', async () => {
      const before = accountKey()
      authority.alter(
        first(1, isNewOrder, () => problem(403, 'unauthorized', 'Account is not valid, has status "deactivated"')),
      )
      expect(await outcome(obtain())).toBe('ordered')
      expect(steps).toContain('the account was deactivated; a new one')
      expect(accountKey()).not.toBe(before)
      const kept = readdirSync(folder()).filter((name) => name.startsWith('account-deactivated-'))
      expect(kept.map((name) => readFileSync(join(folder(), name), 'utf8'))).toEqual([before])
      expect(createPublicKey(createPrivateKey(accountKey())).asymmetricKeyType).toBe('ec')
    })

    test('in pebble itself', async () => {
      const before = accountKey()
      await deactivate(settings, before)
      expect(await outcome(obtain())).toBe('ordered')
      expect(accountKey()).not.toBe(before)
    })

    test('is not made anew for ever', async () => {
      authority.alter(
        first(99, isNewOrder, () => problem(403, 'unauthorized', 'Account is not valid, has status "deactivated"')),
      )
      expect(await outcome(obtain())).toMatchObject({ code: 'ACME_ACCOUNT_DEACTIVATED' })
      expect(authority.takeAsked().filter(({ path }) => isNewOrder(path))).toHaveLength(2)
    })
  })

  describe('profiles', () => {
    const offering: Alteration = async ({ path }, pass) => {
      if (path !== '/dir') return undefined
      const answer = await pass()
      const document = JSON.parse(answer.body)
      const profiles = { classic: 'as ever', shortlived: 'six days' }
      return { ...answer, body: JSON.stringify({ ...document, meta: { ...document.meta, profiles } }) }
    }
    const orderedProfile = () => authority.takeAsked().find(({ path }) => isNewOrder(path))?.payload

    test('one of those offered is asked for', async () => {
      authority.alter(offering)
      expect((await readDirectoryOf(settings)).profiles).toEqual(['classic', 'shortlived'])
      expect(await outcome(obtain({ profile: 'shortlived' }))).toBe('ordered')
      expect(orderedProfile()).toMatchObject({ profile: 'shortlived' })
    })
    test('one that is not offered: nothing is ordered', async () => {
      authority.alter(offering)
      const facts = { profile: 'other', offered: 'classic, shortlived' }
      expect(await outcome(obtain({ profile: 'other' }))).toMatchObject({ code: 'ACME_PROFILE_UNKNOWN', facts })
      expect(orderedProfile()).toBeUndefined()
    })
    test('an authority without any', async () => {
      const facts = { offered: 'none' }
      expect(await outcome(obtain({ profile: 'classic' }))).toMatchObject({ code: 'ACME_PROFILE_UNKNOWN', facts })
    })
    test('none is asked for unless one is wanted', async () => {
      authority.alter(offering)
      await obtain()
      expect(orderedProfile()).not.toHaveProperty('profile')
    })
  })

  describe('when to renew', () => {
    let window: { start: string; end: string } | 'nothing' | 'drop' = 'nothing'
    const saying: Alteration = async ({ path }, pass) => {
      if (path.startsWith('/renewal/')) {
        if (window === 'drop') return 'drop'
        if (window === 'nothing') return { status: 404, body: '{}' }
        const explanationURL = 'https://127.0.0.1/why'
        return {
          status: 200,
          headers: { 'retry-after': '3600' },
          body: JSON.stringify({ suggestedWindow: window, explanationURL }),
        }
      }
      if (path !== '/dir') return undefined
      const answer = await pass()
      const renewalInfo = authority.directory.replace('/dir', '/renewal')
      return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), renewalInfo }) }
    }
    const logged: string[] = []
    const lookAt = async (at: Date) => {
      const keeper = startRenewalKeeper({
        root,
        now: () => at,
        log: openLog({ write: (line) => void logged.push(line) }),
        pace: PACE,
        schedule: () => () => {},
      })
      await keeper.look()
      await keeper.close()
    }
    const onDisk = () => new X509Certificate(readFileSync(place.certificate)).serialNumber
    const asked = () => authority.takeAsked().filter(({ path }) => path.startsWith('/renewal/')).length
    const hours = (count: number) => new Date(Date.now() + count * 3_600_000)
    const between = (from: number, until: number) => ({
      start: hours(from).toISOString(),
      end: hours(until).toISOString(),
    })

    beforeAll(async () => {
      const chosen = { ...settings, names: [HOSTNAME] }
      await rememberAcme(place, chosen)
      const obtained = await obtainCertificate({ root, settings: chosen, now, pace: PACE })
      await installObtained(root, obtained, chosen, { now: now() })
    })
    beforeEach(() => authority.alter(saying))

    test('nothing is said, or it cannot be asked: two thirds of the lifetime, and it is asked again six hours later', async () => {
      const before = onDisk()
      const { validFrom, validTo } = new X509Certificate(readFileSync(place.certificate))
      const due = Date.parse(validFrom) + ((Date.parse(validTo) - Date.parse(validFrom)) * 2) / 3
      await lookAt(hours(0))
      expect(asked()).toBe(1)
      await lookAt(hours(1))
      expect(asked()).toBe(0)
      window = 'drop'
      await lookAt(hours(7))
      expect(asked()).toBeGreaterThan(0)
      expect((await readStatus(root)).renewal).toMatchObject({ next: new Date(due).toISOString(), failure: null })
      expect(onDisk()).toBe(before)
    })

    test('a window in the future: a moment in it, said by the log and by status', async () => {
      const before = onDisk()
      window = between(100, 200)
      await lookAt(hours(14))
      const next = Date.parse((await readStatus(root)).renewal?.next ?? '')
      expect(next).toBeGreaterThanOrEqual(Date.parse(window.start))
      expect(next).toBeLessThan(Date.parse(window.end))
      expect(logged.join('')).toContain('"explanation":"https://127.0.0.1/why"')
      await lookAt(new Date(next - 60_000))
      expect(onDisk()).toBe(before)
    })

    test('a window that is over: renewed at once, as the one that takes its place', async () => {
      const before = onDisk()
      window = between(-3, -2)
      authority.takeAsked()
      await lookAt(hours(300))
      expect(onDisk()).not.toBe(before)
      const [ordered] = authority.takeAsked().filter(({ path }) => isNewOrder(path))
      expect(ordered?.payload).toMatchObject({ replaces: expect.stringMatching(/^[\w-]+\.[\w-]+$/) })
    })

    test('the authority does not take that hint: ordered without it', async () => {
      window = between(-3, -2)
      authority.alter(async (one, pass) => {
        const { payload } = one
        const isHint = isNewOrder(one.path) && typeof payload === 'object' && payload !== null && 'replaces' in payload
        return isHint ? problem(409, 'alreadyReplaced', 'It was replaced.') : saying(one, pass)
      })
      const before = onDisk()
      await lookAt(hours(1))
      expect(onDisk()).not.toBe(before)
    })
  })
})

/** As its owner does it by other means, with the same key. */
async function deactivate({ directory, directoryCa = '' }: AcmeSettings, accountKey: string): Promise<void> {
  const { withAuthority } = await import('../../../src/identity/acme/authority.js')
  const settings = { directory, directoryCa, email: '', names: [], challenge: { type: 'dns-01', hook: '' } } as const
  const { signal } = new AbortController()
  await withAuthority({ settings, accountKey, signal }, async ({ client }) => {
    await client.createAccount({ termsOfServiceAgreed: true, contact: ['mailto:admin@example.com'] })
    await client.updateAccount({ status: 'deactivated' })
  })
}
