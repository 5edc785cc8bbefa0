/** A small authority's certificates: what is in them, what it refuses, and that openssl and a pool's stunnel agree. */
import { execFileSync, spawnSync } from 'node:child_process'
import type { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { createSerialNumber, describeCertificate, validate } from '../../src/x509/index.js'
import { type Authority, createAuthority, issueCrl, type Signer } from '../../src/x509/issue/authority.js'
import { readRequest } from '../../src/x509/issue/certificate-request.js'
import { LEAF_LIFETIME_DAYS, LEAF_LIFETIME_LIMIT_DAYS, planLeaf, signLeaf } from '../../src/x509/issue/sign-leaf.js'
import { requirePart } from '../real-parts.js'
import { dialOutcome } from '../tls/dial-case.js'
import { daysFromNow, TEST_NOW } from './test-authority.js'
import { keyFor, makeRequest, type RequestSpec } from './test-request.js'

const NAME = 'wlb.example.lab'
const OWN: RequestSpec = { subject: `C=CA, O=Example, CN=${NAME}`, names: `DNS:${NAME}` }
let authority: Authority
let issuer: Signer
beforeAll(async () => {
  authority = await makeAuthority(true)
  issuer = authority.intermediate ?? authority.root
})

function makeAuthority(withIntermediate: boolean): Promise<Authority> {
  return createAuthority({
    name: 'Example',
    now: TEST_NOW,
    lifetimeDays: 500,
    rootSerial: createSerialNumber(),
    intermediateSerial: withIntermediate ? createSerialNumber() : undefined,
    keyBits: 2048,
  })
}

async function sign(spec: RequestSpec = OWN, more: { lifetimeDays?: number; now?: Date; signer?: Signer } = {}) {
  const { signer = issuer, ...rest } = more
  const request = readRequest(await makeRequest(spec))
  const plan = planLeaf({ request, issuer: signer.certificate, allow: [], now: TEST_NOW, ...rest })
  return signLeaf(plan, signer, createSerialNumber())
}

/** `signed`, or the code and its one fact. */
async function outcome(spec: RequestSpec, more: Parameters<typeof sign>[1]): Promise<string> {
  return sign(spec, more).then(
    (leaf) => `signed: ${describeCertificate(leaf).names.join(' ')}`,
    ({ code, facts }) =>
      [code, facts.key ?? facts.refused ?? facts.days].filter((part) => part !== undefined).join(': '),
  )
}

const cases: [what: string, request: RequestSpec, more: { lifetimeDays?: number; now?: Date }, outcome: string][] = [
  ['a request as it should be', OWN, {}, `signed: ${NAME}`],
  ['no subject at all', { names: 'DNS:a.example' }, {}, 'signed: a.example'],
  ['asks to be an authority', { ...OWN, asksForAuthority: true }, {}, `signed: ${NAME}`],
  ['an EC key', { ...OWN, key: 'ec' }, {}, 'REQUEST_KEY_UNSUITABLE: ec: pools offer RSA suites only'],
  ['a short key', { ...OWN, key: 'rsa1024' }, {}, 'REQUEST_KEY_UNSUITABLE: RSA 1024: pools refuse less than 2048 bits'],
  ['no name', { subject: 'O=Example' }, {}, 'REQUEST_NAMES_REFUSED: the request names no host'],
  [
    'only a refused name',
    { names: 'DNS:*.com' },
    {},
    'REQUEST_NAMES_REFUSED: *.com would stand for everything directly below a top-level domain',
  ],
  [
    'a refused common name',
    { subject: 'CN=*.com', names: 'DNS:a.example' },
    {},
    'REQUEST_NAMES_REFUSED: *.com would stand for everything directly below a top-level domain',
  ],
  [
    'a common name of 65 characters',
    { subject: `CN=${'a'.repeat(61)}.com`, names: 'DNS:a.example' },
    {},
    `REQUEST_NAMES_REFUSED: ${'a'.repeat(61)}.com is longer than the 64 characters of a common name (RFC 5280): ask for a short one, and for this one as an alternative name`,
  ],
  [
    'one of 64',
    { subject: `CN=${'a'.repeat(60)}.com`, names: 'DNS:a.example' },
    {},
    `signed: ${'a'.repeat(60)}.com a.example`,
  ],
  ['longer than clients take', OWN, { lifetimeDays: 825 }, 'USAGE_LIFETIME: 825'],
  ['no time at all', OWN, { lifetimeDays: 0 }, 'USAGE_LIFETIME: 0'],
  ['after the end of the authority', OWN, { now: daysFromNow(501) }, 'AUTHORITY_NOT_VALID'],
  ['a clock in 1970', OWN, { now: new Date(0) }, 'AUTHORITY_NOT_VALID'],
]
it.each(cases)('%s', async (_what, request, more, expected) => {
  expect(await outcome(request, more)).toBe(expected)
})

test('a leaf says what the request says, and is valid for what browsers and the authority allow', async () => {
  const leaf = await sign()
  const { subject, notBefore, notAfter, key, serialNumber } = describeCertificate(leaf)
  expect({ subject, key }).toEqual({ subject: `CN=${NAME}, O=Example, C=CA`, key: { type: 'rsa', bits: 2048 } })
  expect(leaf.publicKey.equals(keyFor('rsa2048').publicKey)).toBe(true)
  expect((notAfter.getTime() - notBefore.getTime() + 1000) / 86_400_000).toBe(398)
  expect(serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  const late = describeCertificate(await sign(OWN, { now: daysFromNow(400) }))
  expect(late.notAfter).toEqual(describeCertificate(issuer.certificate).notAfter)
})

test('our own verdict: the chain is accepted, also with its list, and refused once revoked', async () => {
  const [good, bad] = [await sign(), await sign()]
  const revoked = [{ serialNumber: bad.serialNumber, revokedAt: TEST_NOW, reason: 'keyCompromise' as const }]
  const { pem } = await issueCrl({ issuer, revoked, number: 128, now: TEST_NOW, lifetimeDays: 30 })
  const reasonFor = (leaf: X509Certificate, crls?: string[]) =>
    validate({
      presented: [leaf, issuer.certificate],
      anchors: [{ certificate: authority.root.certificate }],
      crls,
      name: NAME,
      now: TEST_NOW,
    }).reason
  expect([reasonFor(good), reasonFor(good, [pem]), reasonFor(bad), reasonFor(bad, [pem])]).toEqual([
    '',
    '',
    '',
    'Pre-verification error: certificate revoked',
  ])
})

describe.skipIf(!requirePart('openssl'))('openssl agrees', () => {
  const folder = mkdtempSync(join(tmpdir(), 'authority-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, content: string) => {
    writeFileSync(join(folder, name), content)
    return join(folder, name)
  }

  const verify = (leaf: string, { root, intermediate }: Authority, ...more: string[]) => {
    const trusted = ['-CAfile', file('root.pem', root.certificate.toString())]
    const untrusted = intermediate ? ['-untrusted', file('mid.pem', intermediate.certificate.toString())] : []
    const strict = ['-no-CApath', '-no-CAstore', '-x509_strict', '-purpose', 'sslserver', '-auth_level', '2']
    const at = ['-attime', String(Math.trunc(TEST_NOW.getTime() / 1000))]
    const args = ['verify', ...strict, ...at, ...trusted, ...untrusted, ...more, file('leaf.pem', leaf)]
    const { stdout, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
    return /: OK/.test(stdout) ? 'OK' : stderr.split('\n').find((line) => line.startsWith('error'))
  }

  const leaves: [what: string, intermediate: boolean, request: RequestSpec][] = [
    ['with an intermediate', true, OWN],
    ['from the root', false, OWN],
    ['without a subject', true, { names: 'DNS:a.example IP:2001:db8::1' }],
  ]
  it.each(leaves)('strictly: a leaf %s', async (_what, withIntermediate, request) => {
    const chosen = withIntermediate ? authority : await makeAuthority(false)
    const leaf = await sign(request, { signer: chosen.intermediate ?? chosen.root })
    expect(verify(leaf.toString(), chosen)).toBe('OK')
  })

  test('lists: the good one passes, the revoked one does not, the whole chain with both lists', async () => {
    const [good, bad] = [await sign(), await sign()]
    const revoked = [{ serialNumber: bad.serialNumber, revokedAt: TEST_NOW, reason: 'superseded' as const }]
    const own = await issueCrl({ issuer, revoked, number: 7, now: TEST_NOW, lifetimeDays: 30 })
    const roots = await issueCrl({ issuer: authority.root, revoked: [], number: 1, now: TEST_NOW, lifetimeDays: 30 })
    const lists = ['-crl_check', '-CRLfile', file('crl.pem', own.pem)]
    const all = ['-crl_check_all', '-CRLfile', file('crls.pem', own.pem + roots.pem)]
    expect(verify(good.toString(), authority, ...lists)).toBe('OK')
    expect(verify(good.toString(), authority, ...all)).toBe('OK')
    expect(verify(bad.toString(), authority, ...lists)).toBe('error 23 at 0 depth lookup: certificate revoked')
    const text = execFileSync('openssl', ['crl', '-in', join(folder, 'crl.pem'), '-noout', '-text'], {
      encoding: 'utf8',
    })
    for (const line of ['Version 2', 'X509v3 CRL Number: \n                7', bad.serialNumber, 'Superseded'])
      expect(text).toContain(line)
  })
})

const clients = requirePart('stunnel') && requirePart('openssl') ? (['stunnel', 'node'] as const) : (['node'] as const)
describe.each(clients)('a pool, dialling with %s', (client) => {
  const dial = async (crls?: Record<string, string>, name = NAME) => {
    const leaf = await sign()
    const chain = [leaf, ...(authority.intermediate ? [authority.intermediate.certificate] : [])]
    return dialOutcome(client, {
      identity: {
        certificatePem: chain.map(String).join(''),
        privateKeyPem: keyFor('rsa2048').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
      bundle: authority.root.certificate.toString(),
      name,
      ...(crls && { crls: await listsFor(leaf.serialNumber, crls) }),
    })
  }
  const listsFor = async (serialNumber: string, wanted: Record<string, string>) => {
    const revoked = [{ serialNumber, revokedAt: TEST_NOW, reason: 'unspecified' as const }]
    const make = async (what: string) =>
      what === 'root'
        ? issueCrl({ issuer: authority.root, revoked: [], number: 1, now: TEST_NOW, lifetimeDays: 30 })
        : issueCrl({ issuer, revoked: what === 'revoked' ? revoked : [], number: 2, now: TEST_NOW, lifetimeDays: 30 })
    const entries = await Promise.all(
      Object.entries(wanted).map(async ([name, what]) => [name, (await make(what)).pem]),
    )
    return Object.fromEntries(entries)
  }

  const dials: [what: string, crls: Record<string, string> | undefined, outcome: string][] = [
    ['accepts the chain', undefined, 'accepted'],
    ["accepts it with the issuer's list", { 'crl.pem': 'good' }, 'accepted'],
    ['refuses a revoked leaf', { 'crl.pem': 'revoked' }, '!certificate revoked'],
    ["refuses every leaf with the root's list alone", { 'crl.pem': 'root' }, '!unable to get certificate CRL'],
  ]
  it.each(dials)('%s', async (_what, crls, expected) => {
    expect(await dial(crls)).toBe(expected)
  })
  it('refuses another name', async () => {
    expect(await dial(undefined, 'other.example.lab')).toMatch(/Subject checks failed/)
  })
})

test('the lifetimes in the help of wlb ca sign are those used here', () => {
  const help = readFileSync(join(import.meta.dirname, '../cli/golden/help-ca-sign.txt'), 'utf8')
  expect(help).toContain(`(default: ${LEAF_LIFETIME_DAYS}, at most ${LEAF_LIFETIME_LIMIT_DAYS})`)
})
