/** Plans carried out on a pool of three whose hosts connect with stunnel, and taken back. */
import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { requirePart } from '../real-parts.js'
import { issueCrl } from '../x509/test-authority.js'
import {
  asFiles,
  HOSTNAME,
  LEGACY,
  makeAuthority,
  PASSWORD,
  readPair,
  type TestAuthority,
  useTrustStage,
} from './stage.js'

const stage = useTrustStage(requirePart('stunnel') ? 'stunnel' : 'node')
let selfSigned: readonly [certificatePem: string, privateKeyPem: string]
let authority: TestAuthority
beforeAll(async () => {
  selfSigned = readPair(stage.appliance)
  authority = await makeAuthority()
})

const BUNDLE = 'etc/stunnel/xapi-stunnel-ca-bundle.pem'
const SELF = 'install-self-signed done, list done, sync done'
const ALL = 'all accepted host | done'

describe('the self-signed certificate', () => {
  beforeEach(async () => {
    await stage.serve(...selfSigned)
  })

  test('a pool that is connected by name: installed, synchronised, switched on, proved (S14, S20, S21, S24, S26, S27)', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    expect(await stage.apply()).toBe(`${SELF}, verification done, prove done, ask done | ${ALL}`)
    expect(await stage.state()).toBe(`wlb.pem; verify true; ${HOSTNAME}`)
    for (const host of ['xs1', 'xs2', 'xs3'])
      expect(await stage.pool.call(host, 'pool.certificate_list'), 'S26: the same answer everywhere').toEqual([
        'wlb.pem',
      ])
    expect(await stage.apply()).toMatch(/^(?:[a-z-]+ already(?:, )?)+ \| all accepted host \| done$/)
    expect(await stage.undo()).toBe('verification undone, install-self-signed undone, sync done')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
    expect(await stage.undo(), 'twice').toBe('')
  })

  test('by IP address: connected again by name, once verified (S56, S57)', async () => {
    await stage.reset({ verifies: false, connectedTo: '127.0.0.1' })
    expect(await stage.apply(), 'without the password').toBe(
      `${SELF}, reconnect failed | all accepted predicted | failed | RECONNECT_NEEDED`,
    )
    expect(await stage.state()).toBe('wlb.pem; verify false; 127.0.0.1')
    expect(await stage.apply({ resume: true, goal: undefined, wlbPassword: PASSWORD })).toBe(
      'install-self-signed already, list done, sync done, verification done, reconnect done, prove done, ask done' +
        ` | ${ALL}`,
    )
    expect(await stage.state()).toBe(`wlb.pem; verify true; ${HOSTNAME}`)
    expect(await stage.undo({ wlbPassword: PASSWORD })).toBe(
      'reconnect undone, verification undone, install-self-signed undone, sync done',
    )
    expect(await stage.state()).toBe('-; verify false; 127.0.0.1')
  })

  test('with verification on already and nothing connected: connected too, or left to the operator (S55, row 22)', async () => {
    await stage.reset({ verifies: true })
    expect(await stage.apply()).toBe(`${SELF}, verification already | all accepted predicted | done`)
    expect(await stage.apply({ wlbPassword: PASSWORD })).toBe(
      'install-self-signed already, list done, sync done, verification already, connect done, prove done, ask done' +
        ` | ${ALL}`,
    )
    expect(await stage.undo()).toBe('connect undone, sync done')
    expect(await stage.state()).toBe('wlb.pem; verify true; not connected')
  })

  test('the fingerprint on both sides: equal, another, nobody to say (S17, S16)', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    const remote = { applianceRoot: undefined }
    const seen = new X509Certificate(selfSigned[0]).fingerprint256
    const other = authority.root.certificate.fingerprint256
    expect(await stage.plan({ ...remote })).toBe('NOT_VOUCHED')
    expect(await stage.plan({ ...remote, statedFingerprint: async () => other })).toBe('APPLIANCE_STATES_ANOTHER')
    expect(await stage.plan({ ...remote, fingerprintSha256: other })).toBe('FINGERPRINT_DIFFERS')
    const good = /^install-self-signed planned, .* \| all accepted predicted$/
    expect(await stage.plan({ ...remote, statedFingerprint: async () => seen })).toMatch(good)
    expect(await stage.plan({ ...remote, fingerprintSha256: seen })).toMatch(good)
    expect(await stage.plan({ ...remote, files: asFiles({ 'wlb.pem': selfSigned[0] }) })).toMatch(good)
    expect(await stage.plan({ ...remote, askFingerprint: async (asked) => asked === seen })).toMatch(good)
  })

  test('a file that is not what is served: replaced, or not in service yet (rows 25, 71)', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    const files = asFiles({ 'wlb.pem': authority.root.certificatePem })
    expect(await stage.apply({ files })).toBe('SERVED_CERTIFICATE_DIFFERS')
    expect(await stage.apply({ goal: 'ca', files })).toBe('GOAL_IS_ANOTHER')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })

  test('a private key in a file meant for the pool is copied nowhere', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    expect(await stage.apply({ files: asFiles({ 'wlb.pem': selfSigned.join('') }) })).toBe('PRIVATE_KEY_IN_TRUST_FILE')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })
})

describe('an authority', () => {
  const files = () => asFiles({ 'ca.pem': authority.mid.certificatePem + authority.root.certificatePem })
  const CHAIN = 'install-root done, install-intermediate done, list done, sync done'
  beforeEach(async () => {
    await stage.serve(authority.chainPem, authority.leaf.privateKeyPem)
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  })

  test('root and intermediate from one file, installed one by one (S29, S50, S51, S52)', async () => {
    expect(await stage.apply({ goal: 'ca', files: files() })).toBe(
      `${CHAIN}, verification done, prove done, ask done | ${ALL}`,
    )
    expect(await stage.state()).toBe(`intermediate_ca.pem root_ca.pem; verify true; ${HOSTNAME}`)
    expect(await stage.apply({ goal: 'ca' }), 'what the pool holds needs no file').toContain('install-root already')
    expect(await stage.undo()).toBe('verification undone, install-intermediate undone, install-root undone, sync done')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })

  test('the root: from the appliance on this machine, or named by its fingerprint; never from the wire alone', async () => {
    const remote = { goal: 'ca' as const, applianceRoot: undefined }
    expect(await stage.plan({ goal: 'ca' })).toContain('install-root planned')
    expect(await stage.plan(remote)).toBe('ROOT_NEEDED')
    const fingerprintSha256 = authority.root.certificate.fingerprint256
    expect(await stage.plan({ ...remote, fingerprintSha256 })).toContain('install-root planned')
    const other = authority.leaf.certificate.fingerprint256
    expect(await stage.plan({ ...remote, fingerprintSha256: other })).toBe('FINGERPRINT_DIFFERS')
    expect(await stage.plan({ goal: 'self-signed' })).toBe('GOAL_IS_ANOTHER')
  })

  test('names that are taken by other certificates give way (rows 31, 79)', async () => {
    await stage.pool.call('xs1', 'pool.install_ca_certificate', 'root_ca.pem', selfSigned[0])
    await stage.pool.call('xs1', 'pool.install_ca_certificate', 'odd..--name.pem', authority.mid.certificatePem)
    expect(await stage.apply({ goal: 'ca', files: files() })).toContain('install-intermediate already')
    const piece = authority.root.certificate.fingerprint256.replaceAll(':', '').slice(0, 8)
    expect(await stage.state()).toMatch(
      new RegExp(`^odd\\.\\.--name\\.pem root_ca-${piece}\\.pem root_ca\\.pem; verify true`),
    )
    await stage.undo()
    expect(await stage.state()).toBe(`odd..--name.pem root_ca.pem; verify false; ${HOSTNAME}`)
  })

  const crls: [given: string, make: () => Promise<string[]>, outcome: RegExp][] = [
    [
      'the list of the issuer',
      async () => [await issueCrl(authority.mid)],
      /^install-root done, .*install-crl done, .*all accepted host \| done$/,
    ],
    ['none, with another list in the pool (row 61)', async () => [], /^CRL_NEEDED$/],
    ['the list of the root alone (row 62)', async () => [await issueCrl(authority.root)], /^CRL_NEEDED$/],
    ['a list that has expired (row 59)', async () => [await issueCrl(authority.mid, EXPIRED)], /^GOAL_CANNOT_VERIFY$/],
    [
      'a list of another key (row 63)',
      async () => [await issueCrl(authority.mid, { signedBy: authority.root })],
      /^GOAL_CANNOT_VERIFY$/,
    ],
    [
      'a list that revokes the certificate',
      async () => [await issueCrl(authority.mid, { revoked: [authority.leaf] })],
      /^GOAL_CANNOT_VERIFY$/,
    ],
  ]
  it.each(crls)('revocation: %s', async (_, make, outcome) => {
    await stage.pool.call('xs1', 'pool.crl_install', 'other.pem', await issueCrl(authority.root))
    const lists = (await make()).map((pem, index): [string, string] => [`list-${index}.crl`, pem])
    const before = await stage.state()
    const said = await stage.apply({ goal: 'ca', files: [...files(), ...asFiles(Object.fromEntries(lists))] })
    expect(said).toMatch(outcome)
    if (!said.includes('done')) return expect(await stage.state()).toBe(before)
    await stage.undo()
    expect(await stage.pool.call('xs1', 'pool.crl_list')).toEqual(['other.pem'])
  })

  test('what cannot verify is refused in the words of the pool, and nothing is installed (S31)', async () => {
    const said = stage.apply({ goal: 'ca', files: files(), name: 'other.lab.internal' })
    expect(await said).toBe('GOAL_CANNOT_VERIFY')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })

  test('a host that refuses takes the flag back: the trial, and the sync that mends it (rows 28, 30, S22, S23)', async () => {
    const breakStore = ({ id }: { readonly id: string }) => {
      if (id === 'sync') writeFileSync(stage.pool.path('xs3', BUNDLE), 'this is no certificate')
    }
    expect(await stage.apply({ goal: 'ca', files: files() }, breakStore)).toBe(
      `${CHAIN}, verification undone, prove failed | xs1 accepted host, xs2 accepted host, xs3 refused host | failed | HOSTS_REFUSE`,
    )
    expect(await stage.state()).toContain('verify false')
    expect(await stage.apply({ goal: 'ca', resume: true })).toContain(ALL)
    expect(await stage.state()).toContain('verify true')
  })
})

test('every host of the test has the same store in the end', () => {
  expect(new Set(['xs1', 'xs2', 'xs3'].map((host) => stage.pool.files(host, LEGACY))).size).toBe(1)
})
const EXPIRED = { thisUpdate: new Date(Date.now() - 864e6), nextUpdate: new Date(Date.now() - 864e5) }
