/**
 * How hosts of one pool reach each other: JSON-RPC over TLS to the internal certificate (SNI `pool`). With pool TLS
 * verification on, the other side must show a certificate that is in the pool's bundle, byte for byte; otherwise
 * nothing is verified (docs/protocol/pool.md, between hosts).
 */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { POOL_TLS } from '../../tls/index.js'
import { readPemBlocks } from '../../x509/index.js'
import { ApiFailure, type ApiValue, decodeJsonRpcResponse, encodeJsonRpcCall } from '../../xapi/index.js'
import { HostUnreachable } from './host.js'
import { type HostLayout, placesOf } from './host-files.js'

const CONNECT_TIMEOUT_MS = 5_000
/** As long as the slowest answer between hosts: one that waits for a third host. */
const ANSWER_TIMEOUT_MS = 120_000

export interface PoolTransport {
  /** @throws HostUnreachable when there is no answer; ApiFailure when the answer is one. */
  call(address: string, method: string, params: readonly ApiValue[]): Promise<ApiValue>
  /** Opens a stream that stays open, as the heartbeat does. @throws HostUnreachable */
  open(address: string, path: string): Promise<{ response: IncomingMessage; stop(): void }>
  /** Opens a connection to another host's TLS port without verifying it, as the forwarding of commands does. */
  connectUnverified(address: string): Promise<Duplex>
  forgetIdleConnections(): void
  close(): void
}

export function createPoolTransport(layout: HostLayout, tlsPort: number, poolSecret: string): PoolTransport {
  const agent = new PoolAgent(layout)
  const post = (address: string, path: string, body: string, type: string) =>
    request({
      agent,
      host: address,
      port: tlsPort,
      path,
      method: 'POST',
      headers: {
        'content-type': type,
        'content-length': Buffer.byteLength(body),
        cookie: `pool_secret=${poolSecret}`,
        connection: 'keep-alive',
      },
    })
  let lastId = 0n

  return {
    async call(address, method, params) {
      const body = encodeJsonRpcCall({ version: '1.0', method, params, id: ++lastId })
      const response = await answerTo(post(address, '/jsonrpc', body, 'application/json'), body, ANSWER_TIMEOUT_MS)
      const text = await bodyOf(response)
      if (response.statusCode !== 200)
        throw new ApiFailure('INTERNAL_ERROR', [`${method}: HTTP ${response.statusCode}`])
      const { result } = decodeJsonRpcResponse(text)
      if (result.status === 'success') return result.value
      const [code = 'INTERNAL_ERROR', ...rest] = result.description
      throw new ApiFailure(code, rest)
    },
    async open(address, path) {
      const sent = post(address, path, '', 'application/json')
      const response = await answerTo(sent, '', CONNECT_TIMEOUT_MS)
      return { response, stop: () => sent.destroy() }
    },
    connectUnverified: (address) => connectTls(address, tlsPort, undefined, () => true),
    forgetIdleConnections() {
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    },
    close: () => agent.destroy(),
  }
}

/** Keeps connections for the next call, as the pool keeps its stunnels. */
class PoolAgent extends Agent {
  readonly #layout: HostLayout

  constructor(layout: HostLayout) {
    super({ keepAlive: true, maxSockets: 16 })
    this.#layout = layout
  }

  override createConnection(
    { host, port }: { host?: string | null | undefined; port?: number | string | null | undefined },
    onCreated: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    connectAsHost(this.#layout, host ?? '127.0.0.1', Number(port)).then(
      (socket) => onCreated(null, socket),
      // Node's type requires a stream in addition to the error, and Node reads the error only.
      (error: Error) => (onCreated as (error: Error) => void)(error),
    )
    return undefined
  }
}

/** The other side served a certificate that is not in the pool's bundle. */
export class PeerNotTrusted extends HostUnreachable {}

/**
 * Connects as one host of the pool does to another: verified against the pool's bundle once verification is on.
 *
 * @throws PeerNotTrusted, or HostUnreachable for everything else.
 */
export async function connectAsHost(layout: HostLayout, address: string, port: number): Promise<TLSSocket> {
  const anchors = existsSync(layout.verifySwitch) ? await trustedPeers(layout) : undefined
  return connectTls(address, port, 'pool', (socket) => {
    const shown = socket.getPeerCertificate().raw
    return anchors === undefined || anchors.some((der) => der.equals(shown))
  })
}

async function trustedPeers(layout: HostLayout): Promise<Buffer[]> {
  const [place] = placesOf(layout, { store: 'HostPoolCert' })
  const text = place?.bundle ? await readFile(place.bundle, 'utf8').catch(() => '') : ''
  return readPemBlocks(text).flatMap(({ label, der }) => (label === 'CERTIFICATE' ? [der] : []))
}

function connectTls(
  address: string,
  port: number,
  servername: string | undefined,
  isTrusted: (socket: TLSSocket) => boolean,
): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: address,
      port,
      servername,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      minVersion: POOL_TLS.version,
      maxVersion: POOL_TLS.version,
      ciphers: POOL_TLS.ciphers.join(':'),
      ecdhCurve: POOL_TLS.curve,
    })
    const fail = (why: string, cause?: unknown) => {
      socket.destroy()
      reject(new HostUnreachable(`${address}:${port}: ${why}`, { cause }))
    }
    const refuse = () => {
      socket.destroy()
      reject(new PeerNotTrusted(`${address}:${port}: its certificate is not in the pool's bundle`))
    }
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail('no handshake in time'))
    socket.once('error', (error) => fail(error.message, error))
    socket.once('secureConnect', () => {
      if (!isTrusted(socket)) return refuse()
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      socket.removeAllListeners('error')
      socket.on('error', () => {}) // users of the stream see it close
      socket.setNoDelay(true)
      resolve(socket)
    })
  })
}

function answerTo(sent: ClientRequest, body: string, timeoutMs: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.setTimeout(timeoutMs, () => sent.destroy(new HostUnreachable('no answer in time')))
    sent.once('response', (response) => {
      // Node's timeout counts silence after the answer has begun, too; a heartbeat is silent for hours.
      sent.setTimeout(0)
      resolve(response)
    })
    sent.once('error', (error) => {
      reject(error instanceof HostUnreachable ? error : new HostUnreachable(error.message, { cause: error }))
    })
    sent.end(body)
  })
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  try {
    for await (const piece of response) pieces.push(piece)
  } catch (error) {
    throw new HostUnreachable('the answer broke off', { cause: error })
  }
  return Buffer.concat(pieces).toString('utf8')
}
