/** A new certificate comes into service by itself or when asked for, and no connection is lost over it. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { installIdentity, lockedIdentity, readStatus, reportCertificate } from '../../src/identity/index.js'
import { probeServed } from '../../src/tls/index.js'
import type { WlbCall } from '../../src/wlb/index.js'
import { createSelfSigned, type Identity } from '../../src/x509/index.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { call } from './raw-client.js'
import { HOSTNAME, startAppliance, type TestAppliance } from './test-appliance.js'

const CHANGE = { how: 'install', now: new Date() } as const
let appliance: TestAppliance
const identities: Identity[] = []
beforeAll(async () => {
  appliance = await startAppliance()
  const request = { hostname: HOSTNAME, addresses: [], now: new Date() }
  for (let count = 0; count < 4; count++) identities.push(await createSelfSigned(request))
})
afterAll(() => appliance.remove())

/** As a command does: the appliance, which settles what a killed one has left, stays away meanwhile. */
const install = (identity: Identity) =>
  lockedIdentity(appliance.paths, () => installIdentity(appliance.paths, identity, CHANGE))

const REMOVE: WlbCall = { method: 'RemoveXenServer', request: { poolUuid: 'none' } }

async function fingerprint(): Promise<string> {
  const served = await probeServed({ address: OWN_ADDRESS, port: appliance.port, timeoutMs: 5000 })
  return served.state === 'served' ? served.fingerprintSha256 : served.why
}

/** Waits for the appliance itself to say so in its log. */
async function logs(text: string, times: number): Promise<void> {
  const count = () => appliance.logged.filter((line) => line.includes(text)).length
  await expect.poll(count, { timeout: 10_000, interval: 20 }).toBe(times)
}

describe('noticed by itself', () => {
  test('both files changed at once', async () => {
    const before = await fingerprint()
    await install(identities[0]!)
    await logs('certificate replaced', 1)
    expect(await fingerprint()).not.toBe(before)
    expect((await reportCertificate(appliance.root, new Date())).served).toMatchObject({ sameAsOnDisk: true })
    expect((await readStatus(appliance.root)).listener).toMatchObject({ fingerprintSha256: await fingerprint() })
  })

  test.each(['certificate', 'key'] as const)('one after the other, the %s first', async (first) => {
    const before = await fingerprint()
    const next = identities[first === 'certificate' ? 1 : 2]!
    const files = [
      { name: 'certificate', path: appliance.paths.certificate, content: next.certificatePem },
      { name: 'key', path: appliance.paths.key, content: next.privateKeyPem },
    ].sort((a) => (a.name === first ? -1 : 1))
    const replaced = first === 'certificate' ? 2 : 3
    for (const { path, content } of files) {
      writeFileSync(`${path}.new`, content, { mode: 0o600 })
      renameSync(`${path}.new`, path)
      expect(await fingerprint()).toMatch(before)
    }
    await logs('certificate replaced', replaced)
    expect(await fingerprint()).not.toBe(before)
  })
})

describe('what cannot be served', () => {
  const cases: [what: string, spoil: () => void, code: string][] = [
    ['another key', () => writeFileSync(appliance.paths.key, identities[3]!.privateKeyPem), 'CERTIFICATE_KEY_MISMATCH'],
    ['an empty certificate', () => writeFileSync(appliance.paths.certificate, ''), 'CERTIFICATE_MISSING'],
    ['no certificate at all', () => rmSync(appliance.paths.certificate), 'IDENTITY_INCOMPLETE'],
  ]
  test.each(cases)('%s: the one before stays, and the log says so once', async (_what, spoil, code) => {
    const before = await fingerprint()
    const count = appliance.logged.filter((line) => line.includes('cannot be served')).length
    spoil()
    await logs('cannot be served', count + 1)
    expect(appliance.logged.at(-1)).toContain(code)
    await appliance.reload()
    await appliance.reload()
    await logs('cannot be served', count + 1)
    expect(await fingerprint()).toBe(before)
    expect(await call(appliance.port, REMOVE)).toEqual({ kind: 'result', leaves: [] })
    await install(identities[2]!)
    await appliance.reload()
  })
})

test('two hundred requests during ten changes: each is answered', { tags: 'long', timeout: 120_000 }, async () => {
  let changing = true
  const change = async () => {
    for (let count = 0; count < 10; count++) {
      await install(identities[count % 4]!)
      await appliance.reload()
    }
    changing = false
  }
  let answered = 0
  const ask = async () => {
    while (changing || answered < 200) {
      expect(await call(appliance.port, REMOVE)).toEqual({ kind: 'result', leaves: [] })
      answered++
    }
  }
  await Promise.all([change(), ...Array.from({ length: 8 }, ask)])
  expect(answered).toBeGreaterThanOrEqual(200)
  expect(await fingerprint()).toBe((await reportCertificate(appliance.root, new Date())).fingerprintSha256)
  rmSync(join(appliance.root, 'none'), { force: true })
})
