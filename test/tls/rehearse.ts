/**
 * The question of a verdict put to the OpenSSL inside Node, in a real handshake: in memory where the key is here, over
 * the network where only an endpoint is. It knows nothing of our own path validation, and so holds it to account.
 *
 * Where Node's client cannot be made to say what a pool's says (docs/protocol/verdict.md): it keeps the last error
 * where stunnel reports the first, so of several defects another one may be named; with CRLs it asks about the whole
 * path where a pool asks about the leaf, so it may refuse what a pool accepts and never the other way round; it has no
 * clock but the system's; and it drops what a TRUSTED CERTIFICATE block says of purposes.
 */
import { once } from 'node:events'
import { connect as connectPlain } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { type ConnectionOptions, connect, createSecureContext, TLSSocket } from 'node:tls'
import { tlsReason } from '../../src/base/text/tls-reason.js'
import type { Endpoint } from '../../src/tls/endpoint.js'
import type { ServedIdentity } from '../../src/tls/identity-check.js'
import { isVerifyCode, POOL_TLS, poolTlsOptions, sniOf } from '../../src/tls/pool-client.js'
import { checkHost, loadBundle } from '../../src/x509/index.js'

/** What a host would bring to the handshake. */
export interface RehearsedHost {
  /** The bundle file's bytes; undefined where there is no file. */
  readonly bundle: Buffer | undefined
  /** CRL files in PEM; undefined where the host has none. */
  readonly crls?: readonly (string | Buffer)[] | undefined
  /** The host part of `wlb_url`. */
  readonly name: string
}

export type Rehearsal =
  | { readonly state: 'accepted' }
  /** `reason` as stunnel's log would have it after `CERT: `. */
  | { readonly state: 'refused'; readonly reason: string }
  /** The bundle loads nothing, and stunnel would not even connect. */
  | { readonly state: 'not configured'; readonly why: string }
  /** Broken off before the certificates were judged. */
  | { readonly state: 'no handshake'; readonly why: string }

const TIMEOUT_MS = 10_000
/** An error that never comes alone, and what OpenSSL said before it. */
const FIRST_OF: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to get local issuer certificate',
}

/**
 * Serves the certificates in memory, with as few limits as OpenSSL has, and connects as a host of the pool.
 *
 * @throws an error of OpenSSL when certificate and key cannot be served; `checkIdentity` says why.
 */
export async function rehearse(identity: ServedIdentity, host: RehearsedHost): Promise<Rehearsal> {
  const [serverEnd, clientEnd] = duplexPair()
  const secureContext = createSecureContext({
    cert: identity.certificatePem,
    key: identity.privateKeyPem,
    ciphers: 'ALL:@SECLEVEL=0',
    ecdhCurve: 'auto',
    maxVersion: POOL_TLS.version,
  })
  const server = new TLSSocket(serverEnd, { isServer: true, secureContext })
  server.on('error', () => {}) // the client's side of the story is the one that counts
  try {
    return await shakeHands(clientEnd, host, TIMEOUT_MS)
  } finally {
    server.destroy()
    serverEnd.destroy()
  }
}

/** The same with a server on the network, whose key stays where it is. */
export async function rehearseAt(endpoint: Endpoint, host: RehearsedHost): Promise<Rehearsal> {
  const socket = connectPlain({ host: endpoint.host, port: endpoint.port })
  socket.setTimeout(endpoint.timeoutMs, () => socket.destroy(new Error(`no answer in ${endpoint.timeoutMs} ms`)))
  try {
    await once(socket, 'connect')
    return await shakeHands(socket, host, endpoint.timeoutMs)
  } catch (error) {
    return { state: 'no handshake', why: error instanceof Error ? error.message : String(error) }
  } finally {
    socket.destroy()
  }
}

function shakeHands(stream: Duplex, host: RehearsedHost, timeoutMs: number): Promise<Rehearsal> {
  const bundle = loadBundle(host.bundle)
  if (bundle.state === 'unusable') return Promise.resolve({ state: 'not configured', why: bundle.why })
  const anchors = bundle.anchors.map(({ certificate }) => certificate.toString())
  return new Promise((resolve) => {
    const socket = connect({ ...clientOptions(anchors, host), socket: stream })
    const settle = (rehearsal: Rehearsal) => {
      clearTimeout(timer)
      resolve(rehearsal)
      socket.on('error', () => {}).destroy()
    }
    const timer = setTimeout(
      () => settle({ state: 'no handshake', why: `no handshake within ${timeoutMs} ms` }),
      timeoutMs,
    )
    socket.once('secureConnect', () => {
      const leaf = socket.getPeerX509Certificate()
      const isNamed = leaf !== undefined && checkHost(leaf, host.name)
      settle(isNamed ? { state: 'accepted' } : { state: 'refused', reason: 'Subject checks failed' })
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const reason = tlsReason(error)
      settle(
        isVerifyCode(error.code)
          ? { state: 'refused', reason: `Pre-verification error: ${FIRST_OF[error.code] ?? reason}` }
          : { state: 'no handshake', why: reason },
      )
    })
    socket.once('close', () => settle({ state: 'no handshake', why: 'closed during the handshake' }))
  })
}

function clientOptions(anchors: readonly string[], { crls, name }: RehearsedHost): ConnectionOptions {
  return {
    ...poolTlsOptions(2),
    ca: [...anchors],
    ...(crls && { crl: crls.map((crl) => Buffer.from(crl)) }),
    servername: sniOf(name),
    rejectUnauthorized: true,
    checkServerIdentity: () => undefined, // the host-name rule is asked when OpenSSL has let the path pass
  }
}
