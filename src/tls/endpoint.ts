/**
 * Observes everything a pool's handshake depends on before a certificate is judged: an endpoint is asked with exactly what a pool
 * offers, and where it refuses, the one cause is found (docs/protocol/verdict.md).
 */
import { randomBytes, X509Certificate } from 'node:crypto'
import { connect as connectPlain } from 'node:net'
import { connect } from 'node:tls'
import {
  encodeClientHello,
  type Flight,
  GROUPS,
  type Offer,
  readServerFlight,
  type ServerHello,
  SUITES,
  TLS12,
} from './handshake-messages.js'
import { type HandshakeObstacleCode, isTooLong } from './obstacles.js'
import { indicatorOf, poolTlsOptions, type StunnelIndicator, sniOf } from './pool-client.js'
import { probeServed } from './probe.js'

export type EndpointFacts =
  /** Server and pool agree on version, suite and curve; the certificates are not judged yet. */
  | {
      readonly state: 'agreed'
      /** All of them, in the order sent. */
      readonly certificates: readonly X509Certificate[]
      readonly cipher: string
      readonly curve: string
      /** `demanded`: a client without one is refused. */
      readonly clientCertificate: 'not asked' | 'asked' | 'demanded'
    }
  /** It speaks TLS, and no pool can talk to it. */
  | {
      readonly state: 'refused'
      readonly obstacle: HandshakeObstacleCode
      /** The server's alert; empty where it closed the connection without one. */
      readonly alert: string
      /** As sent to a client with fewer limits; empty where that fails too. */
      readonly certificates: readonly X509Certificate[]
    }
  | { readonly state: 'not-tls'; readonly firstLine: string }
  | { readonly state: 'silent'; readonly connected: boolean }
  | { readonly state: 'unreachable'; readonly why: string; readonly indicator: StunnelIndicator | undefined }

const POOL_SUITES = Object.values(SUITES.pool)
const RSA_SUITES = [...POOL_SUITES, ...Object.values(SUITES.otherRsa)]
const ALL_SUITES = [...RSA_SUITES, ...Object.values(SUITES.ecdsa)]
const POOL_GROUPS = Object.values(GROUPS.pool)
const ALL_GROUPS = [...POOL_GROUPS, ...Object.values(GROUPS.other)]
/** A connection that lives this long after the handshake was accepted without a client certificate. */
const GRACE_MS = 1_000

/** Asks with one connection, and with up to five more where a pool would fail. `name` is the host part of `wlb_url`. */
export async function observeEndpoint(endpoint: Endpoint, name: string): Promise<EndpointFacts> {
  const offer: Offer = { version: 'TLSv1.2', suites: POOL_SUITES, groups: POOL_GROUPS, serverName: name }
  const answer = await askServer(endpoint, offer)
  switch (answer.state) {
    case 'not-tls':
    case 'unreachable':
      return answer
    case 'timeout':
      return { state: 'silent', connected: answer.connected }
    case 'too-long':
      return refused('CERTIFICATES_TOO_LONG')
    case 'answered':
      return answer.version === TLS12 ? confirmAgreement(endpoint, name, answer) : refused('TLS_TOO_OLD', answer)
    default:
      return explainRefusal(endpoint, offer, answer)
  }
}

async function confirmAgreement(endpoint: Endpoint, name: string, hello: ServerHello): Promise<EndpointFacts> {
  const certificates = readCertificates(hello)
  if (certificates.length < hello.certificates.length) return refused('CERTIFICATE_UNREADABLE', hello)
  if (isTooLong(hello.certificates)) return refused('CERTIFICATES_TOO_LONG', hello)
  return {
    state: 'agreed',
    certificates,
    cipher: nameOf(SUITES.pool, hello.suite),
    curve: nameOf(GROUPS.pool, hello.group),
    clientCertificate: hello.asksForCertificate ? await askWithoutCertificate(endpoint, name) : 'not asked',
  }
}

/** One limit after the other is lifted until the server answers. */
async function explainRefusal(endpoint: Endpoint, offer: Offer, refusal: Answer): Promise<EndpointFacts> {
  const alert = refusal.state === 'alert' ? refusal.description : ''
  const wide = await askServer(endpoint, { ...offer, suites: ALL_SUITES, groups: ALL_GROUPS })
  if (wide.state === 'answered') {
    if (wide.version < TLS12) return refused('TLS_TOO_OLD', wide, alert)
    const keyType = readCertificates(wide)[0]?.publicKey.asymmetricKeyType ?? ''
    if (!keyType.startsWith('rsa')) return refused('KEY_NOT_RSA', wide, alert)
    const otherCurves = await askServer(endpoint, { ...offer, groups: ALL_GROUPS })
    return refused(otherCurves.state === 'answered' ? 'NO_COMMON_CURVE' : 'NO_COMMON_SUITE', wide, alert)
  }
  const suites = Object.values(SUITES.tls13)
  const newer = await askServer(endpoint, { ...offer, version: 'TLSv1.3', suites, groups: ALL_GROUPS })
  if (newer.state === 'answered') {
    return { state: 'refused', obstacle: 'TLS_1_3_ONLY', alert, certificates: await readServed(endpoint, offer) }
  }
  const unnamed = await askServer(endpoint, { ...offer, serverName: '' })
  return refused(unnamed.state === 'answered' ? 'NAME_NOT_SERVED' : 'UNEXPLAINED', undefined, alert)
}

/** In TLS 1.3 certificates are encrypted; a client that finishes the handshake sees them. */
async function readServed(endpoint: Endpoint, { serverName }: Offer): Promise<readonly X509Certificate[]> {
  const { host, port, timeoutMs } = endpoint
  const served = await probeServed({ address: host, port, timeoutMs, serverName })
  return served.state === 'served' ? served.chain : []
}

/** A server may ask for a certificate and accept none; only the end of the handshake, or a close right after it, tells. */
function askWithoutCertificate({ host, port, timeoutMs }: Endpoint, name: string): Promise<'asked' | 'demanded'> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      servername: sniOf(name),
      ...poolTlsOptions(0),
      rejectUnauthorized: false,
    })
    const settle = (outcome: 'asked' | 'demanded') => {
      clearTimeout(timer)
      resolve(outcome)
      socket.on('error', () => {}).destroy()
    }
    let timer = setTimeout(() => settle('demanded'), timeoutMs)
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      timer = setTimeout(() => settle('asked'), GRACE_MS)
    })
    socket.once('error', () => settle('demanded')).once('close', () => settle('demanded'))
  })
}

function refused(obstacle: HandshakeObstacleCode, hello?: ServerHello, alert = ''): EndpointFacts {
  return { state: 'refused', obstacle, alert, certificates: hello ? readCertificates(hello) : [] }
}

function readCertificates({ certificates }: ServerHello): X509Certificate[] {
  return certificates.flatMap((der) => {
    try {
      return [new X509Certificate(der)]
    } catch {
      return []
    }
  })
}

function nameOf(numbers: Readonly<Record<string, number>>, number: number | undefined): string {
  return Object.entries(numbers).find(([, known]) => known === number)?.[0] ?? String(number)
}

export interface Endpoint {
  /** A name or an address. */
  readonly host: string
  readonly port: number
  /** For each connection. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

type Answer =
  | ({ readonly state: 'answered' } & ServerHello)
  | Exclude<Flight, { readonly state: 'incomplete' | 'answered' | 'not-tls' }>
  /** `firstLine` is what it answered instead. */
  | { readonly state: 'not-tls'; readonly firstLine: string }
  /** More than any client takes. */
  | { readonly state: 'too-long' }
  | { readonly state: 'closed' }
  | { readonly state: 'timeout'; readonly connected: boolean }
  /** There is no connection; `indicator` is the phrase of stunnel's log that a pool knows, where it is one of those. */
  | { readonly state: 'unreachable'; readonly why: string; readonly indicator: StunnelIndicator | undefined }

/** OpenSSL takes 100 KiB of certificates (SSL_MAX_CERT_LIST_DEFAULT); the rest of the flight is small. */
const LONGEST_FLIGHT = 128 * 1024

/** Asks once. Every failure is a value; the socket is gone when it returns. */
function askServer({ host, port, timeoutMs, signal }: Endpoint, offer: Offer): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = connectPlain({ host, port, signal })
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
      else settle({ state: 'unreachable', why: error.message, indicator: indicatorOf(error) })
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
