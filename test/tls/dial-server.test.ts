/** What a server must be able to do, and how a connection ends that never came about. */
import { expect, it, vi } from 'vitest'
import { requirePart } from '../real-parts.js'
import { describeDials, dialOutcome, expired, simple } from './dial-case.js'

describeDials('servers', [
  // what the server can do
  ['ECDSA key', 'reset', () => simple({ keyKind: 'ec' })],
  ['TLS 1.3 only', 'reset', () => simple({}, { server: { minVersion: 'TLSv1.3' } })],
  [
    'neither of the two suites',
    'reset',
    () => simple({}, { server: { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' } }),
  ],
  ['P-256 only', 'reset', () => simple({}, { server: { ecdhCurve: 'prime256v1' } })],
  ['no TLS at all', 'reset', () => simple({}, { server: 'plain' })],
  ['nobody listens', 'stunnel: Connection refused', () => simple({}, { server: 'closed' })],
  ['says nothing', 'timeout', () => simple({}, { server: 'silent', timeoutMs: 300 })],
  // nothing verified
  [
    'unverified: not installed, wrong name, expired',
    'accepted',
    () => simple(expired, { bundle: undefined, name: 'x.lab', verify: false }),
  ],
  ['unverified: RSA 1024', 'accepted', () => simple({ keyKind: 'rsa1024' }, { verify: false })],
  ['unverified: ECDSA key', 'reset', () => simple({ keyKind: 'ec' }, { verify: false })],
  ['unverified: nobody listens', 'stunnel: Connection refused', () => simple({}, { verify: false, server: 'closed' })],
])

const clients = ['stunnel', 'node'] as const

it.skipIf(requirePart('stunnel') === undefined).each(clients)('%s gives up when told to', async (client) => {
  const abort = new AbortController()
  const outcome = dialOutcome(client, { ...(await simple({}, { server: 'silent' })), signal: abort.signal })
  abort.abort()
  expect(await outcome).toBe('reset')
})

it.each(clients)('%s does not begin when told before', async (client) => {
  expect(await dialOutcome(client, await simple({}, { signal: AbortSignal.abort() }))).toBe('reset')
})

it('names the program that is missing', async () => {
  vi.stubEnv('XE_STUNNEL', '/nowhere/stunnel')
  await expect(dialOutcome('stunnel', await simple())).rejects.toMatchObject({ code: 'STUNNEL_NOT_FOUND' })
  vi.unstubAllEnvs()
})
