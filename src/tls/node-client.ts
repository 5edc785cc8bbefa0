/** Node's TLS client held to a pool's limits and rules, for machines without stunnel (docs/protocol/pool.md). */
import { readdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { loadHostStore, type Question, validate } from '../x509/index.js'
import type { StunnelIndicator } from './failure.js'
import { readPeerChain } from './peer-chain.js'
import { refusePinned } from './pinned-leaf.js'
import type { PoolConnection, PoolDial } from './pool-connection.js'
import { POOL_TLS } from './pool-limits.js'
import { scanStunnelLog } from './stunnel-log.js'

type Rules = Pick<Question, 'anchors' | 'crls' | 'now'> & { readonly pinsLeaf: boolean }

/** Connects as a pool would; every failure is a value, with a log as stunnel would have written it. */
export async function dialWithNode(dial: PoolDial): Promise<PoolConnection> {
  const { verify } = dial
  if (!verify) return shakeHands(dial, undefined)
  const store = loadHostStore(await readIfThere(verify.bundlePath), await readFolder(verify.crlDirectory))
  if (store.state === 'unusable') return failed(`LOG3[ui]: ${store.why}\nLOG3[ui]: Configuration failed\n`)
  const { anchors, crls } = store
  const now = verify.now?.() ?? new Date()
  return shakeHands(dial, { anchors, crls, now, pinsLeaf: verify.pinsLeaf === true })
}

function shakeHands(dial: PoolDial, rules: Rules | undefined): Promise<PoolConnection> {
  const { address, port, signal } = dial
  if (signal?.aborted) return Promise.resolve(aborted())
  return new Promise((resolve) => {
    const socket = connect({ ...limits(dial), rejectUnauthorized: false })
    let settled = false
    const settle = (outcome: PoolConnection) => {
      if (settled) return
      settled = true
      clearTimeout(timer)
      socket.off('error', fail).off('close', close)
      if (outcome.state === 'failed') {
        signal?.removeEventListener('abort', abort)
        socket.on('error', () => {}).destroy()
      } else {
        socket.once('close', () => signal?.removeEventListener('abort', abort))
      }
      resolve(outcome)
    }
    const judge = () => {
      const refusal = rules && refuse(dial, socket, rules)
      settle(refusal === undefined ? { state: 'connected', stream: socket } : failed(refusalLog(refusal)))
    }
    const fail = (error: NodeJS.ErrnoException) => settle(failed(errorLog(error, address, port)))
    const close = () => settle(failed('LOG3[0]: SSL_connect: closed by the server\n'))
    const abort = () => {
      settle(aborted())
      socket.destroy()
    }
    const timer = setTimeout(() => settle({ state: 'failed', failure: { kind: 'timeout' }, log: '' }), dial.timeoutMs)
    signal?.addEventListener('abort', abort)
    socket.once('secureConnect', judge).once('error', fail).once('close', close)
  })
}

function aborted(): PoolConnection {
  return { state: 'failed', failure: { kind: 'reset' }, log: '' }
}

/** Node is asked for the handshake only; what it thinks of the certificates is not. */
function refuse({ serverName }: PoolDial, socket: TLSSocket, rules: Rules): string | undefined {
  const question = { ...rules, presented: readPeerChain(socket), name: serverName }
  return (rules.pinsLeaf ? refusePinned(question) : validate(question).reason) || undefined
}

/** Everything but the verdict. */
function limits({ serverName, address, port }: PoolDial): ConnectionOptions {
  return {
    host: address,
    port,
    // stunnel sends addresses too; RFC 6066, 3 forbids it and Node warns
    ...(isIP(serverName) === 0 && { servername: serverName }),
    ca: [], // left out it would mean Node's own roots
    minVersion: POOL_TLS.version,
    maxVersion: POOL_TLS.version,
    ciphers: `${POOL_TLS.ciphers.join(':')}:@SECLEVEL=2`,
    ecdhCurve: POOL_TLS.curve,
    checkServerIdentity: () => undefined,
  }
}

function refusalLog(text: string): string {
  return `LOG4[0]: CERT: ${text}\nLOG3[0]: SSL_connect: certificate verify failed\n`
}

const INDICATORS: Readonly<Record<string, StunnelIndicator>> = {
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  ENOTFOUND: 'No host resolved',
  EADDRINUSE: 'Address already in use',
}

function errorLog(error: NodeJS.ErrnoException, address: string, port: number): string {
  const indicator = INDICATORS[error.code ?? '']
  return indicator ? `LOG3[0]: s_connect: connect ${address}:${port}: ${indicator}\n` : `LOG3[0]: ${error.message}\n`
}

function failed(log: string): PoolConnection {
  return { state: 'failed', failure: scanStunnelLog(log), log }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch(() => undefined)
}

/** OpenSSL finds a CRL by its link `<hash of the issuer>.r0`, a certificate by `<hash>.0`; any other entry only switches revocation on. */
async function readFolder(directory: string): Promise<Buffer[] | undefined> {
  const entries = await readdir(directory).catch(() => [])
  if (entries.length === 0) return undefined
  const linked = entries.filter((name) => /^[0-9a-f]{8}\.r?[0-9]+$/.test(name))
  const read = await Promise.all(linked.map((name) => readIfThere(join(directory, name))))
  return read.filter((content) => content !== undefined)
}
