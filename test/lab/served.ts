/** What a host of the lab shows on its TLS port. */
import { connect } from 'node:tls'
import type { TestPool } from './test-pool.js'

/** SHA-256 of the external certificate, upper-case with colons. */
export function probeOf(pool: TestPool, host: string): Promise<string> {
  const { address, tlsPort } = pool.host(host)
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address, port: tlsPort, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}
