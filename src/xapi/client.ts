/**
 * Calls to a pool over HTTPS (docs/protocol/pool.md). Every connection is verified before anything is sent on it.
 * Connections are kept open and shared by the calls of one client.
 */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { WlbError } from '../base/error.js'
import type { HostAddress } from '../base/names/host-address.js'
import { connectPinned, type Trust } from '../tls/index.js'
import { ApiFailure, type ApiResult } from './api-failure.js'
import { fail } from './errors.js'
import { decodeJsonRpcResponseInSteps, encodeJsonRpcCall } from './json-rpc.js'
import type { ApiValue } from './value.js'
import { decodeXmlRpcResponse, encodeXmlRpcCall } from './xml-rpc.js'

export interface XenApiTarget {
  readonly address: HostAddress
  readonly port: number
  readonly trust: Trust
  /** JSON-RPC by default, because it distinguishes ints from strings. */
  readonly protocol?: 'json' | 'xml'
  /** The time limit for connecting and for each answer. For `event.from` its own timeout is added. */
  readonly timeoutMs: number
  /** The time limit for calls that every host carries out, which take minutes in a large pool; `timeoutMs` by default. */
  readonly storeTimeoutMs?: number
  /** Closes the client and aborts a connection attempt. */
  readonly signal?: AbortSignal
}

export interface XenApiClient {
  /** SHA-256 of the certificate the pool presented; a caller that trusts on first use pins it. */
  readonly fingerprintSha256: string
  /**
   * Calls a method. If the method needs a session, pass it as the first parameter.
   *
   * @throws ApiFailure when the pool refuses; API_TIMEOUT, API_UNREACHABLE, API_HTTP_STATUS, RPC_MALFORMED otherwise.
   */
  call(method: string, ...params: ApiValue[]): Promise<ApiValue>
  /** Like `call`, with its own time limit. */
  callWithin(limitMs: number, method: string, ...params: ApiValue[]): Promise<ApiValue>
  /** Closes all connections; pending calls fail. */
  close(): void
}

/** Records of 10,000 VMs, and the events of as many; any other answer is about one object. */
const RECORDS_CALL = /\.get_all_records(_where)?$|^event\.from$/
const ANSWER_LIMIT_BYTES = 4 * 1024 * 1024
const MAX_CONNECTIONS = 4

/** @throws what `connectPinned` throws: PIN_MISMATCH, TLS_UNTRUSTED, CONNECT_REFUSED and the like. */
export async function connectXenApi(target: XenApiTarget): Promise<XenApiClient> {
  const { address, port, timeoutMs, storeTimeoutMs = timeoutMs, signal } = target
  const first = await connectPinned({ address, port, timeoutMs, trust: target.trust, signal })
  const trust: Trust =
    target.trust.kind === 'first-use' ? { kind: 'pin', fingerprintSha256: first.fingerprintSha256 } : target.trust
  const agent = new PinnedAgent(
    first.socket,
    async () => (await connectPinned({ address, port, timeoutMs, trust, signal })).socket,
  )
  const open = new Set<ClientRequest>()
  const codec = target.protocol === 'xml' ? XML : JSON_RPC
  const client: XenApiClient = {
    fingerprintSha256: first.fingerprintSha256,
    call(method, ...params) {
      const limitMs = STORE_CALL.test(method) ? storeTimeoutMs : timeoutMs
      return client.callWithin(limitMs + waitingTimeMs(method, params), method, ...params)
    },
    async callWithin(waitMs, method, ...params) {
      const body = codec.encode(method, params)
      const limitBytes = RECORDS_CALL.test(method) ? codec.recordsLimitBytes : ANSWER_LIMIT_BYTES
      const { path, type } = codec
      const send = () => post({ agent, address, port, path, type, body, waitMs, method, limitBytes, open })
      // The pool may have closed a kept connection while it was idle. Then there is no answer, and the call is sent once more.
      const answer = await send()
        .catch((error: unknown) => {
          if (error instanceof StaleConnection) return send()
          throw error
        })
        .catch((error: unknown) => {
          throw error instanceof StaleConnection ? unreachable(`${address}:${port}`, error) : error
        })
      const result = await codec.decode(answer)
      if (result.status === 'success') return result.value
      const [code = 'INTERNAL_ERROR', ...failureParams] = result.description
      throw new ApiFailure(code, failureParams)
    },
    close() {
      signal?.removeEventListener('abort', client.close)
      for (const pending of open) pending.destroy(new Error('the client was closed'))
      agent.destroy()
    },
  }
  signal?.addEventListener('abort', client.close)
  return client
}

interface Codec {
  readonly path: string
  readonly type: string
  /** Of an answer with the records of a class. */
  readonly recordsLimitBytes: number
  encode(method: string, params: readonly ApiValue[]): string
  decode(body: string): Promise<ApiResult>
}

const XML: Codec = {
  path: '/',
  type: 'text/xml',
  recordsLimitBytes: 8 * 1024 * 1024, // read in one piece, a tenth of a second
  encode: encodeXmlRpcCall,
  decode: async (body) => decodeXmlRpcResponse(body),
}
const JSON_RPC: Codec = {
  path: '/jsonrpc',
  type: 'application/json',
  recordsLimitBytes: 64 * 1024 * 1024,
  encode: (method, params) => encodeJsonRpcCall({ version: '2.0', method, params, id: 1n }),
  decode: async (body) => (await decodeJsonRpcResponseInSteps(body)).result,
}

/** Uses the first, already verified connection, and opens further ones with the same verification. */
class PinnedAgent extends Agent {
  #first: Duplex | undefined
  readonly #connectAgain: () => Promise<Duplex>

  constructor(first: Duplex, connectAgain: () => Promise<Duplex>) {
    super({ keepAlive: true, maxSockets: MAX_CONNECTIONS })
    this.#first = first
    this.#connectAgain = connectAgain
    first.on('error', () => {}) // an error before the first call must not end the process
  }

  override createConnection(
    _options: unknown,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | undefined {
    const first = this.#first
    this.#first = undefined
    if (first && !first.destroyed) return first
    this.#connectAgain().then(
      (stream) => callback?.(null, stream),
      // Node ignores the stream when there is an error, but its types require one.
      (error: Error) => (callback as ((error: Error) => void) | undefined)?.(error),
    )
    return undefined
  }

  override destroy(): void {
    this.#first?.destroy()
    super.destroy()
  }
}

interface Post {
  readonly agent: Agent
  readonly address: string
  readonly port: number
  readonly path: string
  readonly type: string
  readonly body: string
  readonly waitMs: number
  readonly method: string
  readonly limitBytes: number
  readonly open: Set<ClientRequest>
}

function post(call: Post): Promise<string> {
  const { agent, address, port, path, type, body, waitMs, method, limitBytes, open } = call
  return new Promise((resolve, reject) => {
    const headers = { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), 'User-Agent': 'OpenWLB' }
    const sent = request({ agent, host: address, port, path, method: 'POST', headers })
    const timer = setTimeout(() => sent.destroy(fail('API_TIMEOUT', { method, waitMs })), waitMs)
    const place = `${address}:${port}`
    let answered = false
    open.add(sent)
    sent.once('close', () => {
      clearTimeout(timer)
      open.delete(sent)
      if (!answered) reject(unreachable(place, new Error('the connection was closed')))
    })
    sent.on('error', (error) => {
      if (error instanceof WlbError) reject(error)
      else
        reject(
          sent.reusedSocket && !answered ? new StaleConnection('the connection was closed') : unreachable(place, error),
        )
    })
    sent.once('response', (response) => {
      answered = true
      readAnswer(response, place, limitBytes).then(resolve, (error: unknown) => {
        reject(error instanceof WlbError ? error : unreachable(place, error))
        sent.destroy()
      })
    })
    sent.end(body)
  })
}

async function readAnswer(response: IncomingMessage, place: string, limitBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > limitBytes) throw fail('RPC_MALFORMED', { reason: `an answer above ${limitBytes} bytes` })
    pieces.push(piece)
  }
  if (response.statusCode !== 200) throw fail('API_HTTP_STATUS', { server: place, status: response.statusCode ?? 0 })
  return Buffer.concat(pieces).toString('utf8')
}

/** These calls return only after every host, one after the other, has written its trust store. */
const STORE_CALL =
  /^pool\.(install_ca_certificate|uninstall_ca_certificate|certificate_(install|uninstall|sync)|crl_(install|uninstall))$/

/** The time `event.from(session, classes, token, timeout)` may wait for an event before it answers. */
function waitingTimeMs(method: string, params: readonly ApiValue[]): number {
  const seconds = method === 'event.from' ? params[3] : undefined
  return typeof seconds === 'number' || typeof seconds === 'bigint' ? Number(seconds) * 1000 : 0
}

class StaleConnection extends Error {}

function unreachable(server: string, cause: unknown): WlbError {
  return fail('API_UNREACHABLE', { server, reason: cause instanceof Error ? cause.message : String(cause) }, cause)
}
