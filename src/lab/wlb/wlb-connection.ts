/**
 * A host's connection to its WLB appliance (docs/protocol/wlb.md): a fresh TLS connection for every request, verified
 * with the host's own trust store where the pool asks for it, and every failure in the words of the pool's API.
 */
import type { Duplex } from 'node:stream'
import { dialAsPool, type PoolDial, type TlsFailure } from '../../tls/index.js'
import { encodeRequest, type MethodName, type ResultOf, readReply, requestHead, type WlbCall } from '../../wlb/index.js'
import { ApiFailure } from '../../xapi/index.js'
import { layoutOf, placesOf } from '../host/layout.js'
import { exchange } from './wlb-exchange.js'
import { apiFailureOf, connectionReset, reasonOf, timedOut, unknownHost } from './wlb-failure.js'
import { WlbQueue } from './wlb-queue.js'
import { parseWlbUrl, type WlbAddress } from './wlb-url.js'

export { parseWlbUrl } from './wlb-url.js'

export interface WlbConnectionOptions {
  readonly tlsClient: 'node' | 'stunnel'
  readonly hostRoot: string
  /** An address for a name, as this host knows it; undefined when it does not. */
  readonly resolve: (name: string) => Promise<string | undefined>
  /** Tells whether no way leads from this host to an address. */
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
  /** For the whole request, waiting in line included. */
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
  /** Only shakes hands, out of line, and says what came of it. @throws ApiFailure WLB_URL_INVALID */
  handshake(target: HandshakeTarget): Promise<{ accepted: boolean; reason: string }>
}

type HandshakeTarget = Pick<WlbTarget, 'url' | 'verify' | 'pinsLeaf' | 'timeoutMs'>

type CallOf<Method extends MethodName> = Extract<WlbCall, { readonly method: Method }>

/** Answers of any length, which end with the connection. */
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
  // Nothing is sent to an address beyond this machine: the answer of a network without a way there is given here.
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
    ...(signal && { signal }),
  })
}

/** Read anew for every connection: what was installed a moment ago counts. */
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
