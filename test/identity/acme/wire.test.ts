/** Answers of an ACME authority have a limit, whatever is in them. */
import { once } from 'node:events'
import { createServer } from 'node:https'
import { expect, test } from 'vitest'
import { readDocument, withWire } from '../../../src/identity/acme/wire.js'
import { OWN_ADDRESS } from '../../run-folder.js'
import { daysFromNow, issue, issueAuthority } from '../../x509/test-authority.js'

const LIMIT = 256 * 1024
const bodies: [what: string, body: string, outcome: unknown][] = [
  ['as long as may be', JSON.stringify('x'.repeat(LIMIT - 2)), 'x'.repeat(LIMIT - 2)],
  ['nested as deep as fits', `${'['.repeat(LIMIT)}`, undefined],
  ['a byte more', JSON.stringify('x'.repeat(LIMIT - 1)), 'ACME_DIRECTORY_UNREACHABLE'],
  ['without an end', 'x'.repeat(64 * LIMIT), 'ACME_DIRECTORY_UNREACHABLE'],
]
test.each(bodies)('%s', async (_what, body, outcome) => {
  const issuer = await issueAuthority({ subject: 'Directory Authority', keyLabel: 'directory-ca' })
  const names = { ipAddresses: [OWN_ADDRESS], notAfter: daysFromNow(300) }
  const { privateKeyPem: key, certificatePem: cert } = await issue({
    subject: 'acme',
    issuer,
    keyLabel: 'wire',
    ...names,
  })
  const server = createServer({ key, cert }, (_request, response) => void response.end(body)).listen(0, OWN_ADDRESS)
  await once(server, 'listening')
  const address = server.address()
  const url = `https://${OWN_ADDRESS}:${typeof address === 'object' && address ? address.port : 0}/dir`
  const options = { ca: issuer.certificatePem, signal: new AbortController().signal, timeoutMs: 10_000 }
  const answer = await withWire(options, (wire) => readDocument(wire, url)).catch((error: unknown) => error)
  server.close()
  server.closeAllConnections()
  if (!(answer instanceof Error)) expect(answer).toBe(outcome)
  else expect(answer).toMatchObject({ code: outcome, facts: { why: `the answer has more than ${LIMIT} bytes` } })
})
