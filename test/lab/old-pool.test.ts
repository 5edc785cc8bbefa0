/** Hosts of before December 2024, and hosts whose clock is wrong: our client and the real stunnel say the same. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createWlbConnection } from '../../src/lab/wlb/wlb-connection.js'
import { requirePart } from '../real-parts.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../x509/test-authority.js'
import { type Appliance, startAppliance } from './wlb-connection-server.js'

const NAME = 'wlb.lab.internal'
const names = { subject: NAME, dnsNames: [NAME] }
const root = mkdtempSync(join(tmpdir(), 'openwlb-old-'))
const certificates = new Map<string, Issued>()
const appliances = new Map<string, Appliance>()

beforeAll(async () => {
  mkdirSync(join(root, 'etc/stunnel/crls'), { recursive: true })
  const authority = await issueAuthority({ subject: 'Lab Authority' })
  const aged = await issueAuthority({
    subject: 'Aged Authority',
    notBefore: daysFromNow(-200),
    notAfter: daysFromNow(-1),
  })
  const dates = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-1) }
  const made: [string, Promise<Issued>][] = [
    ['self', issue({ ...names, ca: true })],
    ['issued', issue({ ...names, issuer: authority })],
    ['expired', issue({ ...names, issuer: authority, ...dates })],
    ['of-aged', issue({ ...names, issuer: aged })],
    ['client-only', issue({ ...names, issuer: authority, extendedKeyUsage: ['clientAuth'] })],
  ]
  certificates.set('root', authority)
  certificates.set('stranger', await issue({ ...names, ca: true, keyLabel: 'another key' }))
  certificates.set('aged', aged)
  for (const [label, one] of made) {
    const issued = await one
    certificates.set(label, issued)
    appliances.set(label, await startAppliance(issued, (socket) => void socket.end()))
  }
})
afterAll(async () => {
  for (const appliance of appliances.values()) await appliance.close()
  rmSync(root, { recursive: true })
})

async function shake(
  client: 'node' | 'stunnel',
  served: string,
  installed: string,
  how: { name?: string; days?: number; pinsLeaf?: boolean },
) {
  const { name = NAME, days = 0, pinsLeaf = false } = how
  const bundle = installed.split(' ').map((label) => certificates.get(label)?.certificatePem ?? '')
  writeFileSync(join(root, 'etc/stunnel/xapi-stunnel-ca-bundle.pem'), bundle.join('\n'))
  const connection = createWlbConnection({
    tlsClient: client,
    hostRoot: root,
    resolve: async () => '127.0.0.1',
    now: () => new Date(Date.now() + days * 86_400_000),
    userAgent: 'xapi/2.21',
  })
  const url = `${name}:${appliances.get(served)?.port}`
  const { accepted, reason } = await connection.handshake({ url, verify: true, pinsLeaf, timeoutMs: 10_000 })
  return accepted ? 'accepted' : reason
}

const NOT_FOUND = 'Certificate not found in local repository'
const unverified = (text: string) => `Pre-verification error: ${text}`

describe.each(['node', 'stunnel'] as const)('%s', (client) => {
  const missing = client === 'stunnel' && !(requirePart('stunnel') && requirePart('faketime'))
  const old: [served: string, installed: string, name: string, said: string][] = [
    ['self', 'self', NAME, 'accepted'],
    ['self', 'root', NAME, unverified('self-signed certificate')],
    ['issued', 'root', NAME, NOT_FOUND],
    ['issued', 'issued', NAME, 'accepted'],
    ['issued', 'root issued', NAME, 'accepted'],
    ['issued', 'stranger', NAME, NOT_FOUND],
    ['issued', 'self', NAME, 'accepted'], // the same name and the same key
    ['issued', 'root issued', 'other.lab.internal', 'Subject checks failed'],
    ['issued', 'stranger', 'other.lab.internal', 'Subject checks failed'],
    ['expired', 'root expired', NAME, unverified('certificate has expired')],
    ['expired', 'root', NAME, unverified('certificate has expired')],
    ['expired', 'expired', NAME, unverified('certificate has expired')],
    ['of-aged', 'aged of-aged', NAME, 'accepted'],
    ['of-aged', 'aged', NAME, NOT_FOUND],
    ['client-only', 'root client-only', NAME, unverified('unsuitable certificate purpose')],
  ]
  it.skipIf(missing).each(old)('%s served, %s installed, asked for %s: %s', async (served, installed, name, said) => {
    expect(await shake(client, served, installed, { name, pinsLeaf: true })).toBe(said)
  })

  const clocks: [days: number, said: string][] = [
    [-3, unverified('certificate is not yet valid')],
    [0, 'accepted'],
    [40, unverified('certificate has expired')],
  ]
  it.skipIf(missing).each(clocks)('a clock that is %i days off: %s', async (days, said) => {
    expect(await shake(client, 'issued', 'root', { days })).toBe(said)
  })
})
