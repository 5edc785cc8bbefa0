/** Connections from us to pools: the certificate is pinned, verified, or reported to the caller. */
import { type ConnectionOptions, checkServerIdentity, connect, type TLSSocket } from 'node:tls'
import type { WlbError } from '../base/error.js'
import { tlsReason } from '../base/text/tls-reason.js'
import { fail } from './errors.js'
import { isVerifyCode, sniOf } from './pool-client.js'

export type Trust =
  /** Exactly this leaf, whatever its names and dates; colons and case do not matter. */
  | { readonly kind: 'pin'; readonly fingerprintSha256: string }
  /** Any certificate; the caller keeps its fingerprint and pins it from then on. */
  | { readonly kind: 'first-use' }
  /** A chain to these authorities, for this name or address. */
  | { readonly kind: 'ca-file'; readonly pem: string; readonly name: string }
  /** Any certificate, every time. */
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
  const { address, port, timeoutMs, trust, signal } = target
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
      socket.off('error', failConnection).off('close', close)
    }
    const timer = setTimeout(() => abandon(fail('CONNECT_TIMEOUT', { address, port, timeoutMs })), timeoutMs)
    const abort = () => abandon(connectionFailed(new Error('given up'), target))
    const failConnection = (error: Error) => abandon(connectionFailed(error, target))
    const close = () => abandon(connectionFailed(new Error('closed during the handshake'), target))
    signal?.addEventListener('abort', abort)
    socket.once('error', failConnection).once('close', close)
    socket.once('secureConnect', () => {
      const seen = socket.getPeerX509Certificate()?.fingerprint256
      if (seen === undefined) return close()
      if (trust.kind === 'pin' && normalise(trust.fingerprintSha256) !== normalise(seen)) {
        return abandon(fail('PIN_MISMATCH', { address, port, expected: trust.fingerprintSha256, seen }))
      }
      detach()
      resolve({ socket, fingerprintSha256: seen })
    })
    if (signal?.aborted) abort()
  })
}

function connectionOptions({ address, port, serverName, trust }: PinnedTarget): ConnectionOptions {
  const common: ConnectionOptions = {
    host: address,
    port,
    minVersion: 'TLSv1.2',
    ecdhCurve: 'auto',
    servername: sniOf(serverName ?? (trust.kind === 'ca-file' ? trust.name : undefined)),
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

function connectionFailed(error: Error, { address, port, trust }: PinnedTarget): WlbError {
  const { code }: NodeJS.ErrnoException = error
  const facts = { address, port, why: tlsReason(error) }
  switch (code) {
    case 'ECONNREFUSED':
      return fail('CONNECT_REFUSED', facts, error)
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return fail('HOST_UNKNOWN', facts, error)
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return fail('HOST_UNREACHABLE', facts, error)
    case 'ETIMEDOUT':
      return fail('CONNECT_TIMEOUT', facts, error)
  }
  const isVerdict = trust.kind === 'ca-file' && (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || isVerifyCode(code))
  return fail(isVerdict ? 'TLS_UNTRUSTED' : 'TLS_FAILED', facts, error)
}
