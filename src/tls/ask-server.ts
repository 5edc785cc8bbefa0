/** One ClientHello sent, one answer read, and the connection closed again. */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { encodeClientHello, type Offer } from './client-hello.js'
import type { StunnelIndicator } from './failure.js'
import { type Flight, readServerFlight, type ServerHello } from './server-flight.js'

export interface Endpoint {
  /** A name or an address. */
  readonly host: string
  readonly port: number
  /** For each connection. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

export type Answer =
  | ({ readonly state: 'answered' } & ServerHello)
  | Exclude<Flight, { readonly state: 'incomplete' | 'answered' | 'not-tls' }>
  /** `firstLine` is what it said instead. */
  | { readonly state: 'not-tls'; readonly firstLine: string }
  /** More than any client takes. */
  | { readonly state: 'too-long' }
  | { readonly state: 'closed' }
  | { readonly state: 'timeout'; readonly connected: boolean }
  /** There is no connection; `indicator` is the phrase of stunnel's log that a pool knows, where it is one of those. */
  | { readonly state: 'unreachable'; readonly why: string; readonly indicator: StunnelIndicator | undefined }

/** OpenSSL takes 100 KiB of certificates (SSL_MAX_CERT_LIST_DEFAULT); the rest of the flight is small. */
const LONGEST_FLIGHT = 128 * 1024

const INDICATORS: Readonly<Record<string, StunnelIndicator>> = {
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  EINVAL: 'Invalid argument',
  ENOTFOUND: 'No host resolved',
  EAI_AGAIN: 'No host resolved',
}

/** Asks once. Every failure is a value; the socket is gone when it returns. */
export function askServer({ host, port, timeoutMs, signal }: Endpoint, offer: Offer): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, ...(signal && { signal }) })
    let connected = false
    let received = Buffer.alloc(0)
    const settle = (answer: Answer) => {
      clearTimeout(timer)
      resolve(answer)
      socket.on('error', () => {}).destroy()
    }
    const timer = setTimeout(() => settle({ state: 'timeout', connected }), timeoutMs)
    socket.once('connect', () => {
      connected = true
      socket.write(encodeClientHello(offer, randomBytes(32)))
    })
    socket.on('data', (piece) => {
      received = Buffer.concat([received, piece])
      const flight = readServerFlight(received)
      if (flight.state === 'not-tls') settle({ state: 'not-tls', firstLine: readFirstLine(received) })
      else if (flight.state !== 'incomplete') settle(flight)
      else if (received.length > LONGEST_FLIGHT) settle({ state: 'too-long' })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (connected) settle({ state: 'closed' })
      else settle({ state: 'unreachable', why: error.message, indicator: INDICATORS[error.code ?? ''] })
    })
    socket.once('close', () => settle({ state: 'closed' }))
  })
}

function readFirstLine(bytes: Buffer): string {
  const line = bytes
    .toString('latin1')
    .split(/[\r\n]/, 1)
    .join('')
  return line.replace(/[^\x20-\x7e]/g, '.').slice(0, 60)
}
