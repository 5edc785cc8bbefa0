/** The XenAPI client against an HTTPS server that answers as each test says. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readHostAddress } from '../../src/base/names/host-address.js'
import { createSelfSigned } from '../../src/x509/index.js'
import {
  type ApiResult,
  type ApiValue,
  connectXenApi,
  decodeJsonRpcCall,
  decodeXmlRpcCall,
  encodeJsonRpcResponse,
  encodeXmlRpcResponse,
  withPool,
  type XenApiClient,
  type XenApiTarget,
} from '../../src/xapi/index.js'

type Answer = ApiResult | 'hang' | 'hang up' | 'close after' | { status: number; body: string }
type Pool = (method: string, params: readonly ApiValue[]) => Answer

const ADDRESS = readHostAddress('127.0.0.2', 'a host')
let server: Server
let port = 0
let fingerprint = ''
let pool: Pool
let calls: string[] = []
let connections = 0

const success = (value: ApiValue): ApiResult => ({ status: 'success', value })

beforeAll(async () => {
  const identity = await createSelfSigned({ hostname: 'xs1', addresses: [ADDRESS], now: new Date() })
  fingerprint = new X509Certificate(identity.certificatePem).fingerprint256
  server = createServer({ cert: identity.certificatePem, key: identity.privateKeyPem }, async (request, response) => {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const body = Buffer.concat(pieces).toString()
    const json = request.url === '/jsonrpc'
    const call = json ? decodeJsonRpcCall(body) : decodeXmlRpcCall(body)
    calls.push(call.method)
    const answer = pool(call.method, call.params)
    if (answer === 'hang') return
    if (answer === 'hang up') return void request.socket.destroy()
    if (answer === 'close after') {
      // Ends the kept connection the moment its answer is out, with no word of it in the answer.
      response.once('finish', () => request.socket.destroy())
      return void response.end(encodeJsonRpcResponse({ version: '2.0', id: 1n, result: success('bye') }))
    }
    if ('body' in answer) return void response.writeHead(answer.status).end(answer.body)
    response.end(
      json ? encodeJsonRpcResponse({ version: '2.0', id: 1n, result: answer }) : encodeXmlRpcResponse(answer),
    )
  })
  server.on('secureConnection', () => {
    connections += 1
  })
  await once(server.listen(0, ADDRESS), 'listening')
  const bound = server.address()
  port = typeof bound === 'object' && bound ? bound.port : 0
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
})
beforeEach(() => {
  calls = []
  connections = 0
  pool = (_method, params) => success([...params])
})

async function use<T>(work: (client: XenApiClient) => Promise<T>, target: Partial<XenApiTarget> = {}): Promise<T> {
  const client = await connectXenApi({
    address: ADDRESS,
    port,
    trust: { kind: 'pin', fingerprintSha256: fingerprint },
    timeoutMs: 5000,
    ...target,
  })
  try {
    return await work(client)
  } finally {
    client.close()
  }
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error && 'code' in error ? error.code : error),
  )

describe('calls', () => {
  it('carry values both ways over JSON', async () => {
    const params = ['OpaqueRef:1', 5n, 1.5, true, ['a'], { k: 'v' }]
    expect(await use((client) => client.call('x', ...params))).toEqual(params)
  })

  it('and over XML, where an int comes back as text', async () => {
    expect(await use((client) => client.call('x', 5n, 1.5, 'a'), { protocol: 'xml' })).toEqual(['5', 1.5, 'a'])
  })

  it('share one connection one after the other, and open more beside each other', async () => {
    await use(async (client) => {
      for (const name of ['a', 'b', 'c']) await client.call(name)
      expect(connections).toBe(1)
      await Promise.all(['d', 'e', 'f'].map((name) => client.call(name)))
      expect(connections).toBeGreaterThan(1)
    })
    expect(calls.sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('outlive a kept connection that was closed', async () => {
    await use(async (client) => {
      pool = () => 'close after'
      await client.call('a')
      pool = () => success('again')
      expect(await client.call('b')).toBe('again')
    })
    expect(connections).toBe(2)
  })
})

describe('failures', () => {
  const cases: [what: string, answer: Answer, code: string][] = [
    ['the pool’s own', { status: 'failure', description: ['HOST_IS_SLAVE', '10.0.0.1'] }, 'HOST_IS_SLAVE'],
    ['an HTTP status', { status: 500, body: '<html>' }, 'API_HTTP_STATUS'],
    ['no JSON', { status: 200, body: '<html>' }, 'RPC_MALFORMED'],
    ['a connection closed in the middle', 'hang up', 'API_UNREACHABLE'],
  ]
  it.each(cases)('%s', async (_what, answer, expected) => {
    pool = () => answer
    expect(await use((client) => code(client.call('x')))).toBe(expected)
  })

  it('no answer in time; a call that waits for news is given that time too', async () => {
    pool = () => 'hang'
    await use(
      async (client) => {
        const started = performance.now()
        expect(await code(client.call('x'))).toBe('API_TIMEOUT')
        expect(await code(client.call('event.from', 's', ['pool'], '', 0.2))).toBe('API_TIMEOUT')
        expect(performance.now() - started).toBeGreaterThan(390)
      },
      { timeoutMs: 100 },
    )
  })

  it('a call under way when the client is closed', async () => {
    pool = () => 'hang'
    const client = await connectXenApi({ address: ADDRESS, port, trust: { kind: 'none' }, timeoutMs: 5000 })
    const pending = code(client.call('x'))
    while (calls.length === 0) await new Promise((resolve) => setImmediate(resolve))
    client.close()
    expect(await pending).toBe('API_UNREACHABLE')
  })
})

describe('trust', () => {
  it('shows the fingerprint seen, and holds later connections to it', async () => {
    await use(async (client) => expect(client.fingerprintSha256).toBe(fingerprint), { trust: { kind: 'first-use' } })
  })

  it('sends nothing to a server with another certificate', async () => {
    const wrong = { trust: { kind: 'pin', fingerprintSha256: '00'.repeat(32) } } as const
    expect(await code(use((client) => client.call('x'), wrong))).toBe('PIN_MISMATCH')
    expect(calls).toEqual([])
  })

  it('a changed certificate is noticed by the next connection', async () => {
    const other = await createSelfSigned({ hostname: 'xs2', addresses: [ADDRESS], now: new Date() })
    await use(
      async (client) => {
        pool = () => 'close after'
        await client.call('a')
        server.setSecureContext({ cert: other.certificatePem, key: other.privateKeyPem })
        expect(await code(client.call('b'))).toBe('PIN_MISMATCH')
      },
      { trust: { kind: 'first-use' } },
    )
    fingerprint = new X509Certificate(other.certificatePem).fingerprint256
  })
})

describe('sessions', () => {
  const enter = <T>(work: () => Promise<T>) =>
    withPool(
      { address: ADDRESS, port, userName: 'root', password: 'secret', trust: { kind: 'none' }, timeoutMs: 5000 },
      work,
    )

  it('are logged out whatever happened', async () => {
    pool = (method) => success(method.startsWith('session.login') ? 'OpaqueRef:s' : '')
    expect(await enter(async () => 'found')).toBe('found')
    await expect(enter(() => Promise.reject(new Error('work')))).rejects.toThrow('work')
    expect(calls).toEqual([
      'session.login_with_password',
      'session.logout',
      'session.login_with_password',
      'session.logout',
    ])
  })

  it('a failing logout hides nothing', async () => {
    pool = (method) =>
      method === 'session.logout'
        ? { status: 'failure', description: ['SESSION_INVALID', 'OpaqueRef:s'] }
        : success('OpaqueRef:s')
    expect(await enter(async () => 'found')).toBe('found')
  })

  it('a login that is refused for a reason of the pool’s own is the pool’s failure', async () => {
    pool = () => ({ status: 'failure', description: ['HOST_STILL_BOOTING'] })
    const refused = await enter(async () => 'never').catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'HOST_STILL_BOOTING', params: [] })
  })

  it('a login that answers no reference is none', async () => {
    pool = () => success(5n)
    expect(await code(enter(async () => 'never'))).toBe('RPC_MALFORMED')
  })
})
