/**
 * The appliance's TLS listener: it accepts what pools and modern clients offer, and its certificate can be replaced while
 * connections are open (docs/protocol/pool.md).
 */
import { randomBytes } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { createServer as createHttpsServer, type ServerOptions } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { createServer as createTlsServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls'
import { type HostAddress, readHostAddress } from '../../base/names/host-address.js'
import { fail } from '../errors.js'
import { checkIdentity, type ServedIdentity } from '../identity-check.js'
import { POOL_TLS } from '../pool-client.js'
import { probeServed } from '../probe.js'
import {
  type ConnectionCounts,
  Connections,
  type ConnectionsOptions,
  findRoom,
  PHASE_LIMITS_MS,
  type Phase,
  type PhaseLimits,
} from './connections.js'
import { type Exchanges, superviseExchanges } from './http-exchanges.js'
import { findPortHolder } from './port-holder.js'

export interface ListenerOptions extends ServedIdentity {
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion?: 'TLSv1.2' | 'TLSv1.3'
  /** Serves HTTP. Exactly one of this and `onConnection`. */
  readonly requestListener?: RequestListener
  /** Gets the decrypted stream of each connection. */
  readonly onConnection?: (socket: TLSSocket) => void
  /** Timeouts and limits of Node's HTTP server. */
  readonly http?: Omit<ServerOptions, 'cert' | 'key'>
  readonly room?: ConnectionsOptions['room']
  readonly limitsMs?: Partial<PhaseLimits>
  /** Whether the right password has come from this network before (base/names/network.ts); it is served first. */
  readonly isKnown?: ConnectionsOptions['isKnown']
  /** Called for each connection that is closed without an answer, for the log. */
  readonly onGivenUp?: ConnectionsOptions['onGivenUp']
  /** Called for each failed handshake, for the log. */
  readonly onHandshakeError?: (error: Error, socket: TLSSocket) => void
  /** Answers and closes a connection whose request is no HTTP or does not arrive; left out, Node answers. */
  readonly onUnreadableRequest?: (error: NodeJS.ErrnoException, socket: Duplex) => void
}

export interface TlsListener {
  readonly address: string
  readonly port: number
  /**
   * Serves another certificate from the next handshake on; open connections keep theirs. Returns when a handshake has
   * shown it. On any error the one before stays.
   *
   * @throws CERTIFICATE_KEY_MISMATCH, KEY_ENCRYPTED, PEM_MALFORMED and the other codes of an identity that cannot be served.
   * @throws IDENTITY_NOT_SERVED when a handshake afterwards does not show the new certificate.
   */
  replaceIdentity(identity: ServedIdentity): Promise<void>
  /** Fingerprint (SHA-256) of the leaf being served. */
  served(): string
  /** Told of a connection whose client gave the right password. */
  vouch(socket: Socket): void
  connections(): ConnectionCounts
  /** Takes no new connections, cuts silent ones after a second and requests under way after `drainMs`. */
  close(options?: { readonly drainMs?: number }): Promise<void>
}

/** Modern clients first; then what pools offer. */
const CIPHERS = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  ...POOL_TLS.ciphers,
].join(':')

/** How long a connection may stay silent while the listener closes. */
const SILENCE_MS = 1_000
const PROOF_TIMEOUT_MS = 10_000
/** How long a port that is taken is asked for again: a process that is ending still has its sockets for a moment. */
const PORT_PATIENCE_MS = 3_000
const PORT_RETRY_MS = 50

/**
 * Listens, once the identity is proven to work.
 *
 * @throws PORT_IN_USE when another process has the port for three seconds; ADDRESS_NOT_HERE or PORT_NOT_PERMITTED when the
 *   address cannot be taken; and the codes of `checkIdentity`.
 */
export async function startTlsListener(options: ListenerOptions): Promise<TlsListener> {
  let leaf = checkIdentity(options)
  let identity: ServedIdentity = options
  const connections = new Connections({
    room: options.room ?? findRoom(),
    isKnown: options.isKnown ?? (() => false),
    limitsMs: { ...PHASE_LIMITS_MS, ...options.limitsMs },
    onGivenUp: options.onGivenUp ?? (() => {}),
  })
  const { server, exchanges, carrierOf } = createServer(options, connections)
  let closing: Promise<void> | undefined

  await listen(server, connections, options)
  const { address, port } = readAddress(server)

  const prove = async () => {
    const seen = await probeServed({ address: reachable(address), port, timeoutMs: PROOF_TIMEOUT_MS })
    if (seen.state !== 'served' || seen.fingerprintSha256 !== leaf.fingerprint256) {
      throw fail('IDENTITY_NOT_SERVED', {
        expected: leaf.fingerprint256,
        seen: seen.state === 'served' ? seen.fingerprintSha256 : seen.why,
      })
    }
  }

  const replace = async (next: ServedIdentity) => {
    const before = { leaf, identity }
    leaf = checkIdentity(next)
    identity = { certificatePem: next.certificatePem, privateKeyPem: next.privateKeyPem }
    try {
      server.setSecureContext(secureOptions(options, identity))
      server.setTicketKeys(randomBytes(48)) // sessions of the certificate before must not be resumed
      await prove()
    } catch (error) {
      ;({ leaf, identity } = before)
      server.setSecureContext(secureOptions(options, identity))
      throw error
    }
  }

  let turn: Promise<unknown> = Promise.resolve()
  return {
    address,
    port,
    replaceIdentity: (next) => {
      const replaced = turn.then(() => replace(next))
      turn = replaced.catch(() => {}) // the caller gets the error; the next one only waits
      return replaced
    },
    served: () => leaf.fingerprint256,
    vouch: (socket) => {
      const carrier = carrierOf(socket)
      if (carrier) connections.vouch(carrier)
    },
    connections: () => connections.counts(),
    close: ({ drainMs = 0 } = {}) => {
      closing ??= drain({ server, exchanges, connections, drainMs })
      return closing
    },
  }
}

interface Parts {
  readonly server: Server
  readonly exchanges: Exchanges | undefined
  /** The connection below TLS; undefined until the handshake has ended. */
  readonly carrierOf: (socket: Duplex) => Socket | undefined
}

function createServer(options: ListenerOptions, connections: Connections): Parts {
  const tls = {
    ...options.http,
    ...secureOptions(options, options),
    handshakeTimeout: options.limitsMs?.handshake ?? PHASE_LIMITS_MS.handshake,
  }
  const https = options.onConnection ? undefined : createHttpsServer(tls)
  const server = https ?? createTlsServer(tls, options.onConnection)

  // Node begins the handshake with every connection at once; here it is the ledger of connections that says when.
  const beginHandshake = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (carrier: Socket) => {
    connections.admit(carrier, () => {
      for (const begin of beginHandshake) Reflect.apply(begin, server, [carrier])
    })
  })

  const carriers = new WeakMap<Duplex, Socket>()
  const carrierOf = (socket: Duplex) => carriers.get(socket)
  const enter = (socket: Duplex, phase: Phase) => {
    const carrier = carriers.get(socket)
    if (carrier) connections.enter(carrier, phase)
  }
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const carrier = connections.sockets().find((other) => peerOf(other) === peerOf(socket))
    if (!carrier) return void socket.destroy() // the client is gone already
    carriers.set(socket, carrier)
    socket.on('error', () => {}) // a reset connection needs no action
    connections.enter(carrier, options.onConnection ? 'handed out' : 'waiting')
  })
  server.on('tlsClientError', (error, socket) => {
    options.onHandshakeError?.(error, socket)
    socket.destroy()
  })
  const { requestListener: serve, onUnreadableRequest } = options
  const phaseOf = (socket: Duplex) => {
    const carrier = carriers.get(socket)
    return carrier && connections.phaseOf(carrier)
  }
  const exchanges = https && serve && superviseExchanges(https, { enter, phaseOf, serve, onUnreadableRequest })
  return { server, exchanges, carrierOf }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** All of them each time: what is left out when a context is replaced falls back to Node's defaults. */
function secureOptions(options: ListenerOptions, identity: ServedIdentity): SecureContextOptions {
  return {
    cert: identity.certificatePem,
    key: identity.privateKeyPem,
    minVersion: options.minVersion ?? 'TLSv1.2',
    maxVersion: options.maxVersion ?? 'TLSv1.3',
    ciphers: CIPHERS,
    ecdhCurve: 'auto', // pools offer secp384r1 alone
    honorCipherOrder: true,
  }
}

async function listen(server: Server, connections: Connections, { address, port }: ListenerOptions): Promise<void> {
  const deadline = performance.now() + PORT_PATIENCE_MS
  for (;;) {
    const error = await tryToListen(server, address, port)
    if (error === undefined) break
    if (error.code !== 'EADDRINUSE' || performance.now() > deadline) throw await cannotListen(error, address, port)
    await pause(PORT_RETRY_MS)
  }
  server.on('error', () => connections.shed()) // EMFILE or ENFILE while accepting; it goes on
}

function tryToListen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const settle = (error?: NodeJS.ErrnoException) => {
      server.off('error', settle).off('listening', settle)
      resolve(error)
    }
    server.once('error', settle).once('listening', settle).listen({ host, port })
  })
}

function readAddress(server: Server): { address: string; port: number } {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has an address and a port')
  return bound
}

/** Where a listener on every address can be reached. */
export function reachable(address: string): HostAddress {
  const meant = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address
  return readHostAddress(meant, 'the appliance')
}

interface Draining {
  readonly server: Server
  readonly exchanges: Exchanges | undefined
  readonly connections: Connections
  readonly drainMs: number
}

async function drain({ server, exchanges, connections, drainMs }: Draining): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  exchanges?.windDown()
  const timers = [
    setTimeout(() => connections.cutIdle(), Math.min(SILENCE_MS, drainMs)),
    setTimeout(() => {
      for (const socket of connections.sockets()) socket.destroy()
    }, drainMs),
  ]
  await closed
  timers.forEach(clearTimeout)
}

async function cannotListen(error: NodeJS.ErrnoException, address: string, port: number): Promise<Error> {
  switch (error.code) {
    case 'EADDRINUSE':
      return fail('PORT_IN_USE', { address, port, ...(await findPortHolder(address, port)) }, error)
    case 'EADDRNOTAVAIL':
      return fail('ADDRESS_NOT_HERE', { address, port }, error)
    case 'EACCES':
      return fail('PORT_NOT_PERMITTED', { address, port }, error)
    default:
      return error
  }
}
