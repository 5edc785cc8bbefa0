/** What diagnostics say, and what they never say. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { type ApplianceFacts, describeAppliance } from '../../src/server/soap/diagnostics.js'
import { encodeRequest, type WlbCall } from '../../src/wlb/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { daysFromNow, issue, TEST_NOW } from '../x509/test-authority.js'
import { call, post, sendRaw } from './raw-client.js'
import { basic, HOSTNAME, PASSWORD, startAppliance, type TestAppliance, USER_NAME } from './test-appliance.js'

const DIAGNOSTICS: WlbCall = { method: 'GetDiagnostics', request: {} }

const facts = async (changes: Partial<ApplianceFacts> = {}): Promise<string> =>
  describeAppliance({
    version: '1.2.3',
    now: TEST_NOW,
    startedAt: TEST_NOW,
    schemaVersion: '0001-pools',
    database: 'embedded',
    pools: 2,
    listener: { address: '127.0.0.1', port: 8012 },
    served: await issue({ subject: 'wlb.example.com', dnsNames: ['wlb.example.com'], notAfter: daysFromNow(30) }),
    ...changes,
  })

describe('lines', () => {
  const cases: [line: string][] = [
    ['version: 1.2.3'],
    ['database: embedded, schema 0001-pools'],
    ['pools: 2'],
    ['listener: 127.0.0.1 port 8012, TLS 1.2 and 1.3'],
    ['certificate subject: CN=wlb.example.com'],
    ['certificate names: wlb.example.com'],
    ['certificate key: rsa 2048, sha256WithRSAEncryption'],
  ]
  it.each(cases)('%s', async (line) => {
    expect((await facts()).split('\n')).toContain(line)
  })
})

describe('the days of a certificate', () => {
  const cases: [from: number, to: number, said: string][] = [
    [-1, 30.5, 'ends in 30 days'],
    [-1, 0.5, 'ends in 0 days'],
    [-9, -2.5, 'ended 2 days ago'],
    [3.5, 30, 'not valid yet, in 3 days'],
  ]
  it.each(cases)('from day %d to day %d: %s', async (from, to, said) => {
    const dates = { notBefore: daysFromNow(from), notAfter: daysFromNow(to) }
    expect(await facts({ served: await issue({ subject: 'wlb.example.com', ...dates }) })).toContain(`, ${said}\n`)
  })
})

test('what a certificate is called stays on its line, and cannot fill the answer', async () => {
  const served = await issue({
    subject: 'a\nopenwlb diagnostics: forged\u0007',
    dnsNames: Array.from({ length: 500 }, (_, index) => `host${index}.example.com`),
  })
  const text = await facts({ served })
  expect(text.match(/^openwlb diagnostics/gm)).toHaveLength(1)
  expect(text).not.toMatch(/[^\P{Cc}\n]/u)
  expect(text.length).toBeLessThan(5000)
  const many = await createSelfSigned({ hostname: HOSTNAME, addresses: [], now: TEST_NOW })
  const chain = { ...many, certificatePem: many.certificatePem.repeat(90) }
  expect((await facts({ served: chain })).length).toBeLessThan(66_000)
})

describe('over the wire', () => {
  let appliance: TestAppliance
  beforeAll(async () => {
    appliance = await startAppliance()
  })
  afterAll(() => appliance.remove())

  test('a pool that is not registered gets them too, as one text', async () => {
    expect(await call(appliance.port, DIAGNOSTICS)).toEqual({
      kind: 'result',
      leaves: [['DiagnosticData', expect.stringMatching(/^openwlb diagnostics: .*\nversion: .*\n(.*\n)*pools: 0\n/)]],
    })
  })

  test('without the credentials nobody gets them, and no secret is in them', async () => {
    const without = await sendRaw(appliance.port, post(encodeRequest(DIAGNOSTICS), { Authorization: undefined }))
    expect(without.status).toBe(401)
    const { body } = await sendRaw(appliance.port, post(encodeRequest(DIAGNOSTICS)))
    for (const secret of [PASSWORD, USER_NAME, basic().slice(6), 'scrypt', 'OpaqueRef:', 'PRIVATE KEY'])
      expect(body.toString()).not.toContain(secret)
  })
})
