/** Both pool clients against real servers: the verdict and its text, row by row (the real stunnel is the judge). */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type TlsOptions } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dialAsPool } from '../../src/tls/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { daysFromNow, type Issued, issue, issueAuthority, issueCrl, TEST_NOW } from '../x509/test-authority.js'

const NAME = 'wlb.example.lab'
const parts = ['stunnel', 'openssl'] as const
const missing = parts.filter((part) => requirePart(part) === undefined)

interface Case {
  /** What the server sends, leaf first. */
  readonly chain?: readonly Issued[]
  /** Instead of a chain made here. */
  readonly identity?: { readonly certificatePem: string; readonly privateKeyPem: string }
  readonly server?: TlsOptions | 'plain' | 'silent' | 'closed'
  /** The file; undefined leaves it missing. */
  readonly bundle: string | Buffer | undefined
  /** File name to content; hashed unless told otherwise. */
  readonly crls?: Readonly<Record<string, string>>
  readonly leaveUnhashed?: boolean
  readonly name?: string
  readonly verify?: false
  readonly timeoutMs?: number
}

/** `accepted`, a text of `CERT:` (the prefix shortened to `!`), or what kind of failure. */
type Outcome = string
type Row = readonly [what: string, outcome: Outcome, given: () => Promise<Case>]

const root = () => issueAuthority({ subject: 'Example Root' })
const otherRoot = () => issueAuthority({ subject: 'Other Root' })
const leafSpec = { subject: NAME, dnsNames: [NAME], extendedKeyUsage: ['serverAuth'] } as const
const leafOf = async (issuer: Issued, more = {}) => issue({ ...leafSpec, issuer, ...more })
const join_ = (...issued: readonly Issued[]) => issued.map(({ certificatePem }) => certificatePem).join('')

/** A leaf under the root, the root in the bundle, and what is different about it. */
async function simple(leafMore: object = {}, more: Partial<Case> = {}): Promise<Case> {
  const top = await root()
  return { chain: [await leafOf(top, leafMore)], bundle: top.certificatePem, ...more }
}

/** Root, intermediate, leaf, all three sent or in the bundle as a pool would have them. */
async function three(options: {
  root?: object
  intermediate?: object
  leaf?: object
  more?: Partial<Case>
}): Promise<Case> {
  const top = await issueAuthority({ subject: 'Example Root', ...options.root })
  const middle = await issueAuthority({ subject: 'Example Issuing', issuer: top, ...options.intermediate })
  return { chain: [await leafOf(middle, options.leaf), middle], bundle: top.certificatePem, ...options.more }
}

async function selfSigned(more: object = {}, bundle?: string): Promise<Case> {
  const own = await issue({ ...leafSpec, ...more })
  return { chain: [own], bundle: bundle ?? own.certificatePem }
}

async function named(certificate: object, name: string): Promise<Case> {
  return simple({ dnsNames: [], ...certificate }, { name })
}

async function withCrls(crls: (root: Issued, leaf: Issued) => Promise<Record<string, string>>): Promise<Case> {
  const top = await root()
  const leaf = await leafOf(top)
  return { chain: [leaf], bundle: top.certificatePem, crls: await crls(top, leaf) }
}

const expired = { notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) }
const GARBAGE_BLOCK = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const CUT_BLOCK = (pem: string) => pem.slice(0, 400)

const rows: readonly Row[] = [
  // chains
  ['leaf under the root in the bundle', 'accepted', () => simple()],
  ['leaf and intermediate sent', 'accepted', () => three({})],
  [
    'leaf, root, intermediate sent in that order',
    'accepted',
    async () => {
      const given = await three({})
      const [leaf, middle] = given.chain ?? []
      return { ...given, chain: [leaf!, await root(), middle!] }
    },
  ],
  [
    'intermediate not sent',
    '!unable to get local issuer certificate',
    async () => {
      const given = await three({})
      return { ...given, chain: given.chain!.slice(0, 1) }
    },
  ],
  [
    'intermediate not sent, but in the bundle',
    'accepted',
    async () => {
      const given = await three({})
      return { chain: given.chain!.slice(0, 1), bundle: join_(await root(), given.chain![1]!) }
    },
  ],
  [
    'intermediate alone in the bundle',
    '!unable to get issuer certificate',
    async () => {
      const given = await three({})
      return { ...given, bundle: given.chain![1]!.certificatePem }
    },
  ],
  [
    'leaf alone in the bundle',
    '!unable to get local issuer certificate',
    async () => {
      const given = await simple()
      return { ...given, bundle: given.chain![0]!.certificatePem }
    },
  ],
  [
    'another root in the bundle',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: (await otherRoot()).certificatePem }),
  ],
  [
    'another root in the bundle, the right one sent',
    '!self-signed certificate in certificate chain',
    async () => {
      const given = await simple()
      return { chain: [...given.chain!, await root()], bundle: (await otherRoot()).certificatePem }
    },
  ],
  [
    'root renewed with another key under the same name',
    '!certificate signature failure',
    async () =>
      simple({}, { bundle: (await issueAuthority({ subject: 'Example Root', keyLabel: 'another' })).certificatePem }),
  ],
  // self-signed
  [
    'made by createSelfSigned',
    'accepted',
    async () => {
      const identity = await createSelfSigned({ hostname: NAME, addresses: ['127.0.0.1'], now: TEST_NOW })
      return { identity, bundle: identity.certificatePem }
    },
  ],
  ['self-signed, installed, CA:TRUE', 'accepted', () => selfSigned({ ca: true })],
  [
    'self-signed, installed, CA:FALSE without keyCertSign',
    'accepted',
    () => selfSigned({ ca: false, keyUsage: ['digitalSignature', 'keyEncipherment'] }),
  ],
  [
    'self-signed, installed, no extension at all',
    'accepted',
    async () => {
      const own = await issue({ subject: NAME })
      return { chain: [own], bundle: own.certificatePem }
    },
  ],
  ['self-signed with SHA-1, installed', 'accepted', () => selfSigned({ digest: 'SHA-1' })],
  [
    'self-signed, another root in the bundle',
    '!self-signed certificate',
    async () => selfSigned({}, (await otherRoot()).certificatePem),
  ],
  [
    'self-signed, made again since it was installed',
    '!self-signed certificate',
    async () => selfSigned({}, (await issue({ ...leafSpec, keyLabel: 'before' })).certificatePem),
  ],
  // names
  ['name not in the certificate', 'Subject checks failed', () => simple({}, { name: 'other.example.lab' })],
  ['CN right, SAN another', 'Subject checks failed', () => named({ dnsNames: ['other.example.lab'] }, NAME)],
  ['CN right, no SAN, other letter case', 'accepted', () => named({}, NAME.toUpperCase())],
  ['short name', 'Subject checks failed', () => simple({}, { name: 'wlb' })],
  ['dot at the end', 'Subject checks failed', () => simple({}, { name: `${NAME}.` })],
  [
    'IP address, as iPAddress SAN',
    'Subject checks failed',
    () => named({ dnsNames: [NAME], ipAddresses: ['127.0.0.1'] }, '127.0.0.1'),
  ],
  [
    'IP address, as CN, iPAddress SAN beside it',
    'accepted',
    () => named({ subject: '127.0.0.1', ipAddresses: ['127.0.0.1'] }, '127.0.0.1'),
  ],
  [
    'IP address, as CN, dNSName beside it',
    'Subject checks failed',
    () => named({ subject: '127.0.0.1', dnsNames: [NAME] }, '127.0.0.1'),
  ],
  ['IP address, as dNSName', 'accepted', () => named({ dnsNames: ['127.0.0.1'] }, '127.0.0.1')],
  ['wildcard', 'accepted', () => named({ dnsNames: ['*.example.lab'] }, NAME)],
  ['wildcard two labels above', 'Subject checks failed', () => named({ dnsNames: ['*.example.lab'] }, `a.${NAME}`)],
  ['wildcard under the top', 'Subject checks failed', () => named({ dnsNames: ['*.lab'] }, 'wlb.lab')],
  // dates
  ['leaf expired', '!certificate has expired', () => simple(expired)],
  ['leaf not valid yet', '!certificate is not yet valid', () => simple({ notBefore: daysFromNow(2) })],
  ['intermediate expired', '!certificate has expired', () => three({ intermediate: expired })],
  ['root expired', '!certificate has expired', () => three({ root: expired })],
  ['self-signed, installed, expired', '!certificate has expired', () => selfSigned(expired)],
  // strength
  ['leaf RSA 1024', '!EE certificate key too weak', () => simple({ keyKind: 'rsa1024' })],
  ['intermediate RSA 1024', '!CA certificate key too weak', () => three({ intermediate: { keyKind: 'rsa1024' } })],
  ['leaf signed with SHA-1', '!CA signature digest algorithm too weak', () => simple({ digest: 'SHA-1' })],
  [
    'intermediate signed with SHA-1',
    '!CA signature digest algorithm too weak',
    () => three({ intermediate: { digest: 'SHA-1' } }),
  ],
  // usage
  ['EKU clientAuth', '!unsuitable certificate purpose', () => simple({ extendedKeyUsage: ['clientAuth'] })],
  ['leaf for keyCertSign only', '!unsuitable certificate purpose', () => simple({ keyUsage: ['keyCertSign'] })],
  ['intermediate CA:FALSE', '!invalid CA certificate', () => three({ intermediate: { ca: false } })],
  [
    'intermediate without keyCertSign',
    '!invalid CA certificate',
    () => three({ intermediate: { keyUsage: ['cRLSign'] } }),
  ],
  ['root without keyCertSign', '!invalid CA certificate', () => three({ root: { keyUsage: ['cRLSign'] } })],
  ['path longer than the root allows', '!path length constraint exceeded', () => three({ root: { pathLength: 0 } })],
  [
    'name outside the permitted domain',
    '!permitted subtree violation',
    () => three({ intermediate: { permittedDomain: 'other.lab' } }),
  ],
  ['name inside the permitted domain', 'accepted', () => three({ intermediate: { permittedDomain: 'example.lab' } })],
  [
    'name outside the permitted domain, and not in the certificate',
    'Subject checks failed',
    () => three({ intermediate: { permittedDomain: 'other.lab' }, more: { name: 'x.lab' } }),
  ],
  [
    'name outside the permitted domain, certificate expired',
    '!certificate has expired',
    () => three({ intermediate: { permittedDomain: 'other.lab' }, leaf: expired }),
  ],
  // several faults: the first one OpenSSL asks about is told
  [
    'not installed and expired',
    '!self-signed certificate',
    async () => selfSigned(expired, (await otherRoot()).certificatePem),
  ],
  ['expired and wrong name', '!certificate has expired', () => simple(expired, { name: 'x.lab' })],
  [
    'clientAuth and expired',
    '!unsuitable certificate purpose',
    () => simple({ extendedKeyUsage: ['clientAuth'], ...expired }),
  ],
  ['RSA 1024 and expired', '!EE certificate key too weak', () => simple({ keyKind: 'rsa1024', ...expired })],
  [
    'intermediate expired, leaf not valid yet',
    '!certificate has expired',
    () =>
      three({
        intermediate: expired,
        leaf: { notBefore: daysFromNow(2) },
      }),
  ],
  ['SHA-1 and expired', '!CA signature digest algorithm too weak', () => simple({ digest: 'SHA-1', ...expired })],
  // what the server can do
  ['ECDSA key', 'reset', () => simple({ keyKind: 'ec' })],
  ['TLS 1.3 only', 'reset', () => simple({}, { server: { minVersion: 'TLSv1.3' } })],
  [
    'neither of the two suites',
    'reset',
    () => simple({}, { server: { ciphers: 'ECDHE-RSA-CHACHA20-POLY1305', maxVersion: 'TLSv1.2' } }),
  ],
  ['P-256 only', 'reset', () => simple({}, { server: { ecdhCurve: 'prime256v1' } })],
  ['no TLS at all', 'reset', () => simple({}, { server: 'plain' })],
  ['nobody listens', 'stunnel: Connection refused', () => simple({}, { server: 'closed' })],
  ['says nothing', 'timeout', () => simple({}, { server: 'silent', timeoutMs: 300 })],
  // the bundle
  ['no bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: undefined })],
  ['empty bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: '' })],
  ['garbage for a bundle', 'stunnel: Configuration failed', () => simple({}, { bundle: 'no certificate here\n' })],
  [
    'bundle in DER',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: (await root()).certificate.raw }),
  ],
  [
    'bundle of TRUSTED CERTIFICATE',
    'stunnel: Configuration failed',
    async () =>
      simple({}, { bundle: (await root()).certificatePem.replaceAll(' CERTIFICATE', ' TRUSTED CERTIFICATE') }),
  ],
  [
    'bundle of X509 CERTIFICATE',
    'accepted',
    async () => simple({}, { bundle: (await root()).certificatePem.replaceAll(' CERTIFICATE', ' X509 CERTIFICATE') }),
  ],
  [
    'joined without a newline',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: `${(await root()).certificatePem.trim()}${(await otherRoot()).certificatePem}` }),
  ],
  [
    'undecodable block first',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: GARBAGE_BLOCK + (await root()).certificatePem }),
  ],
  [
    'cut block first',
    'stunnel: Configuration failed',
    async () =>
      simple({}, { bundle: `${CUT_BLOCK((await otherRoot()).certificatePem)}\n${(await root()).certificatePem}` }),
  ],
  [
    'undecodable block after a good one',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: (await root()).certificatePem + GARBAGE_BLOCK }),
  ],
  [
    'cut block after a good one',
    '!unable to get local issuer certificate',
    async () => simple({}, { bundle: (await root()).certificatePem + CUT_BLOCK((await otherRoot()).certificatePem) }),
  ],
  [
    'self-signed, installed, undecodable block after it',
    '!self-signed certificate',
    async () => {
      const given = await selfSigned()
      return { ...given, bundle: `${given.bundle}${GARBAGE_BLOCK}` }
    },
  ],
  [
    'BOM, CRLF, blanks, text and a key around it',
    'accepted',
    async () => {
      const top = await root()
      const text = `\uFEFF# ours\n\n${top.privateKeyPem}hello\n${top.certificatePem.replaceAll('-----\n', '-----  \n')}`
      return simple({}, { bundle: text.replaceAll('\n', '\r\n') })
    },
  ],
  [
    'BOM right before the block',
    'accepted',
    async () => simple({}, { bundle: `\uFEFF${(await root()).certificatePem}` }),
  ],
  [
    'headers in the block',
    'stunnel: Configuration failed',
    async () => simple({}, { bundle: (await root()).certificatePem.replace('-----\n', '-----\nComment: x\n\n') }),
  ],
  [
    'a blank line after the BEGIN line',
    'accepted',
    async () => simple({}, { bundle: (await root()).certificatePem.replace('-----\n', '-----\n\n') }),
  ],
  ['the root twice', 'accepted', async () => simple({}, { bundle: join_(await root(), await root()) })],
  // revocation
  ['CRL of the issuer', 'accepted', () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top) }))],
  [
    'CRL of another authority',
    '!unable to get certificate CRL',
    () => withCrls(async () => ({ 'a.pem': await issueCrl(await otherRoot()) })),
  ],
  ['junk among the CRLs', '!unable to get certificate CRL', () => withCrls(async () => ({ 'a.pem': 'junk\n' }))],
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
    'CRL signed with another key',
    '!CRL signature failure',
    () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top, { signedBy: await otherRoot() }) })),
  ],
  [
    'leaf revoked',
    '!certificate revoked',
    () => withCrls(async (top, leaf) => ({ 'a.pem': await issueCrl(top, { revoked: [leaf] }) })),
  ],
  [
    'another certificate revoked',
    'accepted',
    () => withCrls(async (top) => ({ 'a.pem': await issueCrl(top, { revoked: [await leafOf(top)] }) })),
  ],
  [
    'an expired CRL beside a current one',
    'accepted',
    () =>
      withCrls(async (top) => ({
        'a.pem': await issueCrl(top, { thisUpdate: daysFromNow(-9), nextUpdate: daysFromNow(-2) }),
        'b.pem': await issueCrl(top),
      })),
  ],
  [
    'CRL not hashed',
    '!unable to get certificate CRL',
    async () => ({
      ...(await withCrls(async (top) => ({ 'a.pem': await issueCrl(top) }))),
      leaveUnhashed: true,
    }),
  ],
  [
    'revoked, and expired too',
    '!certificate revoked',
    async () => {
      const top = await root()
      const leaf = await leafOf(top, expired)
      return { chain: [leaf], bundle: top.certificatePem, crls: { 'a.pem': await issueCrl(top, { revoked: [leaf] }) } }
    },
  ],
  [
    'self-signed, installed, CRL of another authority',
    '!unable to get certificate CRL',
    async () => ({
      ...(await selfSigned()),
      crls: { 'a.pem': await issueCrl(await otherRoot()) },
    }),
  ],
  [
    'intermediate revoked by the root, CRLs of both',
    'accepted',
    async () => {
      const given = await three({})
      const [, middle] = given.chain!
      const crls = { 'a.pem': await issueCrl(await root(), { revoked: [middle!] }), 'b.pem': await issueCrl(middle!) }
      return { ...given, crls }
    },
  ],
  [
    'intermediate, CRL of the root only',
    '!unable to get certificate CRL',
    async () => ({
      ...(await three({})),
      crls: { 'a.pem': await issueCrl(await root()) },
    }),
  ],
  // nothing verified
  [
    'unverified: not installed, wrong name, expired',
    'accepted',
    () => simple(expired, { bundle: undefined, name: 'x.lab', verify: false }),
  ],
  ['unverified: RSA 1024', 'accepted', () => simple({ keyKind: 'rsa1024' }, { verify: false })],
  ['unverified: ECDSA key', 'reset', () => simple({ keyKind: 'ec' }, { verify: false })],
  ['unverified: nobody listens', 'stunnel: Connection refused', () => simple({}, { verify: false, server: 'closed' })],
]

/** Where our own client refuses for another reason than stunnel: Node tells only the last one, and dates come late. */
const differences: readonly [what: string, stunnel: Outcome, node: Outcome, given: () => Promise<Case>][] = [
  [
    'path too long and leaf expired',
    '!path length constraint exceeded',
    '!certificate has expired',
    () => three({ root: { pathLength: 0 }, leaf: expired }),
  ],
]

describe.skipIf(missing.length > 0)(`dialAsPool against stunnel (needs ${parts.join(', ')})`, () => {
  for (const client of ['stunnel', 'node'] as const) {
    describe(client, () => {
      it.each(rows)('%s: %s', async (_what, outcome, given) => {
        expect(await dialOutcome(client, await given())).toBe(outcome)
      })
    })
  }
  it.each(differences)('%s: stunnel %s, node %s', async (_what, stunnel, node, given) => {
    expect(await dialOutcome('stunnel', await given())).toBe(stunnel)
    expect(await dialOutcome('node', await given())).toBe(node)
  })
})

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'dial-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let counter = 0

async function dialOutcome(client: 'node' | 'stunnel', given: Case): Promise<Outcome> {
  const host = join(folder, String(counter++))
  const crlDirectory = join(host, 'crls')
  const bundlePath = join(host, 'bundle.pem')
  mkdirSync(crlDirectory, { recursive: true })
  if (given.bundle !== undefined) writeFileSync(bundlePath, given.bundle)
  for (const [name, content] of Object.entries(given.crls ?? {})) writeFileSync(join(crlDirectory, name), content)
  if (given.crls && !given.leaveUnhashed) execFileSync('openssl', ['rehash', crlDirectory], { stdio: 'ignore' })

  const { port, close } = await serve(given)
  const connection = await dialAsPool({
    client,
    serverName: given.name ?? NAME,
    address: '127.0.0.1',
    port,
    verify: given.verify === false ? undefined : { bundlePath, crlDirectory },
    timeoutMs: given.timeoutMs ?? 10_000,
  })
  try {
    if (connection.state === 'failed') return describeFailure(connection.failure)
    connection.stream.write('ping')
    const [answer] = await connection.stream.take(1).toArray()
    connection.stream.destroy()
    return String(answer) === 'ping' ? 'accepted' : `answered ${answer}`
  } finally {
    await close()
  }
}

function describeFailure(
  failure: Extract<Awaited<ReturnType<typeof dialAsPool>>, { state: 'failed' }>['failure'],
): string {
  if (failure.kind === 'verify') return failure.reason.replaceAll('Pre-verification error: ', '!')
  return failure.kind === 'stunnel' ? `stunnel: ${failure.indicator}` : failure.kind
}

/** An echo behind TLS that takes any key, or something that is no such thing. */
async function serve({ chain, identity, server = {} }: Case): Promise<{ port: number; close(): Promise<void> }> {
  const open = new Set<{ destroy(): void }>()
  const listener = makeServer()
  listener.on('connection', (socket) => open.add(socket))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const close = () =>
    new Promise<void>((resolve) => {
      for (const socket of open) socket.destroy()
      listener.close(() => resolve())
    })
  if (server === 'closed') await close()
  return { port, close: server === 'closed' ? async () => {} : close }

  function makeServer(): Server {
    if (server === 'plain')
      return createPlainServer((socket) => socket.on('error', () => {}).end('HTTP/1.0 400 Bad Request\r\n\r\n'))
    if (typeof server === 'string') return createPlainServer((socket) => socket.on('error', () => {}))
    const cert = identity?.certificatePem ?? join_(...(chain ?? []))
    const key = identity?.privateKeyPem ?? chain?.[0]?.privateKeyPem
    return createServer({ cert, key, ecdhCurve: 'auto', ciphers: 'ALL:@SECLEVEL=0', ...server }, (socket) =>
      socket.on('error', () => {}).pipe(socket),
    )
  }
}
