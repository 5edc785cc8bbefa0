/**
 * A proxy before every host of a lab, on the hosts' own addresses and a port of its own: it reads each request, and a rule
 * says what becomes of it. So a test can be slow, cut, garble, refuse, or do anything at all at the n-th request.
 */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request, type Server } from 'node:https'
import { createSelfSigned } from '../../src/x509/index.js'
import { decodeJsonRpcCall, encodeJsonRpcResponse } from '../../src/xapi/index.js'
import { freePort } from '../free-port.js'
import type { TestPool } from '../lab/test-pool.js'

export interface Passing {
  readonly host: string
  /** Of XenAPI; for other requests the path. */
  readonly method: string
}

export type Fate =
  | 'pass'
  /** The connection ends and the host never hears of it. */
  | 'cut'
  /** The host does it, and the answer is lost. */
  | 'cut after'
  /** The host does it, and the answer is a page of something else. */
  | 'garble'
  /** In the middle of the answer the connection ends. */
  | 'half'
  | { readonly refusal: readonly [code: string, ...params: string[]] }

export type Rule = (passing: Passing) => Fate | Promise<Fate>

export interface PoolProxy {
  readonly port: number
  /** What becomes of the requests from now on. */
  rule: Rule
  close(): Promise<void>
}

export async function startProxy(pool: TestPool): Promise<PoolProxy> {
  const { certificatePem, privateKeyPem } = await createSelfSigned({
    hostname: 'proxy',
    addresses: [],
    now: new Date(),
    lifetimeDays: 1,
  })
  const port = await freePort()
  const proxy: { rule: Rule } = { rule: () => 'pass' }
  const servers = await Promise.all(
    pool.document.hosts.map(async ({ name, address, tlsPort }) => {
      const server = createServer({ cert: certificatePem, key: privateKeyPem }, async (incoming, response) => {
        const body = await readAll(incoming)
        const target = { address, tlsPort }
        await answer(
          await proxy.rule({ host: name, method: methodOf(incoming, body) }),
          target,
          incoming,
          body,
          response,
        )
      }).listen(port, address)
      await once(server, 'listening')
      return server
    }),
  )
  return Object.assign(proxy, { port, close: async () => void (await Promise.all(servers.map(close))) })
}

async function answer(
  fate: Fate,
  target: { readonly address: string; readonly tlsPort: number },
  incoming: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): Promise<void> {
  if (fate === 'cut') return void incoming.socket.destroy()
  if (typeof fate === 'object') {
    const { version, id } = decodeJsonRpcCall(body.toString())
    const result = { status: 'failure', description: fate.refusal } as const
    return void response.end(encodeJsonRpcResponse({ version, id, result }))
  }
  const { status, headers, text } = await forward(target, incoming, body)
  if (fate === 'cut after') return void incoming.socket.destroy()
  if (fate === 'garble') return void response.end('<html>a portal</html>')
  if (fate === 'half') {
    response.writeHead(200, { 'content-length': text.length })
    response.write(text.subarray(0, text.length / 2), () => incoming.socket.destroy())
    return
  }
  response.writeHead(status, headers).end(text)
}

function forward(
  { address, tlsPort }: { readonly address: string; readonly tlsPort: number },
  { url, method, headers }: IncomingMessage,
  body: Buffer,
): Promise<{ status: number; headers: NodeJS.Dict<string>; text: Buffer }> {
  return new Promise((resolve) => {
    const sent = request(
      {
        host: address,
        port: tlsPort,
        path: url,
        method,
        headers: { ...headers, connection: 'close' },
        rejectUnauthorized: false,
      },
      async (answered) => {
        const type = answered.headers['content-type']
        const kept = type === undefined ? {} : { 'content-type': type }
        resolve({ status: answered.statusCode ?? 500, headers: kept, text: await readAll(answered) })
      },
    )
    sent.once('error', () => resolve({ status: 502, headers: {}, text: Buffer.from('no host behind the proxy') }))
    sent.end(body)
  })
}

function methodOf({ url, method }: IncomingMessage, body: Buffer): string {
  if (method !== 'POST') return new URL(url ?? '/', 'http://host').pathname
  return decodeJsonRpcCall(body.toString()).method
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of stream) pieces.push(piece)
  return Buffer.concat(pieces)
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}
