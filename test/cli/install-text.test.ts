/** What `wlb cert install` shows, byte by byte: names, dates and clock are given, so that nothing has to be scrubbed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { describeInstallation, describePlan } from '../../src/cli/cert/install-text.js'
import { printError } from '../../src/cli/terminal/print.js'
import { paths } from '../../src/config/index.js'
import {
  type IdentityRecord,
  type InstallRequest,
  installIdentity,
  planInstallation,
  type Replacement,
} from '../../src/identity/index.js'
import { setUp } from '../../src/server/index.js'
import { placeDatabase } from '../empty-database.js'
import { type CertificateSpec, type Issued, issue, issueAuthority } from '../x509/test-authority.js'

const HOSTNAME = 'wlb.example.com'
const NOW = new Date('2026-03-01T08:00:00Z')
const years = (from: number, to: number) => ({
  notBefore: new Date(`${from}-01-01T00:00:00Z`),
  notAfter: new Date(`${to}-01-01T00:00:00Z`),
})
const root = '.'
const home = process.cwd()
const folder = mkdtempSync(join(tmpdir(), 'openwlb-golden-'))
let leaf: Issued

beforeAll(async () => {
  process.chdir(folder)
  const account = { userName: 'wlbuser', password: 'geheim' }
  placeDatabase(root)
  await setUp({ root, hostname: HOSTNAME, address: '127.0.0.1', port: 8012, ...account, now: NOW })
  const rootCa = await issueAuthority({ subject: 'Example Root CA', ...years(2020, 2040) })
  const mid = await issueAuthority({ subject: 'Example Issuing CA', issuer: rootCa, ...years(2024, 2030) })
  const rekeyed = await issueAuthority({ subject: 'Example Root CA', keyLabel: 'new', ...years(2025, 2045) })
  const make = (spec: Partial<CertificateSpec> = {}) =>
    issue({
      subject: HOSTNAME,
      dnsNames: [HOSTNAME],
      issuer: mid,
      extendedKeyUsage: ['serverAuth'],
      keyLabel: 'appliance',
      ...years(2026, 2027),
      ...spec,
    })
  leaf = await make()
  const other = await make({ dnsNames: ['wlb.elsewhere.com'], ...years(2024, 2026) })
  const ec = await make({ keyKind: 'ec', keyLabel: 'ec' })
  const stranger = await make({ keyLabel: 'somebody else' })
  const self = await issue({
    subject: HOSTNAME,
    keyLabel: 'appliance',
    extendedKeyUsage: ['serverAuth'],
    ...years(2026, 2036),
  })
  const files = {
    'signed_cert.pem': leaf.certificatePem,
    'intermediate_ca.pem': mid.certificatePem,
    'root_ca.pem': rootCa.certificatePem,
    'new_root_ca.pem': rekeyed.certificatePem,
    'chain from portal.txt': (mid.certificatePem + leaf.certificatePem).replaceAll('\n', '\r\n'),
    'expired.pem': other.certificatePem,
    'ec.pem': ec.certificatePem + ec.privateKeyPem,
    'stranger.pem': stranger.certificatePem,
    'self.pem': self.certificatePem,
    [paths(root).pendingKey]: leaf.privateKeyPem,
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(name, content)
})
afterAll(() => {
  process.chdir(home)
  rmSync(folder, { recursive: true, force: true })
})

const plan = (files: string, more: Partial<InstallRequest> = {}) =>
  planInstallation({ root, files: files.split(' ').map((file) => file.replaceAll('_20', ' ')), now: NOW, ...more })
const golden = (name: string) => `golden/install/${name}.txt`

const plans: [name: string, files: string][] = [
  ['plan', 'signed_cert.pem intermediate_ca.pem root_ca.pem'],
  ['plan-odd', 'chain_20from_20portal.txt stranger.pem'],
  ['plan-self-signed', 'self.pem'],
]
it.each(plans)('%s (%s)', async (name, files) => {
  const planned = await plan(files)
  await expect(`${describePlan(planned, NOW)}\n`).toMatchFileSnapshot(golden(name))
})

const refusals: [name: string, files: string][] = [
  ['refused-expired-and-other-name', 'expired.pem intermediate_ca.pem root_ca.pem'],
  ['refused-key-kind', 'ec.pem intermediate_ca.pem root_ca.pem'],
  ['refused-issuer-of-another-key', 'signed_cert.pem intermediate_ca.pem new_root_ca.pem'],
  ['refused-incomplete', 'signed_cert.pem root_ca.pem'],
  ['refused-key-of-another', 'stranger.pem intermediate_ca.pem root_ca.pem'],
  ['refused-without-leaf', 'intermediate_ca.pem root_ca.pem'],
]
it.each(refusals)('%s (%s)', async (name, files) => {
  let shown = ''
  const screen = new Writable({
    write: (piece, _encoding, done) => {
      shown += piece
      done()
    },
  })
  const error: unknown = await plan(files).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(printError(error, 'text', undefined, screen, screen)).toBe(1)
  await expect(shown).toMatchFileSnapshot(golden(name))
})

const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':')
const REPLACED: IdentityRecord = {
  id: '0a1b2c3d4e5f',
  sequence: 1,
  how: 'setup',
  installedAt: '2026-02-01T00:00:00.000Z',
  replacedAt: NOW.toISOString(),
  subject: `CN=${HOSTNAME}`,
  fingerprintSha256: FINGERPRINT,
  notAfter: '2036-01-01T00:00:00.000Z',
  fault: null,
}
const SERVED: Replacement['activation'] = {
  state: 'proved',
  fingerprintSha256: FINGERPRINT,
  proofs: [
    { who: 'appliance', address: '127.0.0.1', port: 8012, seen: FINGERPRINT, said: '' },
    { who: 'front', address: '192.0.2.7', port: 8012, seen: FINGERPRINT, said: '' },
  ],
}
const NOT_RUNNING: Replacement['activation'] = { state: 'not running', fingerprintSha256: FINGERPRINT }
const installed = { state: 'installed', id: 'f5e4d3c2b1a0', replaced: REPLACED } as const
const alreadySo = { state: 'already so', id: 'f5e4d3c2b1a0', replaced: undefined } as const

const ends: [name: string, files: string, done: Replacement][] = [
  ['done', 'signed_cert.pem intermediate_ca.pem root_ca.pem', { installed, activation: SERVED }],
  ['done-odd', 'chain_20from_20portal.txt', { installed, activation: NOT_RUNNING }],
  ['done-self-signed', 'self.pem', { installed, activation: NOT_RUNNING }],
  ['already-so', 'signed_cert.pem intermediate_ca.pem root_ca.pem', { installed: alreadySo, activation: SERVED }],
]
it.each(ends)('%s (%s)', async (name, files, done) => {
  const shown = describeInstallation('/srv/wlb', await plan(files), done)
  await expect(`${shown}\n`).toMatchFileSnapshot(golden(name))
})

test('plan-already-so', async () => {
  const { identity } = await plan('signed_cert.pem intermediate_ca.pem root_ca.pem')
  await installIdentity(paths(root), identity, { how: 'install', now: NOW })
  const planned = await plan('root_ca.pem intermediate_ca.pem signed_cert.pem')
  const shown = describePlan(planned, NOW)
  await expect(`${shown}\n`).toMatchFileSnapshot(golden('plan-already-so'))
})
