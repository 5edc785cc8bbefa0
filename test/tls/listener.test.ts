/** The listener under real connections: what it takes, what it keeps while the certificate changes, how it ends. */
import { createPrivateKey } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Agent, request } from 'node:https'
import { connect as connectPlain, type Socket } from 'node:net'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { POOL_TLS, probeServed, type ServedIdentity, startTlsListener, type TlsListener } from '../../src/tls/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { type Issued, issue, issueAuthority, TEST_NOW } from '../x509/test-authority.js'

let first: ServedIdentity
let second: ServedIdentity
let chained: { leaf: Issued; middle: Issued; root: Issued }
beforeAll(async () => {
  first = await createSelfSigned({ hostname: 'first.lab', addresses: ['127.0.0.1'], now: TEST_NOW })
  second = await createSelfSigned({ hostname: 'second.lab', addresses: ['127.0.0.1'], now: TEST_NOW })
  const root = await issueAuthority({ subject: 'Root' })
  const middle = await issueAuthority({ subject: 'Middle', issuer: root })
  chained = { root, middle, leaf: await issue({ subject: 'leaf.lab', issuer: middle }) }
})

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close()
})

type Options = Partial<Parameters<typeof startTlsListener>[0]>

async function start(options: Options = {}): Promise<TlsListener> {
  const listener = await startTlsListener({
    address: '127.0.0.1',
    port: 0,
    ...first,
    ...(!options.onConnection && { requestListener: (_request, response) => response.end('hello') }),
    ...options,
  })
  opened.push({ close: () => listener.close() })
  return listener
}

async function shakeHands(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca: [], rejectUnauthorized: false, ...options })
  opened.push({ close: () => socket.destroy() })
  await once(socket, 'secureConnect')
  return socket
}

async function servedFingerprint({ address, port }: TlsListener): Promise<string> {
  const seen = await probeServed({ address, port, timeoutMs: 5_000 })
  return seen.state === 'served' ? seen.fingerprintSha256 : seen.why
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    ({ code }) => code,
  )

/** A promise and what fulfils it. */
function expectation<T>(): { readonly promise: Promise<T>; resolve(value: T): void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve: (value) => resolve(value) }
}

interface Get {
  readonly answer: Promise<string>
}

/** One request; `answer` is the body, or the code of the error. */
function get(port: number, agent?: Agent): Get {
  const answer = new Promise<string>((resolve) => {
    const sent = request({ host: '127.0.0.1', port, rejectUnauthorized: false, agent: agent ?? false }, (response) => {
      response.toArray().then(
        (chunks) => resolve(Buffer.concat(chunks).toString()),
        (error) => resolve(error.code),
      )
    })
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    sent.end()
  })
  return { answer }
}

describe('what it takes', () => {
  const pool = {
    minVersion: POOL_TLS.version,
    maxVersion: POOL_TLS.version,
    ciphers: `${POOL_TLS.ciphers.join(':')}:@SECLEVEL=2`,
    ecdhCurve: POOL_TLS.curve,
  } as const
  const clients: [what: string, options: ConnectionOptions, outcome: string][] = [
    ['a pool', pool, 'TLSv1.2 ECDHE-RSA-AES256-GCM-SHA384'],
    ['a pool with AES 128 only', { ...pool, ciphers: POOL_TLS.ciphers[1] }, 'TLSv1.2 ECDHE-RSA-AES128-GCM-SHA256'],
    ['a modern client', {}, 'TLSv1.3 TLS_AES_256_GCM_SHA384'],
    ['a modern client, P-256 only', { ecdhCurve: 'prime256v1' }, 'TLSv1.3 TLS_AES_256_GCM_SHA384'],
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }, 'refused'],
    ['CBC suites only', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES256-SHA384' }, 'refused'],
    ['RSA key exchange', { maxVersion: 'TLSv1.2', ciphers: 'AES256-GCM-SHA384' }, 'refused'],
  ]
  const negotiated = (port: number, options: ConnectionOptions) =>
    shakeHands(port, options).then(
      (socket) => `${socket.getProtocol()} ${socket.getCipher().name}`,
      () => 'refused',
    )
  it.each(clients)('%s: before and after a change of certificate', async (_what, options, outcome) => {
    const listener = await start()
    expect(await negotiated(listener.port, options)).toBe(outcome)
    await listener.replaceIdentity(second)
    expect(await negotiated(listener.port, options)).toBe(outcome)
  })

  it('tells of handshakes that fail', async () => {
    const failed = expectation<string>()
    const listener = await start({ onHandshakeError: ({ message }) => failed.resolve(message) })
    connectPlain(listener.port, '127.0.0.1')
      .end('GET / HTTP/1.0\r\n\r\n')
      .on('error', () => {})
    expect(await failed.promise).toContain('http request')
  })

  it('sends the intermediates, and hands raw connections out', async () => {
    const certificatePem = chained.leaf.certificatePem + chained.middle.certificatePem
    const listener = await start({
      certificatePem,
      privateKeyPem: chained.leaf.privateKeyPem,
      onConnection: (socket) => socket.end('raw'),
    })
    const socket = await shakeHands(listener.port, { ca: [chained.root.certificatePem], servername: 'leaf.lab' })
    expect(socket.authorized).toBe(true)
    expect(Buffer.concat(await socket.toArray()).toString()).toBe('raw')
  })
})

describe('replaceIdentity', () => {
  it('serves the new certificate, and a request under way is answered', async () => {
    const started = expectation<ServerResponse>()
    const listener = await start({ requestListener: (_request, response) => started.resolve(response) })
    const slow = get(listener.port)
    const response = await started.promise
    const before = listener.served()

    await listener.replaceIdentity(second)
    expect(listener.served()).not.toBe(before)
    expect(await servedFingerprint(listener)).toBe(listener.served())
    response.end('still here')
    expect(await slow.answer).toBe('still here')
  })

  it('keeps open connections, with their certificate', async () => {
    const listener = await start()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    expect(await get(listener.port, agent).answer).toBe('hello')
    await listener.replaceIdentity(second)
    expect(await get(listener.port, agent).answer).toBe('hello')
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1)
    agent.destroy()
  })

  it('loses no connection while certificates change', async () => {
    const listener = await start()
    const changes = (async () => {
      for (let turn = 0; turn < 6; turn++) await listener.replaceIdentity(turn % 2 ? first : second)
    })()
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(listener.port).answer))
    await changes
    expect(new Set(answers)).toEqual(new Set(['hello']))
  })

  it('changes one after the other; the last one stays', async () => {
    const listener = await start()
    const outcomes = [second, { ...second, privateKeyPem: first.privateKeyPem }, first, second].map((identity) =>
      code(listener.replaceIdentity(identity)),
    )
    expect(await Promise.all(outcomes)).toEqual(['fine', 'CERTIFICATE_KEY_MISMATCH', 'fine', 'fine'])
    expect(await servedFingerprint(listener)).toBe(listener.served())
  })

  it('resumes no session of the certificate before', async () => {
    const listener = await start({ onConnection: (socket) => socket.write('x') })
    const options = { maxVersion: 'TLSv1.2' } as const
    const socket = await shakeHands(listener.port, options)
    const session = socket.getSession()
    expect((await shakeHands(listener.port, { ...options, session })).isSessionReused()).toBe(true)
    await listener.replaceIdentity(second)
    expect((await shakeHands(listener.port, { ...options, session })).isSessionReused()).toBe(false)
  })

  const encrypted = (format: 'pkcs8' | 'pkcs1') =>
    createPrivateKey(second.privateKeyPem)
      .export({ type: format, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })
      .toString()
  const refused: [what: string, identity: () => Partial<ServedIdentity>, code: string][] = [
    ['key of another certificate', () => ({ privateKeyPem: first.privateKeyPem }), 'CERTIFICATE_KEY_MISMATCH'],
    [
      'root before the leaf',
      () => ({
        certificatePem: chained.root.certificatePem + chained.leaf.certificatePem,
        privateKeyPem: chained.leaf.privateKeyPem,
      }),
      'CERTIFICATE_KEY_MISMATCH',
    ],
    ['encrypted key', () => ({ privateKeyPem: encrypted('pkcs8') }), 'KEY_ENCRYPTED'],
    ['encrypted key of the old kind', () => ({ privateKeyPem: encrypted('pkcs1') }), 'KEY_ENCRYPTED'],
    ['no certificate', () => ({ certificatePem: '' }), 'CERTIFICATE_MISSING'],
    ['a key for a certificate', () => ({ certificatePem: second.privateKeyPem }), 'CERTIFICATE_MISSING'],
    ['no key', () => ({ privateKeyPem: '' }), 'KEY_MISSING'],
    ['a certificate for a key', () => ({ privateKeyPem: second.certificatePem }), 'KEY_MISSING'],
    ['cut certificate', () => ({ certificatePem: second.certificatePem.slice(0, 300) }), 'PEM_MALFORMED'],
    [
      'joined without a newline',
      () => ({ certificatePem: second.certificatePem.trim() + first.certificatePem }),
      'PEM_MALFORMED',
    ],
    [
      'a block that is no certificate',
      () => ({
        certificatePem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      }),
      'CERTIFICATE_MALFORMED',
    ],
    [
      'a block that is no key',
      () => ({
        privateKeyPem: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
      }),
      'KEY_MALFORMED',
    ],
    [
      'a broken intermediate',
      () => ({
        certificatePem: `${second.certificatePem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      }),
      'CERTIFICATE_MALFORMED',
    ],
  ]
  it.each(refused)('refuses: %s; the one before stays', async (_what, identity, expected) => {
    const listener = await start()
    const before = listener.served()
    expect(await code(listener.replaceIdentity({ ...second, ...identity() }))).toBe(expected)
    expect(listener.served()).toBe(before)
    expect(await servedFingerprint(listener)).toBe(before)
    expect(await code(start({ ...second, ...identity() }))).toBe(expected)
  })
})

describe('beginning and end', () => {
  it('names the port that is taken', async () => {
    const { port } = await start()
    await expect(start({ port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      facts: { address: '127.0.0.1', port, pid: process.pid, program: expect.stringMatching(/^node/) },
      remedy: `ss -ltnp sport = :${port}`,
    })
  })

  it('waits for a port that is let go', async () => {
    const first = await start()
    const second = start({ port: first.port })
    await new Promise((resolve) => setTimeout(resolve, 300))
    await first.close()
    expect((await second).port).toBe(first.port)
  })

  it('names an address of somebody else', async () => {
    expect(await code(start({ address: '192.0.2.1' }))).toBe('ADDRESS_NOT_HERE')
  })

  it('answers what is under way, closes what is idle, takes nothing new', async () => {
    const started = expectation<ServerResponse>()
    const listener = await start({
      requestListener: ({ url }, response) => (url === '/' ? started.resolve(response) : response.end()),
    })
    const idle = await shakeHands(listener.port)
    idle.write('GET /quick HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(idle.resume(), 'data')
    const agent = new Agent({ keepAlive: true })
    const slow = get(listener.port, agent)
    const response = await started.promise

    const closed = listener.close({ drainMs: 10_000 })
    await once(idle, 'close')
    expect(await get(listener.port).answer).toBe('ECONNREFUSED')
    response.end('last words')
    expect(await slow.answer).toBe('last words')
    await closed
  })

  it('does not wait for the keep-alive of an answer that had begun', async () => {
    const started = expectation<ServerResponse>()
    const listener = await start({
      requestListener: (_request, response) => {
        response.write('first')
        started.resolve(response)
      },
    })
    const slow = get(listener.port, new Agent({ keepAlive: true }))
    const response = await started.promise
    const closed = listener.close({ drainMs: 10_000 })
    response.end(' last')
    expect(await slow.answer).toBe('first last')
    await closed
  }, 8_000)

  it('cuts what is left after the time given', async () => {
    const started = expectation<ServerResponse>()
    const listener = await start({ requestListener: (_request, response) => started.resolve(response) })
    const never = get(listener.port)
    const mute: Socket = connectPlain(listener.port, '127.0.0.1')
    mute.on('error', () => {})
    await once(mute, 'connect')
    await started.promise
    const gone = once(mute, 'close')
    await listener.close({ drainMs: 50 })
    await gone
    expect(await never.answer).toBe('ECONNRESET')
  })

  it('does not wait for a connection that has asked nothing', async () => {
    const listener = await start({ requestListener: () => {} })
    const silent = await shakeHands(listener.port)
    const gone = once(silent, 'close')
    await listener.close({ drainMs: 60_000 })
    await gone
  }, 10_000)

  it('can be closed twice', async () => {
    const listener = await start()
    await Promise.all([listener.close(), listener.close()])
  })
})
