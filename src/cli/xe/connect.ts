/**
 * How `xe` connects: the host's own socket, plain TCP, or TLS whose certificate is verified before a byte
 * is sent (docs/protocol/thin-cli.md, opening).
 */

import { connect, type NetConnectOpts } from 'node:net'
import type { Duplex } from 'node:stream'
import { decodeText } from '../../base/files/given-text.js'
import type { Trust } from '../../tls/index.js'
import type { TransferTarget } from '../../xapi/index.js'
import { fail } from './errors.js'
import type { ServerTrust, Settings } from './settings.js'

/** This exact text means the host's own socket; `localhost` is an ordinary server name. */
const THIS_HOST = '127.0.0.1'
const TLS_PORT = 443
const PLAIN_PORT = 80
const CONNECT_TIMEOUT_MS = 60_000

export interface Connector {
  /** For the conversation itself. */
  connect(): Promise<Duplex>
  /** For a transfer: to the same server in the same way, or to another host of the pool. */
  connectAside(target: TransferTarget): Promise<Duplex>
}

export interface Surroundings {
  /** The host's root folder: '' on a real host, a folder for a host of the lab (XE_ROOT). */
  readonly hostRoot: string
  /** Called once, when a certificate was accepted without verification. */
  warn(line: string): void
  trace(text: string): void
}

/** Chooses the kind of connection by the server's name. Nothing is opened yet. */
export function createConnector(settings: Settings, surroundings: Surroundings): Connector {
  const { server, port } = settings
  let warned = false

  const connectTls = async (host: string, tlsPort: number): Promise<Duplex> => {
    // Loaded when it is needed: a command on the host itself starts without it.
    const { connectPinned } = await import('../../tls/pinned.js')
    const address = host.replace(/^\[(.*)\]$/, '$1')
    const trust = await resolveTrust(settings.trust, address)
    surroundings.trace(`connecting to ${address}:${tlsPort} with TLS (${trust.kind})`)
    const { socket, fingerprintSha256 } = await connectPinned({
      address,
      port: tlsPort,
      serverName: address,
      timeoutMs: CONNECT_TIMEOUT_MS,
      trust,
    })
    if (trust.kind === 'none' && !warned) {
      warned = true
      surroundings.warn(unverified(address, tlsPort, fingerprintSha256))
    }
    return socket
  }

  const connectPlain = (host: string, plainPort: number): Promise<Duplex> => {
    if (settings.trust.kind !== 'none') throw fail('TLS_UNTRUSTED', { server: `${host}:${plainPort}` })
    const address = host.replace(/^\[(.*)\]$/, '$1')
    surroundings.trace(`connecting to ${address}:${plainPort} without TLS`)
    return openSocket({ host: address, port: plainPort })
  }

  const connectHere = async (): Promise<Duplex> => {
    const path = `${surroundings.hostRoot}/var/lib/xcp/xapi`
    try {
      surroundings.trace(`connecting to ${path}`)
      return await openLocalSocket(path)
    } catch (error) {
      surroundings.trace(`no local socket: ${error instanceof Error ? error.message : error}`)
      return connectPlain(THIS_HOST, port ?? PLAIN_PORT)
    }
  }

  const connectToServer = async (): Promise<Duplex> => {
    if (server === THIS_HOST) return connectHere()
    return settings.tls ? connectTls(server, port ?? TLS_PORT) : connectPlain(server, port ?? PLAIN_PORT)
  }

  return {
    connect: connectToServer,
    connectAside: async ({ host, port: otherPort }) =>
      host === undefined ? connectToServer() : connectTls(host, otherPort ?? TLS_PORT),
  }
}

async function openLocalSocket(path: string): Promise<Duplex> {
  const { shortenSocketPath } = await import('../../base/files/local-socket.js')
  const short = shortenSocketPath(path)
  return openSocket({ path: short.path }).finally(() => short.close())
}

async function openSocket(options: NetConnectOpts): Promise<Duplex> {
  const socket = connect({ ...options, timeout: CONNECT_TIMEOUT_MS })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve).once('error', reject)
    socket.once('timeout', () => reject(timedOut(options)))
  }).catch((error: unknown) => {
    socket.destroy()
    throw error
  })
  socket.setTimeout(0)
  socket.removeAllListeners('timeout')
  return socket
}

async function resolveTrust(trust: ServerTrust, server: string): Promise<Trust> {
  switch (trust.kind) {
    case 'none':
      return { kind: 'none' }
    case 'pin':
      return { kind: 'pin', fingerprintSha256: trust.fingerprint }
    case 'ca-file': {
      const { readLimitedFile } = await import('../../base/files/limited-file.js')
      const bytes = await readLimitedFile(trust.file).catch((error: unknown) => {
        const lower = error instanceof Error && error.cause instanceof Error ? error.cause : error
        const reason = lower instanceof Error ? lower.message : String(lower)
        // without the cause: `describeFailure` shows the system's words for connections only
        throw fail('CA_FILE_UNREADABLE', { file: trust.file, reason })
      })
      const pem = decodeText(bytes).text
      if (!pem.includes('-----BEGIN')) throw fail('CA_FILE_EMPTY', { file: trust.file })
      return { kind: 'ca-file', pem, name: server }
    }
  }
}

function unverified(address: string, port: number, fingerprint: string): string {
  return `xe: the certificate of ${address}:${port} was not verified. To verify it from now on: --fingerprint ${fingerprint}\n`
}

function timedOut(options: NetConnectOpts): Error {
  const place = 'path' in options ? { path: options.path } : { address: options.host, port: options.port }
  return Object.assign(new Error('timed out'), { code: 'ETIMEDOUT', syscall: 'connect', ...place })
}
