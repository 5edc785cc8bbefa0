/**
 * A host's connection to its WLB appliance (docs/protocol/wlb.md): a new TLS connection for every request, verified
 * with the host's own trust store where the pool asks for it; one request at a time; every failure in the words of the
 * pool's API.
 */
import type { Duplex } from 'node:stream'
import { dialAsPool, floatText, type PoolDial, poolErrorOf, type TlsFailure } from '../../tls/index.js'
import { encodeRequest, type MethodName, type ResultOf, readReply, requestHead, type WlbCall } from '../../wlb/index.js'
import { ApiFailure } from '../../xapi/index.js'
import { layoutOf, placesOf } from '../host/host-files.js'
import { exchange } from './wlb-exchange.js'

export interface WlbAddress {
  /** An IPv6 address comes without its brackets. */
  readonly host: string
  readonly port: number
}

const HIGHEST_PORT = 65_535

/**
 * Reads an address; a path behind the port is ignored.
 *
 * @throws ApiFailure WLB_URL_INVALID, with the text as given, when there is no host, or no port that is a number.
 */
export function parseWlbUrl(url: string): WlbAddress {
  const authority = url.split(/[/?#]/, 1)[0] ?? ''
  const found = /^(?:[^@]*@)?(?:\[(?<bracketed>[0-9A-Fa-f:.%]+)\]|(?<plain>[^:[\]@\s]+)):(?<port>\d{1,5})$/.exec(
    authority,
  )
  const host = found?.groups?.bracketed ?? found?.groups?.plain
  const port = Number(found?.groups?.port)
  if (host === undefined || port > HIGHEST_PORT) throw new ApiFailure('WLB_URL_INVALID', [url])
  return { host, port }
}

interface WlbConnectionOptions {
  readonly tlsClient: 'node' | 'stunnel'
  readonly hostRoot: string
  /** An address for a name, as this host knows it; undefined when it does not. */
  readonly resolve: (name: string) => Promise<string | undefined>
  /** Tells whether this host has no route to an address. */
  readonly isUnroutable?: (address: string) => boolean
  readonly now: () => Date
  readonly userAgent: string
}

export interface WlbTarget {
  readonly url: string
  readonly userName: string
  readonly password: string
  readonly verify: boolean
  /** As pools did before December 2024: the leaf itself must be in the bundle. */
  readonly pinsLeaf?: boolean
  /** For the whole request, including the wait in the queue. */
  readonly timeoutMs: number
  /** Called when the appliance has answered 200 and the body is still to come. */
  readonly onAccepted?: () => void
}

export interface WlbConnection {
  /**
   * Calls the appliance and reads its answer.
   *
   * @throws ApiFailure as the pool's API does: WLB_URL_INVALID, SSL_VERIFY_ERROR, WLB_TIMEOUT, WLB_INTERNAL_ERROR ...
   */
  call<Method extends MethodName>(call: CallOf<Method>, target: WlbTarget): Promise<ResultOf<Method>>
  /** Makes a handshake only, outside the queue, and returns its outcome. @throws ApiFailure WLB_URL_INVALID */
  handshake(target: HandshakeTarget): Promise<{ accepted: boolean; reason: string }>
}

type HandshakeTarget = Pick<WlbTarget, 'url' | 'verify' | 'pinsLeaf' | 'timeoutMs'>

type CallOf<Method extends MethodName> = Extract<WlbCall, { readonly method: Method }>

/** Methods whose answers end with the connection. */
const DOWNLOADS: readonly MethodName[] = ['ExecuteReport', 'GetDiagnostics']

export function createWlbConnection(options: WlbConnectionOptions): WlbConnection {
  const queue = new WlbQueue()
  return {
    async call(call, target) {
      const address = parseWlbUrl(target.url)
      return queue.run(target.timeoutMs, async (signal) => {
        const connection = await dial(options, address, target, signal)
        if (connection.state === 'unresolved') throw unknownHost()
        if (connection.state === 'failed') throw apiFailureOf(connection.failure, address, target.timeoutMs)
        return converse(connection.stream, options.userAgent, address, call, target, signal)
      })
    },
    async handshake(target) {
      const address = parseWlbUrl(target.url)
      const connection = await dial(options, address, target)
      if (connection.state === 'unresolved') return { accepted: false, reason: 'No host resolved' }
      if (connection.state === 'failed') return { accepted: false, reason: reasonOf(connection.failure) }
      connection.stream.on('error', () => {})
      connection.stream.destroy()
      return { accepted: true, reason: '' }
    },
  }
}

type Dialled =
  | { readonly state: 'connected'; readonly stream: Duplex }
  | { readonly state: 'unresolved' }
  | { readonly state: 'failed'; readonly failure: TlsFailure }

async function dial(
  options: WlbConnectionOptions,
  { host, port }: WlbAddress,
  { verify, pinsLeaf = false, timeoutMs }: Omit<HandshakeTarget, 'url'>,
  signal?: AbortSignal,
): Promise<Dialled> {
  const address = await options.resolve(host)
  if (address === undefined) return { state: 'unresolved' }
  // Nothing is sent: the result of a network without a route is returned at once.
  if (options.isUnroutable?.(address)) {
    return { state: 'failed', failure: { kind: 'stunnel', indicator: 'No route to host' } }
  }
  return dialAsPool({
    client: options.tlsClient,
    serverName: host,
    address,
    port,
    verify: verify ? { ...trustStoreOf(options), pinsLeaf } : undefined,
    timeoutMs,
    signal,
  })
}

/** Read for every connection, so that changes take effect at once. */
function trustStoreOf({ hostRoot, now }: WlbConnectionOptions): NonNullable<PoolDial['verify']> {
  const layout = layoutOf(hostRoot)
  const bundle = placesOf(layout, { store: 'LegacyRootCert' }).flatMap((place) => place.bundle ?? [])
  const crls = placesOf(layout, { store: 'CRL' }).map(({ folder }) => folder)
  return { bundlePath: bundle.join(''), crlDirectory: crls.join(''), now }
}

async function converse<Method extends MethodName>(
  stream: Duplex,
  userAgent: string,
  { host }: WlbAddress,
  call: CallOf<Method>,
  { userName, password, timeoutMs, onAccepted }: WlbTarget,
  signal: AbortSignal,
): Promise<ResultOf<Method>> {
  const stop = () => stream.destroy()
  stream.on('error', () => {})
  signal.addEventListener('abort', stop)
  try {
    const body = Buffer.from(encodeRequest(call))
    const head = requestHead({ call, host, userName, password, bodyBytes: body.length, userAgent })
    const readsToEnd = DOWNLOADS.includes(call.method)
    const response = await exchange(stream, Buffer.concat([Buffer.from(head), body]), { readsToEnd, onAccepted })
    if (signal.aborted) throw timedOut(timeoutMs)
    if (response === 'reset') throw connectionReset()
    const reply = readReply(call.method, response)
    if (reply.state === 'failed') throw new ApiFailure(reply.code, reply.params)
    return reply.result
  } finally {
    signal.removeEventListener('abort', stop)
    stream.destroy()
  }
}

interface Waiting {
  readonly start: () => Promise<void>
  readonly isOver: () => boolean
}

/** The longest time a timer takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * The pool sends requests to WLB one at a time, the newest first. A request's time starts when it is queued, so a slow
 * request can make others time out.
 */
class WlbQueue {
  readonly #waiting: Waiting[] = []
  #isBusy = false

  /**
   * Runs `work` when its turn comes; `signal` is aborted when its time is over.
   *
   * @throws ApiFailure WLB_TIMEOUT when the time is over before `work` ends or begins.
   */
  run<Result>(timeoutMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const clock = new AbortController()
    const { signal } = clock
    return new Promise<Result>((resolve, reject) => {
      const expire = () => {
        reject(timedOut(timeoutMs))
        clock.abort()
      }
      const timer = setTimeout(expire, Math.min(timeoutMs, LONGEST_TIMER_MS))
      const start = async () => {
        try {
          resolve(await work(signal))
        } catch (error) {
          reject(error)
        } finally {
          clearTimeout(timer)
        }
      }
      this.#waiting.push({ start, isOver: () => signal.aborted })
      this.#next()
    })
  }

  #next(): void {
    if (this.#isBusy) return
    let next = this.#waiting.pop()
    while (next?.isOver()) next = this.#waiting.pop()
    if (!next) return
    this.#isBusy = true
    void next.start().then(() => {
      this.#isBusy = false
      this.#next()
    })
  }
}

/** Turns a failed handshake into the API's failure; `timeoutMs` is the time the whole request had. */
export function apiFailureOf(failure: TlsFailure, { host, port }: WlbAddress, timeoutMs: number): ApiFailure {
  const [code, ...parameters] = poolErrorOf(failure, `${host}:${port}`, timeoutMs)
  return new ApiFailure(code, parameters)
}

/** Describes the failure as the pool's log does. */
function reasonOf(failure: TlsFailure): string {
  switch (failure.kind) {
    case 'verify':
      return failure.reason === '' ? 'certificate verify failed' : failure.reason
    case 'stunnel':
      return failure.indicator
    case 'reset':
      return 'Connection reset'
    case 'timeout':
      return 'Timed out'
  }
}

function connectionReset(): ApiFailure {
  return new ApiFailure('WLB_CONNECTION_RESET', [])
}

function unknownHost(): ApiFailure {
  return new ApiFailure('WLB_UNKNOWN_HOST', [])
}

function timedOut(timeoutMs: number): ApiFailure {
  return new ApiFailure('WLB_TIMEOUT', [floatText(timeoutMs / 1000)])
}
