/**
 * Where a host listens (docs/protocol/pool.md, endpoints): TLS with the pool's limits (SNI `pool` gets the internal
 * certificate), plain TCP, and its own socket, whose callers are root. The first bytes of a connection decide who
 * serves it: `POST /cli` leaves HTTP after its body and continues on the bare stream, everything else goes to the HTTP
 * server.
 */
import { chmod, readFile, rm } from 'node:fs/promises'
import type { Server as HttpServer } from 'node:http'
import { createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, createServer as createTlsServer, type SecureContext, type TlsOptions } from 'node:tls'
import { shortenSocketPath } from '../../base/files/local-socket.js'
import { POOL_TLS } from '../../tls/index.js'
import type { Origin } from '../api/method.js'
import { fail } from '../errors.js'
import type { HostLayout, HostSettings } from './host-files.js'

export interface Listeners {
  /** Serves the certificates that are on the disk now. */
  reloadIdentities(): Promise<void>
  /** Closes the TLS port and the plain one for good, and every connection that came in there. */
  deafen(): void
  close(): Promise<void>
}

type Receive = (stream: Duplex, origin: Origin) => void

const LIMITS = {
  minVersion: POOL_TLS.version,
  maxVersion: POOL_TLS.version,
  ciphers: POOL_TLS.ciphers.join(':'),
  ecdhCurve: POOL_TLS.curve,
  honorCipherOrder: true,
} as const

/** At each of the three; what comes beyond is closed at once. */
const MOST_CONNECTIONS = 512

/** @throws PORT_IN_USE when something else listens there. */
export async function openListeners(layout: HostLayout, settings: HostSettings, receive: Receive): Promise<Listeners> {
  const open = new Map<Duplex, Origin>()
  const take = (origin: Origin) => (stream: Duplex) => {
    open.set(stream, origin)
    stream.once('close', () => open.delete(stream))
    receive(stream, origin)
  }
  const cut = (origins: readonly Origin[]) => {
    for (const [stream, origin] of open) if (origins.includes(origin)) stream.destroy()
  }
  let internal = await secureContext(layout.internalIdentity)
  const externalOptions = async (): Promise<TlsOptions> => {
    const pem = await readFile(layout.externalIdentity)
    return {
      ...LIMITS,
      cert: pem,
      key: pem,
      SNICallback: (name, done) => (name === 'pool' ? done(null, internal) : done(null)),
    }
  }
  const tls = createTlsServer({ ...(await externalOptions()), handshakeTimeout: 30_000 })
  tls.on('secureConnection', take('network'))
  tls.on('tlsClientError', (_error, socket) => socket.destroy())
  const plain = createServer(take('network'))
  const local = createServer(take('local'))

  await listen(tls, settings.address, settings.tlsPort)
  await listen(plain, settings.address, settings.plainPort)
  await rm(layout.socket, { force: true })
  const short = shortenSocketPath(layout.socket)
  await new Promise<void>((resolve, reject) => {
    local.once('error', reject)
    local.listen(short.path, resolve)
  })
  await chmod(short.path, 0o600)

  const servers = [tls, plain, local]
  for (const server of servers) server.maxConnections = MOST_CONNECTIONS
  return {
    async reloadIdentities() {
      internal = await secureContext(layout.internalIdentity)
      tls.setSecureContext(await externalOptions())
    },
    deafen() {
      tls.close()
      plain.close()
      cut(['network'])
    },
    async close() {
      const closing = servers.filter((server) => server.listening).map((server) => closeServer(server))
      cut(['network', 'local'])
      await Promise.all(closing)
      short.close()
    },
  }
}

async function secureContext(path: string): Promise<SecureContext> {
  const pem = await readFile(path)
  return createSecureContext({ ...LIMITS, cert: pem, key: pem })
}

function listen(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? fail('PORT_IN_USE', { address, port }) : error)
    })
    server.listen(port, address, () => {
      server.removeAllListeners('error')
      server.on('error', () => {}) // a failed accept concerns one client only
      resolve()
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

const CLI_REQUEST = 'POST /cli'
const MAX_HEAD_BYTES = 16_384
/** 200 KiB: what a pool reads of a command line. */
const CLI_LIMIT_BYTES = 204_800
const HEAD_TIMEOUT_MS = 60_000
const REFUSED_TIMEOUT_MS = 5_000

type ServeCli = (stream: Duplex, body: Buffer) => Promise<void>

/** Reads the first bytes of a new connection and passes it to the thin CLI or to the HTTP server. */
export function receiveConnection(stream: Duplex, http: HttpServer, serveCli: ServeCli): void {
  stream.on('error', () => stream.destroy())
  const timer = setTimeout(() => stream.destroy(), HEAD_TIMEOUT_MS)
  stream.once('close', () => clearTimeout(timer))

  let seen = Buffer.alloc(0)
  const read = () => {
    for (let piece: Buffer | null = stream.read(); piece !== null; piece = stream.read()) {
      seen = Buffer.concat([seen, piece])
    }
    const start = seen.subarray(0, CLI_REQUEST.length).toString('latin1')
    if (!CLI_REQUEST.startsWith(start)) return handOver()
    if (seen.length < CLI_REQUEST.length) return
    const request = readCliRequest(seen)
    if (request.state === 'wait') return
    clearTimeout(timer)
    stream.removeListener('readable', read)
    if (request.state === 'refused') return refuse(stream, request.status)
    if (request.rest.length > 0) stream.unshift(request.rest)
    serveCli(stream, request.body).catch(() => stream.destroy())
  }
  const handOver = () => {
    clearTimeout(timer)
    stream.removeListener('readable', read)
    // Still paused: what goes back now is what the server reads first.
    stream.unshift(seen)
    http.emit('connection', stream)
  }
  stream.on('readable', read)
}

/** Keeps reading for a while: a client that is still sending would not read the answer. */
function refuse(stream: Duplex, status: string): void {
  const timer = setTimeout(() => stream.destroy(), REFUSED_TIMEOUT_MS)
  stream.once('close', () => clearTimeout(timer))
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`)
  stream.resume()
}

type CliRequest =
  | { readonly state: 'wait' }
  | { readonly state: 'refused'; readonly status: string }
  | { readonly state: 'read'; readonly body: Buffer; readonly rest: Buffer }

function readCliRequest(seen: Buffer): CliRequest {
  const end = seen.indexOf('\r\n\r\n')
  if (end < 0) {
    return seen.length > MAX_HEAD_BYTES
      ? { state: 'refused', status: '431 Request Header Fields Too Large' }
      : { state: 'wait' }
  }
  const head = seen.subarray(0, end).toString('latin1')
  const length = /\r\ncontent-length:[ \t]*(\d{1,15})[ \t]*(?:\r\n|$)/i.exec(head)?.[1]
  if (length === undefined) return { state: 'refused', status: '500 Internal Server Error' }
  if (Number(length) > CLI_LIMIT_BYTES) return { state: 'refused', status: '413 Request Entity Too Large' }
  const bodyEnd = end + 4 + Number(length)
  if (seen.length < bodyEnd) return { state: 'wait' }
  return { state: 'read', body: seen.subarray(end + 4, bodyEnd), rest: seen.subarray(bodyEnd) }
}
