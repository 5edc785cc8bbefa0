/** What a server must be able to do, and how a connection ends that never came about. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { TLSSocket } from 'node:tls'
import { describe, expect, it, vi } from 'vitest'
import { dialAsPool, startTlsListener } from '../../src/tls/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { TEST_NOW } from '../x509/test-authority.js'
import { describeDials, dialOutcome, expired, simple } from './dial-case.js'

describeDials('servers', [
  // what the server can do
  ['ECDSA key', 'reset', () => simple({ keyKind: 'ec' })],
  ['TLS 1.3 only', 'reset', () => simple({}, { server: { minVersion: 'TLSv1.3' } })],
  ['TLS 1.1 at most', 'reset', () => simple({}, { server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } })],
  [
    'neither of the two suites',
    'reset',
    () => simple({}, { server: { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' } }),
  ],
  ['P-256 only', 'reset', () => simple({}, { server: { ecdhCurve: 'prime256v1' } })],
  [
    'a client certificate demanded',
    'reset',
    () => simple({}, { server: { requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' } }),
  ],
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

describe.skipIf(requirePart('stunnel') === undefined).each(clients)('the stream of %s', (client) => {
  const dial = async (onConnection: (socket: TLSSocket) => void, signal?: AbortSignal) => {
    const own = await createSelfSigned({ hostname: 'wlb.lab', addresses: [], now: TEST_NOW })
    const listener = await startTlsListener({ ...own, address: '127.0.0.1', port: 0, onConnection })
    const { port } = listener
    const target = { client, serverName: 'wlb.lab', address: '127.0.0.1', port, verify: undefined, timeoutMs: 10_000 }
    const connection = await dialAsPool({ ...target, ...(signal && { signal }) })
    if (connection.state === 'failed') throw new Error(connection.log)
    return { stream: connection.stream, listener }
  }

  it('carries a megabyte each way', async () => {
    const { stream, listener } = await dial((socket) => socket.pipe(socket))
    const sent = randomBytes(1 << 20)
    stream.write(sent)
    const received: Buffer[] = []
    let bytes = 0
    for await (const chunk of stream) {
      received.push(chunk)
      bytes += chunk.length
      if (bytes === sent.length) break
    }
    expect(Buffer.concat(received).equals(sent)).toBe(true)
    await listener.close()
  })

  it('ends when the server ends', async () => {
    const { stream, listener } = await dial((socket) => socket.end('bye'))
    const closed = once(stream, 'close')
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('bye')
    await closed
    await listener.close()
  })

  it('is destroyed without an error, and hangs up', async () => {
    const hungUp = new Promise<void>((resolve) => {
      dial((socket) => socket.resume().once('close', () => resolve())).then(({ stream, listener }) => {
        stream.destroy()
        listener.close({ drainMs: 10_000 })
      })
    })
    await hungUp
  })

  it('is destroyed when told to', async () => {
    const abort = new AbortController()
    const { stream, listener } = await dial((socket) => socket.resume(), abort.signal)
    const closed = once(stream, 'close')
    abort.abort()
    await closed
    await listener.close()
  })
})

it('names the program that is missing', async () => {
  vi.stubEnv('XE_STUNNEL', '/nowhere/stunnel')
  await expect(dialOutcome('stunnel', await simple())).rejects.toMatchObject({ code: 'STUNNEL_NOT_FOUND' })
  vi.unstubAllEnvs()
})
