/**
 * Where a host listens: TLS with the pool's narrow limits (SNI `pool` gets the internal certificate), plain, and its own
 * socket, where whoever calls is root (docs/protocol/pool.md, endpoints).
 */
import { chmod, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { createSecureContext, createServer as createTlsServer, type SecureContext, type TlsOptions } from 'node:tls'
import { WlbError } from '../../base/error.js'
import { shortenSocketPath } from '../../base/local-socket.js'
import { POOL_TLS } from '../../tls/index.js'
import type { Origin } from '../api/method.js'
import type { HostLayout } from './layout.js'
import type { HostSettings } from './settings.js'

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
      reject(error.code === 'EADDRINUSE' ? portInUse(address, port) : error)
    })
    server.listen(port, address, () => {
      server.removeAllListeners('error')
      server.on('error', () => {}) // an accept that failed is that client's trouble
      resolve()
    })
  })
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

function portInUse(address: string, port: number): WlbError {
  return new WlbError(
    'PORT_IN_USE',
    'Another program listens on the address and port this host of the lab needs.',
    { address, port },
    `ss -ltnp 'sport = :${port}'`,
  )
}
