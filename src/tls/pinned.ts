/** Connections of our own to pools: the certificate is known beforehand, or the caller is told which one was seen. */
import { isIP } from 'node:net'
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import { WlbError } from '../base/error.js'
import { isVerifyCode } from './failure.js'

export type Trust =
  /** Exactly this leaf, whatever its names and dates; colons and case do not matter. */
  | { readonly kind: 'pin'; readonly fingerprintSha256: string }
  /** Whatever is seen; the caller keeps the fingerprint and pins it from then on. */
  | { readonly kind: 'first-use' }
  /** A chain to these authorities, for this name or address. */
  | { readonly kind: 'ca-file'; readonly pem: string; readonly name: string }
  /** Whatever is seen, this time and every time. */
  | { readonly kind: 'none' }

export interface PinnedTarget {
  readonly address: string
  readonly port: number
  readonly timeoutMs: number
  readonly serverName?: string
  readonly trust: Trust
  readonly signal?: AbortSignal
}

/**
 * Connects and judges the certificate before a byte is sent. The socket belongs to the caller.
 *
 * @throws PIN_MISMATCH when another certificate is served than the pinned one.
 * @throws TLS_UNTRUSTED when the chain or the name does not satisfy a `ca-file`.
 * @throws CONNECT_REFUSED, CONNECT_TIMEOUT, HOST_UNKNOWN, HOST_UNREACHABLE, TLS_FAILED when there is no handshake.
 */
export function connectPinned(
  target: PinnedTarget,
): Promise<{ readonly socket: TLSSocket; readonly fingerprintSha256: string }> {
  const { timeoutMs, trust, signal } = target
  return new Promise((resolve, reject) => {
    const socket = connect(connectionOptions(target))
    const abandon = (error: Error) => {
      detach()
      socket.on('error', () => {}).destroy()
      reject(error)
    }
    const detach = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      socket.off('error', fail).off('close', close)
    }
    const timer = setTimeout(() => abandon(timedOut(target)), timeoutMs)
    const abort = () => abandon(connectionFailed(new Error('given up'), target))
    const fail = (error: Error) => abandon(connectionFailed(error, target))
    const close = () => abandon(connectionFailed(new Error('closed during the handshake'), target))
    signal?.addEventListener('abort', abort)
    socket.once('error', fail).once('close', close)
    socket.once('secureConnect', () => {
      const seen = socket.getPeerX509Certificate()?.fingerprint256
      if (seen === undefined) return close()
      if (trust.kind === 'pin' && normalise(trust.fingerprintSha256) !== normalise(seen)) {
        return abandon(pinMismatch(target, trust.fingerprintSha256, seen))
      }
      detach()
      resolve({ socket, fingerprintSha256: seen })
    })
    if (signal?.aborted) abort()
  })
}

function connectionOptions({ address, port, serverName, trust }: PinnedTarget): ConnectionOptions {
  const name = serverName ?? (trust.kind === 'ca-file' ? trust.name : undefined)
  const common: ConnectionOptions = {
    host: address,
    port,
    minVersion: 'TLSv1.2',
    ecdhCurve: 'auto',
    ...(name !== undefined && isIP(name) === 0 && { servername: name }),
  }
  if (trust.kind !== 'ca-file') return { ...common, ca: [], rejectUnauthorized: false }
  return {
    ...common,
    ca: [trust.pem],
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(trust.name, certificate),
  }
}

function normalise(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toUpperCase()
}

function pinMismatch({ address, port }: PinnedTarget, expected: string, seen: string): WlbError {
  return new WlbError(
    'PIN_MISMATCH',
    'The server shows another certificate than the one it was known by.',
    { address, port, expected, seen },
    `openssl s_client -connect ${address}:${port} -showcerts </dev/null`,
  )
}

function timedOut({ address, port, timeoutMs }: PinnedTarget): WlbError {
  return new WlbError(
    'CONNECT_TIMEOUT',
    'The server does not answer.',
    { address, port, timeoutMs },
    `nc -vz ${address} ${port}`,
  )
}

function connectionFailed(error: Error, { address, port, trust }: PinnedTarget): WlbError {
  const cause: NodeJS.ErrnoException = error
  const facts = { address, port, why: error.message }
  const knock = `nc -vz ${address} ${port}`
  const inspect = `openssl s_client -connect ${address}:${port} -showcerts </dev/null`
  switch (cause.code) {
    case 'ECONNREFUSED':
      return new WlbError('CONNECT_REFUSED', 'Nothing listens there.', facts, knock, error)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new WlbError('HOST_UNKNOWN', 'The name does not resolve.', facts, `getent hosts ${address}`, error)
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return new WlbError(
        'HOST_UNREACHABLE',
        'There is no way to that address.',
        facts,
        `ip route get ${address}`,
        error,
      )
    case 'ETIMEDOUT':
      return new WlbError('CONNECT_TIMEOUT', 'The server does not answer.', facts, knock, error)
  }
  const isVerdict =
    trust.kind === 'ca-file' && (cause.code === 'ERR_TLS_CERT_ALTNAME_INVALID' || isVerifyCode(cause.code))
  return isVerdict
    ? new WlbError('TLS_UNTRUSTED', 'The server is not who the given authority says it is.', facts, inspect, error)
    : new WlbError('TLS_FAILED', 'The connection broke during the handshake.', facts, inspect, error)
}
