/** Our verdict on a server, from what it was asked and the host's files, and the stunnel of a pool connecting to it. */
import { describe, expect, it } from 'vitest'
import { observeEndpoint } from '../../src/tls/endpoint.js'
import { checkAsPool } from '../../src/tls/pool-check.js'
import { requirePart } from '../real-parts.js'
import { issueCrl } from '../x509/test-authority.js'
import {
  type Case,
  dialOutcome,
  expired,
  joined,
  leafOf,
  NAME,
  otherRoot,
  type Row,
  root,
  selfSigned,
  serve,
  simple,
  three,
  withCrls,
} from './dial-case.js'

const wrongRoot = async () => ({ bundle: (await otherRoot()).certificatePem })

const rows: readonly Row[] = [
  ['verified', 'accepted', () => three({})],
  ['expired', '!certificate has expired', () => simple(expired)],
  ['another name', 'Subject checks failed', () => simple({}, { name: 'x.lab' })],
  [
    'out of order, with one that has no place there',
    'accepted',
    async () => {
      const { chain: [leaf, middle] = [], bundle } = await three({})
      return leaf && middle ? { chain: [leaf, await otherRoot(), await root(), middle], bundle } : { bundle }
    },
  ],
  ['no bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: undefined })],
  ['no bundle, an ECDSA key', 'stunnel: Configuration failed', () => simple({ keyKind: 'ec' }, { bundle: undefined })],
  [
    'self-signed, another root installed',
    '!self-signed certificate',
    async () => selfSigned({}, (await otherRoot()).certificatePem),
  ],
  ['ECDSA key', 'reset', () => simple({ keyKind: 'ec' })],
  ['TLS 1.3 only, and expired', 'reset', () => simple(expired, { server: { minVersion: 'TLSv1.3' } })],
  ['TLS 1.1 at most', 'reset', () => simple({}, { server: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' } })],
  [
    'neither of the two suites',
    'reset',
    () => simple({}, { server: { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' } }),
  ],
  ['P-256 only', 'reset', () => simple({}, { server: { ecdhCurve: 'prime256v1' } })],
  [
    'row 50 and not installed: the curve comes first',
    'reset',
    async () => simple({}, { server: { ecdhCurve: 'prime256v1' }, ...(await wrongRoot()) }),
  ],
  [
    'a client certificate demanded, and not installed: the verdict comes first',
    '!unable to get local issuer certificate',
    async () => simple({}, { server: { requestCert: true, rejectUnauthorized: true }, ...(await wrongRoot()) }),
  ],
  [
    'revoked',
    '!certificate revoked',
    () => withCrls(async (top, leaf) => ({ 'a.pem': await issueCrl(top, { revoked: [leaf] }) })),
  ],
  ['no TLS at all', 'reset', () => simple({}, { server: 'plain' })],
]

describe.skipIf(requirePart('stunnel') === undefined)('stunnel', () => {
  it.each(rows)('%s: %s', async (_what, outcome, given) => {
    expect(await dialOutcome('stunnel', await given())).toBe(outcome)
  })
})

/** Node's own server lets the handshake end before it turns a client without a certificate away. */
const turnedAway: Row = [
  'a client certificate demanded',
  'reset',
  () => simple({}, { server: { requestCert: true, rejectUnauthorized: true } }),
]

describe('our own verdict', () => {
  it.each([...rows, turnedAway])('%s: %s', async (_what, outcome, given) => {
    expect(await ourOutcome(await given())).toBe(outcome)
  })
})

async function ourOutcome(given: Case): Promise<string> {
  const { bundle, crls, name = NAME, now = new Date() } = given
  const { port, close } = await serve(given)
  const facts = await observeEndpoint({ host: '127.0.0.1', port, timeoutMs: 5_000 }, name)
  await close()
  if (facts.state === 'silent' || facts.state === 'unreachable') return facts.state
  const host = {
    bundle: bundle === undefined ? undefined : Buffer.from(bundle),
    crls: crls && Object.values(crls),
    name,
  }
  const { accepted, reason, xapiError, obstacles, afterwards, defects } = checkAsPool({ ...host, now, port }, facts)
  expect(obstacles.length + afterwards.length + defects.length > 0).toBe(!accepted)
  const [code = ''] = xapiError
  if (code === 'SSL_VERIFY_ERROR') return reason.replace('Pre-verification error: ', '!')
  const others: Record<string, string> = {
    '': 'accepted',
    WLB_CONNECTION_RESET: 'reset',
    INTERNAL_ERROR: 'stunnel: Configuration failed',
  }
  return others[code] ?? code
}

it('from files: more of them than OpenSSL takes', async () => {
  const leaf = await leafOf(await root())
  const presented = Array.from({ length: 200 }, () => leaf.certificate)
  const bundle = Buffer.from(joined(await root()))
  const { xapiError, obstacles } = checkAsPool({
    presented,
    bundle,
    crls: undefined,
    name: NAME,
    now: new Date(),
    port: 8012,
  })
  expect(xapiError).toEqual(['WLB_CONNECTION_RESET'])
  expect(obstacles.map(({ code }) => code)).toEqual(['CERTIFICATES_TOO_LONG'])
})
