/** Connections of our own: what is believed under which kind of trust, and what a failure is called. */
import { createServer as createPlainServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectPinned, probeServed, startTlsListener, type TlsListener, type Trust } from '../../src/tls/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { daysFromNow, issue, issueAuthority, TEST_NOW } from '../x509/test-authority.js'

const address = '127.0.0.1'
let valid: TlsListener
let expired: TlsListener
let anchor: string
let otherAnchor: string

beforeAll(async () => {
  const root = await issueAuthority({ subject: 'Root' })
  const names = { dnsNames: ['pool.lab'], ipAddresses: [address], issuer: root }
  const good = await issue({ subject: 'pool.lab', ...names })
  const old = await issue({ subject: 'pool.lab', ...names, notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) })
  anchor = root.certificatePem
  otherAnchor = (await createSelfSigned({ hostname: 'other.lab', addresses: [], now: TEST_NOW })).certificatePem
  const serve = (identity: typeof good) =>
    startTlsListener({ address, port: 0, ...identity, requestListener: (_request, response) => response.end() })
  valid = await serve(good)
  expired = await serve(old)
})
afterAll(() => Promise.all([valid.close(), expired.close()]))

describe('trust', () => {
  const cases: [what: string, server: 'valid' | 'expired', trust: () => Trust, outcome: string][] = [
    ['first use', 'valid', () => ({ kind: 'first-use' }), 'connected'],
    ['first use, expired', 'expired', () => ({ kind: 'first-use' }), 'connected'],
    ['none', 'expired', () => ({ kind: 'none' }), 'connected'],
    ['pinned', 'valid', () => ({ kind: 'pin', fingerprintSha256: valid.served() }), 'connected'],
    ['pinned, expired', 'expired', () => ({ kind: 'pin', fingerprintSha256: expired.served() }), 'connected'],
    [
      'pin in small letters without colons',
      'valid',
      () => ({
        kind: 'pin',
        fingerprintSha256: valid.served().replaceAll(':', '').toLowerCase(),
      }),
      'connected',
    ],
    ['pin of another', 'valid', () => ({ kind: 'pin', fingerprintSha256: expired.served() }), 'PIN_MISMATCH'],
    ['empty pin', 'valid', () => ({ kind: 'pin', fingerprintSha256: '' }), 'PIN_MISMATCH'],
    ['authority and name', 'valid', () => ({ kind: 'ca-file', pem: anchor, name: 'pool.lab' }), 'connected'],
    ['authority and address', 'valid', () => ({ kind: 'ca-file', pem: anchor, name: address }), 'connected'],
    ['authority, another name', 'valid', () => ({ kind: 'ca-file', pem: anchor, name: 'x.lab' }), 'TLS_UNTRUSTED'],
    [
      'authority, another address',
      'valid',
      () => ({ kind: 'ca-file', pem: anchor, name: '127.0.0.9' }),
      'TLS_UNTRUSTED',
    ],
    ['authority, expired', 'expired', () => ({ kind: 'ca-file', pem: anchor, name: 'pool.lab' }), 'TLS_UNTRUSTED'],
    ['another authority', 'valid', () => ({ kind: 'ca-file', pem: otherAnchor, name: 'pool.lab' }), 'TLS_UNTRUSTED'],
    ['no authority in the file', 'valid', () => ({ kind: 'ca-file', pem: '', name: 'pool.lab' }), 'TLS_UNTRUSTED'],
  ]
  it.each(cases)('%s (%s): %s', async (_what, server, trust, outcome) => {
    const listener = server === 'valid' ? valid : expired
    const connected = connectPinned({ address, port: listener.port, timeoutMs: 5_000, trust: trust() })
    const result = await connected.then(
      ({ socket, fingerprintSha256 }) => {
        socket.destroy()
        return fingerprintSha256 === listener.served() ? 'connected' : fingerprintSha256
      },
      ({ code }) => code,
    )
    expect(result).toBe(outcome)
  })

  it('tells which pin was expected and which was seen', async () => {
    const trust = { kind: 'pin', fingerprintSha256: expired.served() } as const
    await expect(connectPinned({ address, port: valid.port, timeoutMs: 5_000, trust })).rejects.toMatchObject({
      facts: { expected: expired.served(), seen: valid.served() },
    })
  })
})

describe('no handshake', () => {
  const servers: [what: string, answer: string | undefined, code: string, why: RegExp][] = [
    ['no TLS there', 'SSH-2.0-x\r\n', 'TLS_FAILED', /wrong version number/],
    ['hangs up', '', 'TLS_FAILED', /disconnected|reset|closed/],
    ['silent', undefined, 'CONNECT_TIMEOUT', /no handshake within 200 ms/],
  ]
  it.each(servers)('%s', async (_what, answer, code, why) => {
    const server = createPlainServer((socket) => {
      socket.on('error', () => {})
      if (answer === undefined) socket.resume()
      else socket.end(answer)
    })
    const port = await new Promise<number>((resolve) => {
      server.listen(0, address, () => {
        const bound = server.address()
        resolve(typeof bound === 'object' && bound ? bound.port : 0)
      })
    })
    const target = { address, port, timeoutMs: 200, trust: { kind: 'none' } } as const
    await expect(connectPinned(target)).rejects.toMatchObject({ code })
    expect(await probeServed(target)).toMatchObject({ state: 'unreachable', why: expect.stringMatching(why) })
    server.close()
  })

  it('nobody listens', async () => {
    const target = { address, port: 1, timeoutMs: 5_000, trust: { kind: 'none' } } as const
    await expect(connectPinned(target)).rejects.toMatchObject({ code: 'CONNECT_REFUSED' })
    expect(await probeServed(target)).toMatchObject({
      state: 'unreachable',
      why: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('a name nobody knows', async () => {
    const target = { address: 'nowhere.invalid', port: 1, timeoutMs: 20_000, trust: { kind: 'none' } } as const
    await expect(connectPinned(target)).rejects.toMatchObject({ code: 'HOST_UNKNOWN' })
  })

  it('given up', async () => {
    const target = { address, port: valid.port, timeoutMs: 5_000, trust: { kind: 'none' } } as const
    await expect(connectPinned({ ...target, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'TLS_FAILED',
    })
  })
})

it('probes what is served', async () => {
  const seen = await probeServed({ address, port: valid.port, timeoutMs: 5_000, serverName: 'pool.lab' })
  expect(seen).toMatchObject({
    state: 'served',
    fingerprintSha256: valid.served(),
    protocol: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    chain: [{ subject: 'CN=pool.lab' }],
  })
})
