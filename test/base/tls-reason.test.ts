/** The words of a refused connection are OpenSSL's on every release of Node. */
import { once } from 'node:events'
import { connect, createServer } from 'node:tls'
import { expect, it, test } from 'vitest'
import { tlsReason } from '../../src/base/text/tls-reason.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { issue } from '../x509/test-authority.js'

const ADVICE = '; if the root CA is installed locally, try running Node.js with --use-system-ca'
const reasons: [error: unknown, reason: string][] = [
  [new Error('self-signed certificate'), 'self-signed certificate'],
  [new Error(`self-signed certificate${ADVICE}`), 'self-signed certificate'],
  [new Error(`unable to get issuer certificate${ADVICE}`), 'unable to get issuer certificate'],
  [new Error('connect ECONNREFUSED 127.0.0.1:1'), 'connect ECONNREFUSED 127.0.0.1:1'],
  ['no error', 'no error'],
]
it.each(reasons)('%s', (error, reason) => {
  expect(tlsReason(error)).toBe(reason)
})

test('as this release of Node says it', async () => {
  const { certificatePem, privateKeyPem } = await issue({ subject: 'wlb.lab.internal' })
  const server = createServer({ cert: certificatePem, key: privateKeyPem }).on('tlsClientError', () => {})
  server.listen(0, OWN_ADDRESS)
  await once(server, 'listening')
  const address = server.address()
  const socket = connect({ host: OWN_ADDRESS, port: typeof address === 'object' && address ? address.port : 0 })
  const [error]: unknown[] = await once(socket, 'error')
  expect(tlsReason(error)).toBe('self-signed certificate')
  server.close()
})
