/**
 * Everything a pool's handshake depends on before a certificate is judged, asked of an endpoint with what a pool
 * offers and nothing beside it; and where that is refused, which one thing stands in the way (docs/protocol/verdict.md).
 */
import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { connect } from 'node:tls'
import { type Answer, askServer, type Endpoint } from './ask-server.js'
import { GROUPS, type Offer, SUITES } from './client-hello.js'
import type { StunnelIndicator } from './failure.js'
import { type HandshakeObstacleCode, isTooLong } from './obstacles.js'
import { POOL_TLS } from './pool-limits.js'
import { probeServed } from './probe.js'
import { type ServerHello, TLS12 } from './server-flight.js'

export type EndpointFacts =
  /** Server and pool agree on how to talk; whether the certificates convince is another question. */
  | {
      readonly state: 'agreed'
      /** All of them, in the order sent. */
      readonly certificates: readonly X509Certificate[]
      readonly cipher: string
      readonly curve: string
      /** `demanded`: whoever has none is sent away. */
      readonly clientCertificate: 'not asked' | 'asked' | 'demanded'
    }
  /** It speaks TLS, and no pool can talk to it. */
  | {
      readonly state: 'refused'
      readonly obstacle: HandshakeObstacleCode
      /** The server's own word; empty where it closed the connection without one. */
      readonly alert: string
      /** As a client with fewer limits is shown them; empty where not even that works. */
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
/** How long a connection that was asked for a certificate has to live to be called accepted without one. */
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
      return answer.version === TLS12 ? describeAgreement(endpoint, name, answer) : refused('TLS_TOO_OLD', answer)
    default:
      return explainRefusal(endpoint, offer, answer)
  }
}

async function describeAgreement(endpoint: Endpoint, name: string, hello: ServerHello): Promise<EndpointFacts> {
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

/** A server may ask and be content with nothing; only the end of the handshake tells, or what follows right after it. */
function askWithoutCertificate({ host, port, timeoutMs }: Endpoint, name: string): Promise<'asked' | 'demanded'> {
  return new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      ...(isIP(name) === 0 && { servername: name }),
      ca: [],
      minVersion: POOL_TLS.version,
      maxVersion: POOL_TLS.version,
      ciphers: `${POOL_TLS.ciphers.join(':')}:@SECLEVEL=0`,
      ecdhCurve: POOL_TLS.curve,
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
