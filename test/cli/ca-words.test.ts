/** What the commands of the small authority say, byte by byte, at a time and with numbers of our choosing. */
import type { X509Certificate } from 'node:crypto'
import { beforeAll, expect, it, test } from 'vitest'
import type { AuthorityReport, IssuedCertificate, Published } from '../../src/authority/index.js'
import { describeCreated, describeList } from '../../src/cli/ca/authority.js'
import { REASONS } from '../../src/cli/ca/commands.js'
import { describePublished, describeRevoked } from '../../src/cli/ca/revocation.js'
import { describePlan, describeSigned } from '../../src/cli/ca/sign.js'
import {
  createAuthority,
  describeCertificate,
  planLeaf,
  REVOCATION_REASONS,
  readRequest,
} from '../../src/x509/index.js'
import { makeRequest } from '../x509/test-request.js'

const now = new Date('2026-03-01T12:00:00Z')
const folder = '/srv/ca'
const fingerprintSha256 = 'AA:BB:CC'
let issuer: X509Certificate
let report: AuthorityReport
const issued: IssuedCertificate = {
  serialNumber: '4711',
  subject: 'CN=wlb.example.com, O=Example',
  names: ['wlb.example.com', '192.0.2.1'],
  issuedAt: '2026-03-01T12:00:00.000Z',
  notBefore: '2026-02-28T12:00:00.000Z',
  notAfter: '2027-04-02T12:00:00.000Z',
  certificate: '',
}
const revoked = { ...issued, revoked: { at: '2026-03-01T12:00:00.000Z', reason: 'superseded' as const } }
const crl: Published = {
  of: 'intermediate',
  forPools: true,
  issuer: 'CN=Example Issuing CA',
  number: 3,
  thisUpdate: new Date('2026-02-28T12:00:00Z'),
  nextUpdate: new Date('2026-03-31T12:00:00Z'),
  revoked: 1,
  file: '/srv/ca/crl.pem',
}

beforeAll(async () => {
  const made = await createAuthority({
    name: 'Example',
    now,
    lifetimeDays: 7300,
    rootSerial: '4000',
    intermediateSerial: '4001',
    keyBits: 2048,
  })
  issuer = (made.intermediate ?? made.root).certificate
  report = {
    folder,
    name: 'Example',
    root: { ...describeCertificate(made.root.certificate), fingerprintSha256, file: '/srv/ca/root_ca.pem' },
    intermediate: { ...describeCertificate(issuer), fingerprintSha256, file: '/srv/ca/intermediate_ca.pem' },
    issued: [
      revoked,
      { ...issued, serialNumber: '4712', notAfter: '2026-02-01T12:00:00.000Z' },
      { ...issued, serialNumber: '4713', names: ['wlb2.example.com'] },
    ],
  }
})

async function plan(spec: Parameters<typeof makeRequest>[0], at = now) {
  return planLeaf({ request: readRequest(await makeRequest(spec)), issuer, allow: [], now: at })
}
const full = {
  subject: 'O=Example, CN=wlb.example.com',
  names: 'DNS:*.com DNS:a_b.example IP:192.0.2.1 email:a@b.c',
  asksForAuthority: true,
}

const texts: [file: string, text: () => string | Promise<string>][] = [
  ['created', () => describeCreated({ ...report, already: false }, now)],
  ['created-already', () => describeCreated({ ...report, already: true }, now)],
  ['created-without-intermediate', () => describeCreated({ ...report, intermediate: null, already: false }, now)],
  ['plan', async () => describePlan(await plan(full))],
  ['plan-address-only', async () => describePlan(await plan({ subject: 'CN=192.0.2.1' }))],
  [
    'plan-shortened',
    async () => describePlan(await plan({ subject: 'CN=a.example' }, new Date('2036-01-01T00:00:00Z'))),
  ],
  [
    'signed',
    async () => describeSigned(folder, { plan: await plan(full), issued, file: '/srv/ca/signed_cert.pem' }, now),
  ],
  ['revoked', () => describeRevoked({ issued: revoked, already: false, crl }, now)],
  ['revoked-already', () => describeRevoked({ issued: revoked, already: true, crl }, now)],
  ['crl', () => describePublished(crl, now)],
  [
    'crl-of-root',
    () => describePublished({ ...crl, of: 'root', forPools: false, revoked: 0, file: '/srv/ca/root_crl.pem' }, now),
  ],
  ['list', () => describeList(report, now)],
  ['list-empty', () => describeList({ ...report, issued: [] }, now)],
]
it.each(texts)('%s', async (file, text) => {
  await expect(`${await text()}\n`).toMatchFileSnapshot(`golden/ca/${file}.txt`)
})

test('the reasons on the command line are those the authority knows', () => {
  expect(REASONS).toEqual([...REVOCATION_REASONS])
})
