/** From words to steps: what is served, what the pool has, what is given and vouched for; the plan, or why there is none. */
import type { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { readHostAddress } from '../../src/base/names/host-address.js'
import type { Connection, HostProof } from '../../src/trust/connection/connection.js'
import { NOT_YET, withoutProofs } from '../../src/trust/connection/predict.js'
import { decideTrust, type GoalKind } from '../../src/trust/plan/decide-trust.js'
import { readMaterial } from '../../src/trust/plan/material.js'
import { chooseStoreName } from '../../src/trust/plan/needed-certificates.js'
import { makePlan } from '../../src/trust/plan/plan.js'
import type { HostFacts, InstalledCertificate } from '../../src/xapi/index.js'
import { verifiesByPeer } from '../../src/xapi/index.js'
import { daysFromNow, type Issued, issue, issueAuthority, issueCrl, TEST_NOW } from '../x509/test-authority.js'

const NAME = 'wlb.example.com'
const OTHER_NAME = 'another.example.com'
/** Whoever is spoken of by a word. */
const cast = new Map<string, Issued>()
const lists = new Map<string, string>()

beforeAll(async () => {
  const root = await issueAuthority({ subject: 'Root' })
  const mid = await issueAuthority({ subject: 'Mid', issuer: root })
  const leaf = { subject: NAME, issuer: mid, dnsNames: [NAME] }
  const ca = true
  const people: readonly [word: string, certificate: Promise<Issued>][] = [
    ['self', issue({ subject: NAME, dnsNames: [NAME], ca })],
    ['self-before', issue({ subject: NAME, dnsNames: [NAME], ca, keyLabel: 'before' })],
    ['self-weak', issue({ subject: NAME, dnsNames: [NAME], ca, keyKind: 'rsa1024', keyLabel: 'weak' })],
    ['leaf', issue(leaf)],
    ['leaf-before', issue({ ...leaf, keyLabel: 'leaf before' })],
    ['leaf-expired', issue({ ...leaf, notAfter: daysFromNow(-1), notBefore: daysFromNow(-9) })],
    ['other-root', issueAuthority({ subject: 'Other Root' })],
    ['rekeyed-root', issueAuthority({ subject: 'Root', keyLabel: 'rekeyed' })],
  ]
  cast.set('root', root).set('mid', mid)
  for (const [word, certificate] of people) cast.set(word, await certificate)
  const past = { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) }
  lists.set('crl-mid', await issueCrl(mid))
  lists.set('crl-root', await issueCrl(root))
  lists.set('crl-expired', await issueCrl(mid, past))
  lists.set('crl-early', await issueCrl(mid, { thisUpdate: daysFromNow(2) }))
  lists.set('crl-forged', await issueCrl(mid, { signedBy: root }))
  lists.set('crl-revoking', await issueCrl(mid, { revoked: [person('leaf')] }))
})

function person(word: string): Issued {
  const found = cast.get(word)
  if (!found) throw new Error(`nobody is called ${word}`)
  return found
}

const cert = (word: string): X509Certificate => person(word).certificate
const words = (text: string) => text.split(' ').filter((word) => word !== '')

interface World {
  /** What the appliance sends. */
  readonly served: string
  /** `WHO@NAME`: what the pool has installed; `?NAME`: by fingerprint only. */
  readonly installed?: string
  readonly verifies?: boolean
  /** Host part of wlb_url. */
  readonly connectedTo?: string
  /** Names of revocation lists. */
  readonly crls?: string
  /** Of the second host: its version, or `down`; or a clock that is a year late. */
  readonly second?: 'old' | 'down' | 'late'
  /** What hosts said when they were asked. */
  readonly proofs?: 'accepted' | 'refused'
}

interface Wish {
  readonly goal: GoalKind
  /** Certificates and lists of the files, one file each. */
  readonly files?: string
  readonly fingerprint?: string
  readonly stated?: string
  readonly local?: string
  readonly name?: string
  readonly password?: boolean
  readonly allowDown?: boolean
}

function connectionOf(world: World): Connection {
  const { served, installed = '', verifies = false, connectedTo = '', crls = '', second } = world
  const records = words(installed).map(installedCertificate)
  const host = (name: string, change: Partial<HostFacts> = {}): HostFacts => ({
    uuid: name,
    ref: name,
    name,
    address: readHostAddress('192.0.2.1', name),
    role: 'member',
    live: true,
    enabled: true,
    softwareVersion: { xapi: '26.13' },
    fingerprintSha256: undefined,
    clockOffsetMs: 0,
    ...change,
  })
  const odd = {
    old: { softwareVersion: { xapi: '24.19' } },
    down: { live: false },
    late: { clockOffsetMs: -365 * 86_400_000 },
  }
  const known = [
    ...words(served),
    ...words(installed).flatMap((one) => (one.startsWith('?') ? [] : [one.split('@')[0] ?? ''])),
  ]
  return {
    pool: {
      uuid: 'pool',
      ref: 'pool',
      name: 'pool',
      wlbUserName: 'wlbuser',
      wlbEnabled: false,
      tlsVerification: false,
      wlbUrl: connectedTo && `${connectedTo}:8012`,
      verifies,
      licensed: true,
      otherConfig: {},
    },
    hosts: [host('xs1', { role: 'coordinator' }), host('xs2', second ? odd[second] : {})],
    installed: records,
    crls: words(crls),
    appliance: {
      ...{
        host: readHostAddress('192.0.2.9', 'the appliance'),
        port: 8012,
        name: connectedTo || '192.0.2.9',
        resolved: [],
        clockOffsetMs: 0,
        local: undefined,
      },
      endpoint:
        served === ''
          ? { state: 'silent', connected: true }
          : {
              state: 'agreed',
              cipher: '',
              curve: '',
              clientCertificate: 'not asked',
              certificates: words(served).map(cert),
            },
    },
    known: new Map(known.map((word) => [cert(word).fingerprint256, cert(word)])),
    observedAt: TEST_NOW,
  }
}

function installedCertificate(text: string): InstalledCertificate {
  const [who = '', name = ''] = text.split('@')
  if (who.startsWith('?')) {
    const fingerprintSha256 = who === '?' ? '' : `${'00:'.repeat(31)}01`
    return { uuid: name, name, fingerprintSha256, notBefore: undefined, notAfter: undefined }
  }
  const { fingerprint256, validTo } = cert(who)
  return { uuid: name, name, fingerprintSha256: fingerprint256, notBefore: undefined, notAfter: new Date(validTo) }
}

/** `root=root_ca.pem, list, sync` and so on; what is so already in brackets; behind `!` what stands in the way. */
function describePlan(world: World, wish: Wish): string {
  try {
    const connection = connectionOf(world)
    const given = readMaterial(
      words(wish.files ?? '').map((word) => ({
        file: word,
        bytes: Buffer.from(lists.get(word) ?? person(word).certificatePem),
      })),
    )
    const decision = decideTrust(connection, {
      goal: wish.goal,
      given,
      local: words(wish.local ?? '').map(cert),
      fingerprintSha256: wish.fingerprint === undefined ? undefined : cert(wish.fingerprint).fingerprint256,
      statedFingerprint: wish.stated === undefined ? undefined : cert(wish.stated).fingerprint256,
    })
    if (decision.kind === 'question') return 'somebody has to compare'
    const { allowDown = false, password = false, name } = wish
    const goal = { kind: wish.goal, allowDown, hasWlbPassword: password, poolUserName: 'root', ...(name && { name }) }
    const plan = makePlan(connection, proofsOf(world, connection), goal, decision, given)
    const steps = plan.steps.map(({ order, state }) => {
      const what = 'name' in order && order.kind === 'install' ? `${order.role}=${order.name}` : order.id
      return state === 'already' ? `[${what}]` : what
    })
    const why = plan.obstacles.map(({ code, facts }) => `! ${code} ${facts.xs2 ?? facts.xs1 ?? ''}`.trim())
    return [...(why.length > 0 ? why : steps)].join(', ')
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}

function proofsOf({ proofs }: World, { hosts }: Connection): HostProof[] {
  return hosts.map(() => {
    if (proofs === 'accepted') return { kind: 'accepted', tookMs: 1 }
    if (proofs === 'refused') return { kind: 'refused', error: ['WLB_CONNECTION_REFUSED'], tookMs: 1 }
    return { kind: 'not asked', why: 'not yet' }
  })
}

const SELF: Wish = { goal: 'self-signed', files: 'self' }
const CA: Wish = { goal: 'ca', files: 'root' }
const SENT = 'leaf mid root'
const AT = { connectedTo: NAME }
const END = 'verification, prove, ask'

const plans: [title: string, world: World, wish: Wish, outcome: string][] = [
  ['self-signed, connected by name', { served: 'self', ...AT }, SELF, `self-signed=wlb.pem, list, sync, ${END}`],
  ['not connected, no password', { served: 'self' }, SELF, 'self-signed=wlb.pem, list, sync, verification'],
  [
    'not connected, with the password',
    { served: 'self' },
    { ...SELF, password: true },
    'self-signed=wlb.pem, list, sync, verification, connect, prove, ask',
  ],
  [
    'by address, with the password',
    { served: 'self', connectedTo: '192.0.2.9' },
    { ...SELF, password: true },
    'self-signed=wlb.pem, list, sync, verification, reconnect, prove, ask',
  ],
  [
    'by address, without',
    { served: 'self', connectedTo: '192.0.2.9' },
    SELF,
    'self-signed=wlb.pem, list, sync, reconnect, verification, prove, ask',
  ],
  [
    'by a short name',
    { served: 'self', connectedTo: 'wlb' },
    { ...SELF, password: true },
    'self-signed=wlb.pem, list, sync, verification, reconnect, prove, ask',
  ],
  [
    'all done and proved',
    { served: 'self', installed: 'self@wlb.pem', verifies: true, proofs: 'accepted', ...AT },
    { goal: 'self-signed' },
    '[self-signed=wlb.pem], [list], [sync], [verification], [prove], [ask]',
  ],
  [
    'all done, and a host refuses: synchronise',
    { served: 'self', installed: 'self@wlb.pem', verifies: true, proofs: 'refused', ...AT },
    { goal: 'self-signed' },
    '[self-signed=wlb.pem], list, sync, [verification], prove, ask',
  ],
  [
    'installed, and the flag forgotten',
    { served: 'self', installed: 'self@a.pem', proofs: 'accepted', ...AT },
    { goal: 'self-signed' },
    `[self-signed=a.pem], list, sync, ${END}`,
  ],
  [
    'the certificate before is installed',
    { served: 'self', installed: 'self-before@wlb.pem', ...AT },
    SELF,
    `self-signed=wlb-SELF.pem, list, sync, ${END}`,
  ],
  [
    'a record without a fingerprint',
    { served: 'self', installed: '?@wlb.pem', ...AT },
    SELF,
    `self-signed=wlb-SELF.pem, list, sync, ${END}`,
  ],
  ['root alone, the intermediate is sent', { served: SENT, ...AT }, CA, `root=root_ca.pem, list, sync, ${END}`],
  [
    'root and intermediate',
    { served: SENT, ...AT },
    { goal: 'ca', files: 'mid root leaf' },
    `root=root_ca.pem, intermediate=intermediate_ca.pem, list, sync, ${END}`,
  ],
  [
    'the intermediate is not sent and not given',
    { served: 'leaf', ...AT },
    CA,
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: unable to get local issuer certificate',
  ],
  [
    'it is not sent, and given',
    { served: 'leaf', ...AT },
    { goal: 'ca', files: 'mid root' },
    `root=root_ca.pem, intermediate=intermediate_ca.pem, list, sync, ${END}`,
  ],
  [
    'a pool that looks for the leaf itself',
    { served: SENT, second: 'old', ...AT },
    CA,
    `root=root_ca.pem, leaf=wlb.pem, list, sync, ${END}`,
  ],
  [
    'the root of somebody else',
    { served: SENT, ...AT },
    { goal: 'ca', files: 'other-root' },
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: self-signed certificate in certificate chain',
  ],
  [
    'a root of that name with another key',
    { served: 'leaf mid', ...AT },
    { goal: 'ca', files: 'rekeyed-root' },
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: certificate signature failure',
  ],
  ['only the intermediate', { served: 'leaf mid', ...AT }, { goal: 'ca', files: 'mid' }, 'ROOT_NEEDED'],
  [
    'an expired leaf',
    { served: 'leaf-expired mid root', ...AT },
    CA,
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: certificate has expired',
  ],
  [
    'a clock that is late on one host',
    { served: SENT, second: 'late', ...AT },
    CA,
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: certificate is not yet valid',
  ],
  [
    'a key that is too short',
    { served: 'self-weak', ...AT },
    { goal: 'self-signed', files: 'self-weak' },
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: EE certificate key too weak',
  ],
  [
    'another name in full',
    { served: 'self', connectedTo: OTHER_NAME },
    SELF,
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Subject checks failed',
  ],
  [
    'another name, asked for',
    { served: 'self', connectedTo: OTHER_NAME },
    { ...SELF, name: NAME, password: true },
    'self-signed=wlb.pem, list, sync, verification, reconnect, prove, ask',
  ],
  ['a host is down', { served: 'self', second: 'down', ...AT }, SELF, '! HOSTS_DOWN'],
  [
    'a host is down and left behind',
    { served: 'self', second: 'down', ...AT },
    { ...SELF, allowDown: true },
    `self-signed=wlb.pem, list, sync, ${END}`,
  ],
  ['a list of another issuer in the pool', { served: SENT, crls: 'x.pem', ...AT }, CA, '! CRL_NEEDED'],
  [
    'the list that is needed',
    { served: SENT, crls: 'x.pem', ...AT },
    { goal: 'ca', files: 'root crl-mid' },
    `root=root_ca.pem, install-crl, list, sync, ${END}`,
  ],
  ['only the list of the root', { served: SENT, ...AT }, { goal: 'ca', files: 'root crl-root' }, '! CRL_NEEDED'],
  [
    'a list that has expired',
    { served: SENT, ...AT },
    { goal: 'ca', files: 'root crl-expired' },
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: CRL has expired',
  ],
  [
    'a list from tomorrow',
    { served: SENT, ...AT },
    { goal: 'ca', files: 'root crl-early' },
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: CRL is not yet valid',
  ],
  [
    'a list signed by another key',
    { served: SENT, ...AT },
    { goal: 'ca', files: 'root crl-forged' },
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: CRL signature failure',
  ],
  [
    'a list that revokes it',
    { served: SENT, ...AT },
    { goal: 'ca', files: 'root crl-revoking' },
    '! GOAL_CANNOT_VERIFY SSL_VERIFY_ERROR: Pre-verification error: certificate revoked',
  ],
  [
    'lists in a pool that verifies are none of our business',
    { served: SENT, crls: 'x.pem', installed: 'root@r.pem', verifies: true, proofs: 'accepted', ...AT },
    CA,
    '[root=r.pem], [list], [sync], [verification], [prove], [ask]',
  ],
]
it.each(plans)('%s', (_, world, wish, outcome) => {
  const piece = cert('self').fingerprint256.replaceAll(':', '').slice(0, 8)
  expect(describePlan(world, wish)).toBe(outcome.replace('SELF', piece))
})

const vouched: [title: string, world: World, wish: Wish, outcome: RegExp][] = [
  ['nobody', { served: 'self', ...AT }, { goal: 'self-signed' }, /^somebody has to compare$/],
  [
    'the appliance itself states the same',
    { served: 'self', ...AT },
    { goal: 'self-signed', stated: 'self' },
    /^self-signed=/,
  ],
  [
    'the appliance itself states another',
    { served: 'self', ...AT },
    { goal: 'self-signed', stated: 'self-before' },
    /^APPLIANCE_STATES_ANOTHER$/,
  ],
  ['the fingerprint', { served: 'self', ...AT }, { goal: 'self-signed', fingerprint: 'self' }, /^self-signed=/],
  [
    'another fingerprint',
    { served: 'self', ...AT },
    { goal: 'self-signed', fingerprint: 'root' },
    /^FINGERPRINT_DIFFERS$/,
  ],
  [
    'a file, and another fingerprint',
    { served: 'self', ...AT },
    { ...SELF, fingerprint: 'root' },
    /^FINGERPRINT_DIFFERS$/,
  ],
  [
    'the file of the one before',
    { served: 'self', ...AT },
    { goal: 'self-signed', files: 'self-before' },
    /^SERVED_CERTIFICATE_DIFFERS$/,
  ],
  [
    'a leaf that is not served yet',
    { served: 'leaf-before mid root', ...AT },
    { goal: 'ca', files: 'root leaf' },
    /^SERVED_CERTIFICATE_DIFFERS$/,
  ],
  ['nobody for the root that is sent', { served: SENT, ...AT }, { goal: 'ca' }, /^ROOT_NEEDED$/],
  ['the fingerprint of the root', { served: SENT, ...AT }, { goal: 'ca', fingerprint: 'root' }, /^root=/],
  [
    'the fingerprint of something else',
    { served: SENT, ...AT },
    { goal: 'ca', fingerprint: 'mid' },
    /^FINGERPRINT_DIFFERS$/,
  ],
  ['the file of an appliance that is here', { served: SENT, ...AT }, { goal: 'ca', local: SENT }, /^root=/],
  [
    'the file of an appliance that serves another',
    { served: SENT, ...AT },
    { goal: 'ca', local: 'leaf-before mid root' },
    /^ROOT_NEEDED$/,
  ],
  ['the pool, which has it', { served: 'leaf mid', installed: 'root@r.pem', ...AT }, { goal: 'ca' }, /^\[root=r.pem\]/],
  ['the other goal is meant', { served: 'self', ...AT }, CA, /^GOAL_IS_ANOTHER$/],
  ['the other goal is meant, too', { served: SENT, ...AT }, { goal: 'self-signed' }, /^GOAL_IS_ANOTHER$/],
  ['nothing is seen', { served: '', ...AT }, SELF, /^APPLIANCE_NOT_SEEN$/],
]
it.each(vouched)('vouched for by: %s', (_, world, wish, outcome) => {
  expect(describePlan(world, wish)).toMatch(outcome)
})

test('200 installed certificates under odd names: none is touched, none is in the way', () => {
  const names = Array.from({ length: 198 }, (_, index) => `?f@odd..${'-_'.repeat(index % 40)}${index}.pem`)
  const installed = [...names, '?f@root_ca.pem', '?f@root_ca-00000000.pem'].join(' ')
  const said = describePlan({ served: SENT, installed, ...AT }, CA)
  expect(said).toMatch(/^root=root_ca-[0-9A-F]{8}\.pem, list, sync, /)
})

test('names for the store are acceptable to the pool and free, whatever is taken', () => {
  const fingerprint = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
  fc.assert(
    fc.property(
      fingerprint,
      fc.nat(20),
      fc.constantFrom('wlb.pem', 'root_ca.pem', 'intermediate_ca.pem'),
      (hex, count, wanted) => {
        const print = hex.toUpperCase().replaceAll(/(..)(?!$)/g, '$1:')
        const taken = new Set<string>()
        for (let index = 0; index < count; index++) taken.add(chooseStoreName(wanted, print, taken))
        expect(taken.size).toBe(count)
        for (const name of taken) expect(name).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]*\.pem$/)
      },
    ),
  )
})

test('the order of the files does not matter', () => {
  const all = ['mid', 'root', 'leaf', 'crl-mid']
  const first = describePlan({ served: 'leaf', ...AT }, { goal: 'ca', files: all.join(' ') })
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (files) => {
      expect(describePlan({ served: 'leaf', ...AT }, { goal: 'ca', files: files.join(' ') })).toBe(first)
    }),
  )
})

test('files for the pool: a key is refused, a request is of no use, several in one are several', () => {
  const read = (text: string) => {
    try {
      return String(readMaterial([{ file: 'f.pem', bytes: Buffer.from(text) }]).certificates.length)
    } catch (error) {
      if (error instanceof WlbError) return `${error.code} ${error.facts.file} ${error.facts.line ?? ''}`.trim()
      throw error
    }
  }
  const { certificatePem, privateKeyPem } = person('self')
  expect(read(certificatePem + person('root').certificatePem + certificatePem)).toBe('2')
  expect(read(certificatePem + privateKeyPem)).toBe(
    `PRIVATE_KEY_IN_TRUST_FILE f.pem ${certificatePem.split('\n').length}`,
  )
  expect(read('no certificate')).toBe('FILE_UNRECOGNIZED f.pem')
})

const ages: [version: Record<string, string>, byPeer: boolean][] = [
  [{ xapi: '24.19' }, true],
  [{ xapi_build: '24.39.1', xapi: '24.39' }, true],
  [{ xapi_build: '25.6.0' }, false],
  [{ xapi: '26.13' }, false],
  [{ date: '2024-11-30', xapi: '1.20' }, true],
  [{ date: '2025-02-01' }, false],
  [{}, false],
]
it.each(ages)('a host of %j looks for the leaf itself: %s', (softwareVersion, byPeer) => {
  expect(verifiesByPeer({ softwareVersion })).toBe(byPeer)
})

const ends: [world: World, planned: string, why: string][] = [
  [{ served: 'self' }, NOT_YET, 'the pool is not connected'],
  [{ served: 'self', ...AT }, NOT_YET, 'it was not asked'],
  [{ served: 'self' }, 'the host is down', 'the host is down'],
]
it.each(ends)('a run of %j that asked no host, planned as "%s": %s', (world, planned, why) => {
  const verdict = { host: 'xs1', verdict: 'accepted', proof: 'predicted', error: [], why: planned } as const
  expect(withoutProofs(connectionOf(world), [verdict])).toEqual([{ ...verdict, why }])
})
