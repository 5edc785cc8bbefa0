/** The OpenSSL inside Node and the real stunnel, asked the same (S11: each defect is refused; catalogue C, rows 1 to 63). */
import { once } from 'node:events'
import { createServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { requirePart } from '../real-parts.js'
import { daysFromNow, issue, issueAuthority, issueCrl } from '../x509/test-authority.js'
import {
  type Case,
  dialOutcome,
  expired,
  joined,
  leafOf,
  NAME,
  named,
  otherRoot,
  type Row,
  root,
  selfSigned,
  simple,
  three,
  withCrls,
} from './dial-case.js'
import { type Rehearsal, type RehearsedHost, rehearse, rehearseAt } from './rehearse.js'

const agreed: readonly Row[] = [
  ['leaf under an installed root', 'accepted', () => simple()],
  ['leaf expired', '!certificate has expired', () => simple(expired)],
  ['intermediate expired', '!certificate has expired', () => three({ intermediate: expired })],
  ['installed root expired', '!certificate has expired', () => three({ root: expired })],
  ['leaf not valid yet', '!certificate is not yet valid', () => simple({ notBefore: daysFromNow(2) })],
  ['CN is another name', 'Subject checks failed', () => named({ subject: 'x.lab' }, NAME)],
  ['CN right, dNSName not', 'Subject checks failed', () => simple({ dnsNames: ['x.lab'] })],
  [
    'address, iPAddress SAN',
    'Subject checks failed',
    () => simple({ ipAddresses: ['192.0.2.7'] }, { name: '192.0.2.7' }),
  ],
  ['address as CN', 'accepted', () => named({ subject: '192.0.2.7' }, '192.0.2.7')],
  ['short name', 'Subject checks failed', () => simple({}, { name: 'wlb' })],
  ['letter case', 'accepted', () => simple({}, { name: NAME.toUpperCase() })],
  ['wildcard', 'accepted', () => simple({ dnsNames: ['*.example.lab'] })],
  [
    'intermediate not sent',
    '!unable to get local issuer certificate',
    async () => {
      const { chain = [], ...rest } = await three({})
      return { ...rest, chain: chain.slice(0, 1) }
    },
  ],
  [
    'leaf, root, intermediate',
    'accepted',
    async () => {
      const { chain: [leaf, middle] = [], bundle } = await three({})
      const top = await root()
      return leaf && middle ? { chain: [leaf, top, middle], bundle } : { bundle }
    },
  ],
  [
    'another root installed',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: (await otherRoot()).certificatePem }),
  ],
  [
    'another root installed, the right one sent',
    '!self-signed certificate in certificate chain',
    async () => {
      const top = await root()
      return { chain: [await leafOf(top), top], bundle: (await otherRoot()).certificatePem }
    },
  ],
  [
    'the installed root has another key',
    '!certificate signature failure',
    async () =>
      simple({}, { bundle: (await issueAuthority({ subject: 'Example Root', keyLabel: 'x' })).certificatePem }),
  ],
  [
    'only the intermediate installed',
    '!unable to get issuer certificate',
    async () => {
      const { chain: [leaf, middle] = [] } = await three({})
      return leaf && middle ? { chain: [leaf], bundle: middle.certificatePem } : { bundle: '' }
    },
  ],
  ['no bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: undefined })],
  [
    'the leaf installed',
    '!unable to get local issuer certificate',
    async () => {
      const leaf = await leafOf(await root())
      return { chain: [leaf], bundle: leaf.certificatePem }
    },
  ],
  [
    'self-signed, not installed',
    '!self-signed certificate',
    async () => selfSigned({}, (await otherRoot()).certificatePem),
  ],
  ['self-signed, installed', 'accepted', () => selfSigned()],
  [
    'a bad block behind a good one',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: `${(await root()).certificatePem}-----BEGIN CERTIFICATE-----\nAAAA\n` }),
  ],
  ['leaf RSA 1024', '!EE certificate key too weak', () => simple({ keyKind: 'rsa1024' })],
  ['intermediate RSA 1024', '!CA certificate key too weak', () => three({ intermediate: { keyKind: 'rsa1024' } })],
  ['leaf signed with SHA-1', '!CA signature digest algorithm too weak', () => simple({ digest: 'SHA-1' })],
  ['ECDSA key', 'reset', () => simple({ keyKind: 'ec' })],
  ['EKU clientAuth', '!unsuitable certificate purpose', () => simple({ extendedKeyUsage: ['clientAuth'] })],
  ['keyCertSign only', '!unsuitable certificate purpose', () => simple({ keyUsage: ['keyCertSign'] })],
  ['path too long', '!path length constraint exceeded', () => three({ root: { pathLength: 0 } })],
  [
    'name not permitted',
    '!permitted subtree violation',
    () => three({ intermediate: { permittedDomain: 'other.lab' } }),
  ],
  [
    'revoked',
    '!certificate revoked',
    () => withCrls(async (top, leaf) => ({ 'a.pem': await issueCrl(top, { revoked: [leaf] }) })),
  ],
  [
    'CRL expired',
    '!CRL has expired',
    () =>
      withCrls(async (top) => ({
        'a.pem': await issueCrl(top, { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) }),
      })),
  ],
  [
    'CRL not valid yet',
    '!CRL is not yet valid',
    () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top, { thisUpdate: daysFromNow(2) }) })),
  ],
  [
    'a CRL of another authority',
    '!unable to get certificate CRL',
    () => withCrls(async () => ({ 'a.pem': await issueCrl(await otherRoot()) })),
  ],
  [
    'CRL signed with another key',
    '!CRL signature failure',
    () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top, { signedBy: await otherRoot() }) })),
  ],
]

/** Where Node says something else, as rehearse.ts explains. */
const different: readonly [what: string, stunnel: string, node: string, given: () => Promise<Case>][] = [
  [
    'intermediate CA:FALSE, which is two defects',
    '!invalid CA certificate',
    '!unsuitable certificate purpose',
    () => three({ intermediate: { ca: false } }),
  ],
  [
    'two defects: Node names the last',
    '!self-signed certificate',
    '!certificate has expired',
    async () => selfSigned(expired, (await otherRoot()).certificatePem),
  ],
  [
    'the CRL of the issuer alone is enough for a pool, and not for Node',
    'accepted',
    '!unable to get certificate CRL',
    async () => {
      const given = await three({})
      const [, middle] = given.chain ?? []
      return middle ? { ...given, crls: { 'a.pem': await issueCrl(middle) } } : given
    },
  ],
]

describe.skipIf(requirePart('stunnel') === undefined)('stunnel', () => {
  it.each(agreed)('%s: %s', async (_what, outcome, given) => {
    expect(await dialOutcome('stunnel', await given())).toBe(outcome)
  })
  it.each(different)('%s: %s', async (_what, stunnel, _node, given) => {
    expect(await dialOutcome('stunnel', await given())).toBe(stunnel)
  })
})

describe('in memory', () => {
  it.each([...agreed, ...different.map(([what, , node, given]): Row => [what, node, given])])(
    '%s: %s',
    async (_what, outcome, given) => {
      const { identity, host } = split(await given())
      expect(describeRehearsal(await rehearse(identity, host))).toBe(outcome)
    },
  )
})

describe('over the network', () => {
  it.each(agreed)('%s: %s', async (_what, outcome, given) => {
    const { identity, host } = split(await given())
    const server = createServer({
      cert: identity.certificatePem,
      key: identity.privateKeyPem,
      ecdhCurve: 'auto',
      ciphers: 'ALL:@SECLEVEL=0',
    })
    server.on('connection', (socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' && address ? address.port : 0
    expect(describeRehearsal(await rehearseAt({ host: '127.0.0.1', port, timeoutMs: 5_000 }, host))).toBe(outcome)
    server.close()
  })

  it('nobody listens', async () => {
    const rehearsal = await rehearseAt(
      { host: '127.0.0.1', port: 1, timeoutMs: 5_000 },
      { bundle: undefined, name: NAME },
    )
    expect(rehearsal).toMatchObject({ state: 'no handshake', why: expect.stringMatching(/ECONNREFUSED/) })
  })
})

it('trusts nobody where the bundle is not there, least of all the roots of Node itself', async () => {
  const own = await issue({ subject: NAME })
  const bundle = Buffer.from(`${own.certificatePem}-----BEGIN CERTIFICATE-----\nAAAA\n`)
  const identity = { certificatePem: own.certificatePem, privateKeyPem: own.privateKeyPem }
  expect(describeRehearsal(await rehearse(identity, { bundle, name: NAME }))).toBe('!self-signed certificate')
})

function split({ chain = [], bundle, crls, name = NAME }: Case) {
  const [leaf] = chain
  if (!leaf) throw new Error('a case has a leaf')
  const host: RehearsedHost = {
    bundle: bundle === undefined ? undefined : Buffer.from(bundle),
    crls: crls && Object.values(crls),
    name,
  }
  return { identity: { certificatePem: joined(...chain), privateKeyPem: leaf.privateKeyPem }, host }
}

function describeRehearsal(rehearsal: Rehearsal): string {
  switch (rehearsal.state) {
    case 'accepted':
      return 'accepted'
    case 'refused':
      return rehearsal.reason.replace('Pre-verification error: ', '!')
    case 'not configured':
      return 'stunnel: Configuration failed'
    case 'no handshake':
      return 'reset'
  }
}
