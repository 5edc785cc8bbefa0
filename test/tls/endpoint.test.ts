/** What an endpoint lets a pool's handshake get to, and which one thing stands in its way (catalogue C, rows 46 to 51, 65 to 67). */
import { once } from 'node:events'
import { createServer as createPlainServer, type Server } from 'node:net'
import { createServer, type TlsOptions } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { observeEndpoint } from '../../src/tls/endpoint.js'
import { encodeClientHello, readServerFlight } from '../../src/tls/handshake-messages.js'
import { freePort } from '../free-port.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { type CertificateSpec, type Issued, issue, issueAuthority } from '../x509/test-authority.js'
import { dialOutcome } from './dial-case.js'

const NAME = 'wlb.example.lab'
const leaf = (more: Partial<CertificateSpec> = {}) => issue({ subject: NAME, dnsNames: [NAME], ...more })
const chain = async () => {
  const root = await issueAuthority({ subject: 'Example Root' })
  const middle = await issueAuthority({ subject: 'Example Issuing', issuer: root })
  const other = await issueAuthority({ subject: 'Other Root' })
  return [await leaf({ issuer: middle }), root, other, middle]
}
const one = async (more?: Partial<CertificateSpec>) => [await leaf(more)]
/** More certificates than OpenSSL takes from a server. */
const endless = async () => {
  const own = await leaf()
  return [own, ...Array.from({ length: 400 }, () => own)]
}
const oldTls: TlsOptions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1' }
const refuseName: TlsOptions = { SNICallback: (_name, done) => done(new Error('no such name')) }

const servers: [what: string, outcome: string, certificates: () => Promise<Issued[]>, options: TlsOptions][] = [
  ['an ordinary server', `agreed; ${NAME}; not asked`, one, {}],
  [
    'everything sent is seen, in its order, related or not',
    `agreed; ${NAME}, Example Root, Other Root, Example Issuing; not asked`,
    chain,
    {},
  ],
  ['RSA 1024', `agreed; ${NAME}; not asked`, () => one({ keyKind: 'rsa1024' }), {}],
  [
    'a client certificate is demanded',
    `agreed; ${NAME}; demanded`,
    one,
    { requestCert: true, rejectUnauthorized: true },
  ],
  [
    'a client certificate is asked for and not needed',
    `agreed; ${NAME}; asked`,
    one,
    { requestCert: true, rejectUnauthorized: false },
  ],
  ['an ECDSA key', `KEY_NOT_RSA; ${NAME}; handshake failure`, () => one({ keyKind: 'ec' }), {}],
  ['TLS 1.3 only', `TLS_1_3_ONLY; ${NAME}; protocol version`, one, { minVersion: 'TLSv1.3' }],
  [
    'TLS 1.3 only, an ECDSA key',
    `TLS_1_3_ONLY; ${NAME}; protocol version`,
    () => one({ keyKind: 'ec' }),
    { minVersion: 'TLSv1.3' },
  ],
  ['TLS 1.1 at most', `TLS_TOO_OLD; ${NAME}; handshake failure`, one, oldTls],
  [
    'neither of the two suites',
    `NO_COMMON_SUITE; ${NAME}; handshake failure`,
    one,
    { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' },
  ],
  ['P-256 only', `NO_COMMON_CURVE; ${NAME}; handshake failure`, one, { ecdhCurve: 'prime256v1' }],
  ['no certificate for that name', 'NAME_NOT_SERVED; ; ', one, refuseName],
  ['more certificates than OpenSSL takes', 'CERTIFICATES_TOO_LONG; ; ', endless, {}],
]

it.each(servers)('%s: %s', async (_what, outcome, certificates, options) => {
  const sent = await certificates()
  const cert = sent.map(({ certificatePem }) => certificatePem).join('')
  const key = sent[0]?.privateKeyPem
  const server = createServer({ cert, key, ecdhCurve: 'auto', ciphers: 'ALL:@SECLEVEL=0', ...options }, (socket) =>
    socket.on('error', () => {}),
  )
  expect(await describeEndpoint(server)).toBe(outcome)
})

const others: [what: string, outcome: string, answer: string | undefined][] = [
  ['plain HTTP', 'not-tls: HTTP/1.1 400 Bad Request', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['another protocol', 'not-tls: SSH-2.0-OpenSSH_9.2', 'SSH-2.0-OpenSSH_9.2\r\n'],
  ['closes without a word', 'UNEXPLAINED; ; ', ''],
  ['says nothing', 'silent', undefined],
  ['begins like TLS and goes on with rubbish', 'UNEXPLAINED; ; ', '\x16\x03\x03\xff\xff rubbish'],
]

it.each(others)('%s: %s', async (_what, outcome, answer) => {
  const server = createPlainServer((socket) => {
    socket.on('error', () => {})
    if (answer !== undefined) socket.once('data', () => socket.end(answer, 'latin1'))
  })
  expect(await describeEndpoint(server, 500)).toBe(outcome)
})

describe.skipIf(requirePart('stunnel') === undefined)(
  'a chain as long as OpenSSL takes (100 KiB), and one longer',
  () => {
    const limit = 100 * 1024 - 3
    test.each([
      ['accepted', 'agreed', 0],
      ['reset', 'CERTIFICATES_TOO_LONG', 1],
    ])('stunnel: %s, ours: %s', async (stunnel, ours, more) => {
      const own = await leaf()
      const size = own.certificate.raw.length + 3
      const rest = limit - Math.floor(limit / size - 2) * size
      const pad = (length: number) => issue({ subject: 'filler', dnsNames: ['x'.repeat(length)] })
      const tried = await pad(300)
      const padded = await pad(300 + rest + more - 3 - tried.certificate.raw.length)
      const copies = Array.from({ length: Math.floor(limit / size - 2) }, () => own)
      const chain = [...copies, padded]
      const total = chain.reduce((sum, { certificate }) => sum + certificate.raw.length + 3, 0)
      expect(total).toBe(limit + more)
      expect(await dialOutcome('stunnel', { chain, bundle: own.certificatePem, name: NAME })).toBe(stunnel)
      const server = createServer({
        cert: chain.map(({ certificatePem }) => certificatePem).join(''),
        key: own.privateKeyPem,
      })
      expect((await describeEndpoint(server)).split(';')[0]).toBe(ours)
    })
  },
)

test('nobody listens', async () => {
  const facts = await observeEndpoint({ host: OWN_ADDRESS, port: await freePort(), timeoutMs: 5_000 }, NAME)
  expect(facts).toMatchObject({ state: 'unreachable', indicator: 'Connection refused' })
})

test('the name does not resolve', async () => {
  const facts = await observeEndpoint({ host: 'nowhere.invalid', port: 8012, timeoutMs: 5_000 }, NAME)
  expect(facts).toMatchObject({ state: 'unreachable', indicator: 'No host resolved' })
})

describe('the bytes of an answer', () => {
  const message = (type: number, body: Buffer) =>
    Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 0xff]), body])
  const hello = Buffer.concat([
    Buffer.from([3, 3]),
    Buffer.alloc(32),
    Buffer.from([0]),
    Buffer.from([0xc0, 0x30]),
    Buffer.from([0]),
  ])
  const handshake = Buffer.concat([
    message(2, hello),
    message(11, Buffer.from([0, 0, 8, 0, 0, 2, 1, 2, 0, 0, 0]).subarray(0, 8)),
    message(14, Buffer.alloc(0)),
  ])
  const record = (type: number, body: Buffer) =>
    Buffer.concat([Buffer.from([type, 3, 3, body.length >> 8, body.length & 0xff]), body])

  test('are the same in one record or in many', () => {
    const whole = readServerFlight(record(22, handshake))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: handshake.length - 1 })), (cuts) => {
        const at = [0, ...new Set(cuts), handshake.length].sort((a, b) => a - b)
        const pieces = at.slice(1).map((end, index) => handshake.subarray(at[index], end))
        expect(readServerFlight(Buffer.concat(pieces.map((piece) => record(22, piece))))).toEqual(whole)
      }),
    )
  })

  test('cut short, they are waited for', () => {
    const bytes = record(22, Buffer.concat([message(2, hello), message(14, Buffer.alloc(0))]))
    for (let length = 0; length < bytes.length; length++) {
      expect(readServerFlight(bytes.subarray(0, length)).state).toBe('incomplete')
    }
    expect(readServerFlight(bytes).state).toBe('answered')
  })

  test('may be anything', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (garbage, framed) => {
        const bytes = Buffer.from(garbage)
        expect(readServerFlight(framed ? record(22, bytes) : bytes).state).toMatch(/^[a-z-]+$/)
      }),
      { numRuns: 2_000 },
    )
  })

  test('a hello is as long as it says', () => {
    fc.assert(
      fc.property(fc.domain(), fc.uint8Array({ minLength: 32, maxLength: 32 }), (serverName, random) => {
        const offer = { version: 'TLSv1.2', suites: [1, 2], groups: [24], serverName } as const
        const bytes = encodeClientHello(offer, Buffer.from(random))
        expect(bytes.readUInt16BE(3)).toBe(bytes.length - 5)
        expect(bytes.readUInt16BE(7)).toBe(bytes.length - 9)
      }),
    )
  })
})

async function describeEndpoint(server: Server, timeoutMs = 5_000): Promise<string> {
  const open = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => open.add(socket)).listen(0, OWN_ADDRESS)
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const facts = await observeEndpoint({ host: OWN_ADDRESS, port, timeoutMs }, NAME)
  for (const socket of open) socket.destroy()
  server.close()
  const subjects = (certificates: readonly { subject: string }[]) =>
    certificates.map(({ subject }) => subject.slice(3)).join(', ')
  switch (facts.state) {
    case 'agreed':
      return `agreed; ${subjects(facts.certificates)}; ${facts.clientCertificate}`
    case 'refused':
      return `${facts.obstacle}; ${subjects(facts.certificates)}; ${facts.alert}`
    case 'not-tls':
      return `not-tls: ${facts.firstLine}`
    default:
      return facts.state
  }
}
