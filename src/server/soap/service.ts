/**
 * The service over HTTP: framing, limits and authentication (docs/protocol/wlb.md, framing). Each answer has a length, and
 * ends the connection unless the client asked to keep it alive.
 */
import { type IncomingMessage, type RequestListener, type ServerOptions, ServerResponse, STATUS_CODES } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../config/index.js'
import { BODY_LIMIT_BYTES, SERVICE_PATH } from '../../wlb/index.js'
import type { Account } from './account.js'
import { answerRequest, type Handlers } from './operations.js'
import type { UsedAddresses } from './used-addresses.js'

const HEADERS_TIMEOUT_MS = 10_000
export const BODY_TIMEOUT_MS = 25_000
/** How long a client that was refused early may go on sending before the connection ends. */
export const LINGER_MS = 500
export const LINGER_BYTES = 2 * 1024 * 1024
const XML_TYPE = 'text/xml; charset=utf-8'
const TEXT_TYPE = 'text/plain; charset=utf-8'

/** Pools do not know interim answers, so `Expect: 100-continue` gets the final one only. */
class FinalResponse<Request extends IncomingMessage = IncomingMessage> extends ServerResponse<Request> {
  override writeContinue(): void {}
}

export const HTTP_OPTIONS = {
  ServerResponse: FinalResponse,
  requireHostHeader: false, // Node's own answer would be in chunks
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: HEADERS_TIMEOUT_MS + BODY_TIMEOUT_MS,
  connectionsCheckingInterval: 1000,
} satisfies ServerOptions

export interface ServiceOptions extends Handlers {
  readonly account: Account
  /** Records the host names that authenticated clients used. */
  readonly usedAddresses: UsedAddresses
  /** Told of each connection whose client gave the right password. */
  readonly vouch: (socket: Socket) => void
  readonly clock: Clock
}

/** The answer to a request that is refused before its body is read. */
interface EarlyRefusal {
  readonly status: number
  readonly text: string
  readonly headers?: Readonly<Record<string, string>>
}

export function serviceListener(options: ServiceOptions): RequestListener {
  return (request, response) => {
    const startedMs = performance.now()
    const logged = (facts: Record<string, unknown>) => {
      const durationMs = Math.round(performance.now() - startedMs)
      options.log.info({ remote: request.socket.remoteAddress, ...facts, durationMs }, 'request')
    }
    respond(request, response, options)
      .then(logged)
      .catch((error: unknown) => {
        options.log.error({ err: error }, 'a connection was given up')
        request.socket.destroy()
      })
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServiceOptions,
): Promise<Record<string, unknown>> {
  if (!keepsAlive(request)) response.setHeader('Connection', 'close')
  const refusal = findRefusal(request) ?? (await authenticate(request, response, options.account))
  if (refusal) return refuse(request, response, refusal)
  options.vouch(request.socket)
  options.usedAddresses.record(request.headers.host)

  const body = await readBody(request, options.clock)
  if (body.state === 'gone') return { status: 'gone' }
  if (body.state === 'slow') return refuse(request, response, { status: 408, text: 'The body took too long' })
  const { xml, ...facts } = await answerRequest(body.bytes, options)
  response.writeHead(200, { 'Content-Type': XML_TYPE, 'Content-Length': Buffer.byteLength(xml) })
  response.end(xml)
  return { status: 200, ...facts }
}

/** Path, method and length are checked before the password, because that check is expensive. */
function findRefusal({ url, method, headers, httpVersion }: IncomingMessage): EarlyRefusal | undefined {
  if (headers.host === undefined && httpVersion !== '1.0') return { status: 400, text: 'A request needs a Host' }
  if (url !== SERVICE_PATH) return { status: 404, text: `The service is at ${SERVICE_PATH}` }
  if (method !== 'POST') return { status: 405, text: 'The service takes POST only', headers: { Allow: 'POST' } }
  const length = headers['content-length']
  if (length === undefined || headers['transfer-encoding'] !== undefined)
    return { status: 411, text: 'A request needs a Content-Length' }
  if (Number(length) > BODY_LIMIT_BYTES) return { status: 413, text: `A request has at most ${BODY_LIMIT_BYTES} bytes` }
  return undefined
}

async function authenticate(
  { headers: { authorization }, socket }: IncomingMessage,
  response: ServerResponse,
  account: Account,
): Promise<EarlyRefusal | undefined> {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const accepted = await account.accepts(authorization, socket.remoteAddress ?? '', gone.signal)
  if (accepted) return undefined
  const headers = { 'WWW-Authenticate': 'Basic realm="OpenWLB", charset="UTF-8"' }
  return { status: 401, text: 'The WLB user name or password is missing or wrong', headers }
}

/**
 * Answers before the body has arrived, then reads the body for a short time and drops it: a connection closed with unread
 * bytes is reset, and the client might never see the answer.
 */
async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, text, headers = {} }: EarlyRefusal,
): Promise<Record<string, unknown>> {
  const body = request.method === 'HEAD' ? '' : `${text}\n`
  response.writeHead(status, {
    ...headers,
    Connection: 'close',
    'Content-Type': TEXT_TYPE,
    'Content-Length': Buffer.byteLength(`${text}\n`),
  })
  if (request.complete || hasNoBody(request)) {
    response.end(body)
    return { status }
  }
  response.write(body)
  await drain(request)
  response.end()
  return { status }
}

function hasNoBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
}

function drain(request: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(end, LINGER_MS)
    let bytes = 0
    request
      .once('close', end)
      .on('error', () => {})
      .on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > LINGER_BYTES) end()
      })
  })
}

type Body =
  | { readonly state: 'whole'; readonly bytes: Buffer }
  /** The client went away. */
  | { readonly state: 'gone' }
  | { readonly state: 'slow' }

function readBody(request: IncomingMessage, clock: Clock): Promise<Body> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    const settle = (body: Body) => {
      cancel()
      resolve(body)
    }
    const cancel = clock.schedule(() => settle({ state: 'slow' }), BODY_TIMEOUT_MS)
    request
      .on('data', (piece: Buffer) => pieces.push(piece))
      .once('end', () => settle({ state: 'whole', bytes: Buffer.concat(pieces) }))
      .once('error', () => settle({ state: 'gone' }))
      .once('close', () => settle({ state: 'gone' }))
  })
}

/** Only an explicit keep-alive counts, unlike in HTTP/1.1: pools read some answers to the end of the stream. */
function keepsAlive({ headers }: IncomingMessage): boolean {
  return (headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .some((token) => token.trim() === 'keep-alive')
}

/** Answers what is no HTTP request, or not a whole one in time, and closes; `error` is the HTTP parser's. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, log: Log): void {
  const status = statusOf(error.code)
  const remote = socket instanceof Socket ? socket.remoteAddress : undefined
  log.info({ remote, status, reason: error.message }, 'unreadable request')
  const text = `${STATUS_CODES[status]}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${text.length}`,
  ]
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}

function statusOf(code: string | undefined): 400 | 408 | 431 {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 408
    case 'HPE_HEADER_OVERFLOW':
      return 431
    default:
      return 400
  }
}
