/** The certificates of the other side of a connection. */
import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

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
