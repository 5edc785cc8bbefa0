/** What an endpoint serves, read without trusting it. */
import type { X509Certificate } from 'node:crypto'
import { connect, type TLSSocket } from 'node:tls'
import { sniOf } from './pool-client.js'

export type Served =
  | {
      readonly state: 'served'
      /** Leaf first; issuers as far as they were sent. */
      readonly chain: readonly X509Certificate[]
      readonly fingerprintSha256: string
      readonly protocol: string
      readonly cipher: string
    }
  | { readonly state: 'unreachable'; readonly why: string }

/** Shakes hands (TLS 1.2 or 1.3), reads the certificates, hangs up. Nothing is verified, so nothing may be sent. */
export function probeServed(target: {
  readonly address: string
  readonly port: number
  readonly serverName?: string
  readonly timeoutMs: number
}): Promise<Served> {
  const { address, port, serverName, timeoutMs } = target
  return new Promise((resolve) => {
    const socket = connect({
      host: address,
      port,
      servername: sniOf(serverName),
      ca: [], // else Node completes the chain from its own roots
      minVersion: 'TLSv1.2',
      ecdhCurve: 'auto',
      rejectUnauthorized: false,
    })
    const settle = (served: Served) => {
      clearTimeout(timer)
      resolve(served)
      socket.on('error', () => {}).destroy()
    }
    const timer = setTimeout(
      () => settle({ state: 'unreachable', why: `no handshake within ${timeoutMs} ms` }),
      timeoutMs,
    )
    socket.once('secureConnect', () => {
      const chain = readPeerChain(socket)
      const [leaf] = chain
      if (!leaf) return settle({ state: 'unreachable', why: 'no certificate was sent' })
      settle({
        state: 'served',
        chain,
        fingerprintSha256: leaf.fingerprint256,
        protocol: socket.getProtocol() ?? 'unknown',
        cipher: socket.getCipher().name,
      })
    })
    socket.once('error', (error) => settle({ state: 'unreachable', why: error.message }))
    socket.once('close', () => settle({ state: 'unreachable', why: 'closed during the handshake' }))
  })
}

/** Lists the leaf and, as far as Node could link them, the issuers sent with it; unrelated ones are not among them. */
export function readPeerChain(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let next = socket.getPeerX509Certificate(); next; next = next.issuerCertificate) {
    const current = next
    if (chain.some((certificate) => certificate.raw.equals(current.raw))) break
    chain.push(current)
  }
  return chain
}
