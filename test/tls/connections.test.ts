/** How many connections there may be, how long each may wait for what, and which one gives way. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type ServedIdentity, startTlsListener, type TlsListener } from '../../src/tls/index.js'
import { roomFor } from '../../src/tls/listener/connections.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { TEST_NOW } from '../x509/test-authority.js'

let identity: ServedIdentity
beforeAll(async () => {
  identity = await createSelfSigned({ hostname: 'wlb.lab', addresses: ['127.0.0.1'], now: TEST_NOW })
})

const opened: { close(): unknown }[] = []
afterEach(async () => {
  for (const { close } of opened.splice(0).reverse()) await close()
})

async function start(options: Partial<Parameters<typeof startTlsListener>[0]> = {}): Promise<TlsListener> {
  const listener = await startTlsListener({
    address: '127.0.0.1',
    port: 0,
    ...identity,
    requestListener: (_request, response) => void response.end('hello'),
    ...options,
  })
  opened.push({ close: () => listener.close() })
  return listener
}

function keep<Kind extends Socket>(socket: Kind): Kind {
  socket.on('error', () => {})
  opened.push({ close: () => socket.destroy() })
  return socket
}

const plain = ({ port }: TlsListener) => keep(connect({ host: '127.0.0.1', port, allowHalfOpen: true }))
const shaken = async ({ port }: TlsListener) => {
  const socket = keep(connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }))
  await once(socket, 'secureConnect')
  return socket
}
const REQUEST = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
const openCount = (listener: TlsListener) => expect.poll(() => listener.connections().open, { timeout: 10_000 })

/** A whole ClientHello, and nothing after it. */
async function hello(): Promise<Buffer> {
  const server = createServer()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const bound = server.address()
  const client = connectTls({ host: '127.0.0.1', port: typeof bound === 'object' && bound ? bound.port : 0 })
  client.on('error', () => {})
  const [taken] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(taken, 'data')) as [Buffer]
  taken.destroy()
  server.close()
  return bytes
}

describe('each phase ends', () => {
  const short = { silent: 200, queued: 200, handshake: 200, waiting: 200, request: 200, answered: 200 }
  const clients: [what: string, attack: (listener: TlsListener) => unknown][] = [
    ['says nothing', plain],
    ['sends half a ClientHello', async (listener) => plain(listener).write((await hello()).subarray(0, 100))],
    [
      'sends half a ClientHello and ends its side',
      async (listener) => plain(listener).end((await hello()).subarray(0, 9)),
    ],
    ['sends a ClientHello and no more', async (listener) => plain(listener).write(await hello())],
    ['sends a ClientHello and ends its side', async (listener) => plain(listener).end(await hello())],
    ['ends its side at once', (listener) => plain(listener).end()],
    ['speaks HTTP without TLS', (listener) => plain(listener).write(REQUEST)],
    ['sends no request', shaken],
    ['sends half a request', async (listener) => (await shaken(listener)).write('GET / HT')],
    ['sends what is no HTTP', async (listener) => (await shaken(listener)).write('\0\0\0\r\n\r\n')],
    ['sends no second request', async (listener) => (await shaken(listener)).write(REQUEST)],
    ['sends a hundred at once', async (listener) => (await shaken(listener)).write(REQUEST.repeat(100))],
  ]
  test.each(clients)('a client that %s', async (_what, attack) => {
    const listener = await start({ limitsMs: short })
    for (let count = 0; count < 5; count++) await attack(listener)
    await openCount(listener).toBe(0)
  })

  test('a client that does not take its answer', async () => {
    const large = Buffer.alloc(64 * 1024 * 1024)
    const listener = await start({
      limitsMs: { ...short, request: 10_000 },
      requestListener: (_request, response) => void response.end(large),
    })
    const socket = await shaken(listener)
    socket.pause().write(REQUEST)
    await openCount(listener).toBe(0)
  })

  test('a request that is not answered', async () => {
    const listener = await start({ limitsMs: short, requestListener: () => {} })
    ;(await shaken(listener)).write(REQUEST)
    await openCount(listener).toBe(0)
  })
})

describe('one request at a time', () => {
  test('those behind it are not looked at, and the connection ends with its answer', async () => {
    let seen = 0
    const listener = await start({
      requestListener: (_request, response) => {
        seen++
        setImmediate(() => response.end('hello'))
      },
    })
    const socket = await shaken(listener)
    socket.write(REQUEST.repeat(1_000))
    const said = Buffer.concat(await socket.toArray()).toString()
    expect(said.match(/HTTP\/1.1 200/g)).toHaveLength(1)
    expect(said).toContain('Connection: close')
    expect(seen).toBe(1)
  })
})

describe('too many connections', () => {
  const room = { inAll: 10, perNetwork: 10, perKnownNetwork: 10 }

  test('the silent ones give way, the oldest first, to one that is served', async () => {
    const listener = await start({ room })
    const silent = Array.from({ length: 10 }, () => plain(listener))
    await openCount(listener).toBe(10)
    const socket = await shaken(listener)
    socket.write(REQUEST)
    expect(String(await once(socket, 'data'))).toContain('hello')
    await expect.poll(() => silent.map(({ readyState }) => readyState === 'open').indexOf(true)).toBeGreaterThan(0)
    expect(listener.connections()).toMatchObject({ limit: 10, givenUp: 1 })
  })

  test('one that has asked with the right password never gives way while it is answered', async () => {
    const answers: (() => void)[] = []
    const listener: TlsListener = await start({
      room,
      requestListener: ({ socket }, response) => {
        listener.vouch(socket)
        answers.push(() => response.end('hello'))
      },
    })
    const pool = await shaken(listener)
    pool.write(REQUEST)
    await expect.poll(() => answers).toHaveLength(1)
    for (let count = 0; count < 50; count++) plain(listener)
    await expect.poll(() => listener.connections().givenUp).toBe(41)
    for (const answer of answers) answer()
    expect(String(await once(pool, 'data'))).toContain('hello')
  })

  test('the network that has most gives way; one the password has come from does last', async () => {
    const from = (listener: TlsListener, localAddress: string) =>
      keep(connect({ host: '127.0.0.1', port: listener.port, localAddress }))
    const listener = await start({ room, isKnown: (network) => network === '127.0.0.2' })
    const known = Array.from({ length: 5 }, () => from(listener, '127.0.0.2'))
    const small = Array.from({ length: 2 }, () => from(listener, '127.0.0.3'))
    const large = Array.from({ length: 3 }, () => from(listener, '127.0.0.4'))
    await openCount(listener).toBe(10)
    from(listener, '127.0.0.5')
    const state = (sockets: Socket[]) => sockets.filter(({ destroyed, readable }) => readable && !destroyed).length
    for (const socket of [...known, ...small, ...large]) socket.resume()
    await expect.poll(() => [state(known), state(small), state(large)]).toEqual([5, 2, 2])
  })

  const rooms: [descriptors: number, room: string][] = [
    [100_000, '512 128 384'],
    [512, '512 128 384'],
    [80, '80 20 60'],
    [0, '16 4 12'],
    [-50, '16 4 12'],
  ]
  test.each(rooms)('%d file descriptors to spare: %s', (descriptors, expected) => {
    const { inAll, perNetwork, perKnownNetwork } = roomFor(descriptors)
    expect(`${inAll} ${perNetwork} ${perKnownNetwork}`).toBe(expected)
  })
})
