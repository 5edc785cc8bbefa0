/** Asking for a certificate: the names it is for, the key that waits, the file it is written to, and what is left alone. */
import { X509Certificate } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { lockDirectory } from '../../src/base/files/directory-lock.js'
import { hashPassword, paths, writeSettings } from '../../src/config/index.js'
import { type RequestOptions, requestCertificate } from '../../src/identity/request/certificate-request.js'
import { createSelfSigned, readPrivateKey } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { makeOpensslFolder } from '../x509/container-files.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-request-'))
const files = makeOpensslFolder()
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  files.remove()
})
const root = join(folder, 'root')
const place = paths(root)
const out = join(folder, 'csr')
const HOSTNAME = 'wlb.example.com'
const passwordHash = await hashPassword('geheim')
const OPTIONS: RequestOptions = {
  root,
  subject: {
    country: 'CA',
    state: 'Alberta',
    locality: 'Calgary',
    organization: 'Example Inc.',
    email: 'a@example.com',
  },
  alternativeNames: [],
  key: { isNew: false },
  force: false,
  out,
  machineName: 'wlb',
}
const request = (change: Partial<RequestOptions> = {}) => requestCertificate({ ...OPTIONS, ...change })
const codeOf = async (work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  )
  return error instanceof WlbError ? error.code : String(error)
}
const listing = () => readdirSync(place.certificateFolder).sort().join(' ')

beforeEach(async () => {
  rmSync(folder, { recursive: true, force: true })
  for (const made of [place.settingsFolder, place.stateFolder, place.certificateFolder]) {
    mkdirSync(made, { recursive: true })
  }
  const settings = { hostname: HOSTNAME, address: '127.0.0.1', port: 8012, userName: 'wlbuser', passwordHash }
  await writeSettings(place.settings, settings)
})

test('the key is made on the appliance and stays there; the request is in the file', async () => {
  const report = await request()
  expect(report).toMatchObject({
    commonName: HOSTNAME,
    dnsNames: [HOSTNAME],
    ipAddresses: [],
    key: { file: place.pendingKey, bits: 2048, origin: 'created', previous: null },
    file: { path: out, outcome: 'written' },
    warnings: [],
    pools: null,
  })
  expect(readFileSync(out, 'utf8')).toBe(report.requestPem)
  expect(listing()).toBe('server.key_pending')
})

test('the waiting key is for its owner alone', async () => {
  await request()
  expect(statSync(place.pendingKey).mode & 0o777).toBe(0o600)
})

test('a second request uses the waiting key and, being the same, changes nothing', async () => {
  await request()
  const [key, csr] = [readFileSync(place.pendingKey), readFileSync(out)]
  expect(await request()).toMatchObject({ key: { origin: 'waiting' }, file: { outcome: 'kept' } })
  expect([readFileSync(place.pendingKey), readFileSync(out)]).toEqual([key, csr])
  expect(readdirSync(folder).sort()).toEqual(['csr', 'root'])
})

test('another request for the same key keeps the one before', async () => {
  const first = await request()
  for (const [san, previous] of [
    ['a', 'csr_orig'],
    ['b', 'csr_orig2'],
  ] as const) {
    expect(await request({ alternativeNames: [san] })).toMatchObject({
      key: { origin: 'waiting' },
      file: { outcome: 'written', previous: join(folder, previous) },
    })
  }
  expect(readFileSync(join(folder, 'csr_orig'), 'utf8')).toBe(first.requestPem)
})

test('a new key keeps the one before, however often', async () => {
  await request()
  const first = readFileSync(place.pendingKey)
  expect((await request({ key: { isNew: true } })).key.previous).toBe(`${place.pendingKey}_orig`)
  expect((await request({ key: { isNew: true } })).key.previous).toBe(`${place.pendingKey}_orig2`)
  expect(readFileSync(`${place.pendingKey}_orig`)).toEqual(first)
  expect(listing()).toBe('server.key_pending server.key_pending_orig server.key_pending_orig2')
})

test.each([3072, 4096])('a key of %d bits', async (bits) => {
  expect((await request({ key: { isNew: false, bits } })).key.bits).toBe(bits)
  expect(await codeOf(request({ key: { isNew: false, bits: 2048 } }))).toBe('PENDING_KEY_DIFFERS')
})

const names: [what: string, change: Partial<RequestOptions> & { commonName?: string }, outcome: string][] = [
  ['the host name by default', {}, 'wlb.example.com = wlb.example.com'],
  ['the host name, spelled out', { commonName: HOSTNAME }, 'wlb.example.com = wlb.example.com'],
  ['another name', { commonName: 'wlb2.example.com' }, 'COMMON_NAME_DIFFERS'],
  ['the same in other letters', { commonName: 'WLB.example.com' }, 'COMMON_NAME_DIFFERS'],
  ['the short name', { commonName: 'wlb' }, 'COMMON_NAME_DIFFERS'],
  [
    'another name, if it is meant',
    { commonName: 'wlb2.example.com', force: true },
    'wlb2.example.com = wlb2.example.com; refuse',
  ],
  [
    'an IP address beside the name',
    { alternativeNames: ['192.0.2.10'] },
    'wlb.example.com = wlb.example.com 192.0.2.10; never look at',
  ],
  ['an IP address as the name', { commonName: '192.0.2.10', force: true }, '192.0.2.10 = 192.0.2.10; never look at'],
  [
    'further names',
    { alternativeNames: ['wlb', '*.example.com', 'wlb'] },
    'wlb.example.com = wlb.example.com wlb *.example.com',
  ],
  [
    'an IPv6 address',
    { alternativeNames: ['2001:db8::1'] },
    'wlb.example.com = wlb.example.com 2001:db8::1; never look at',
  ],
  ['a name with letters that are not ASCII', { alternativeNames: ['wlb.exämple.com'] }, 'NAME_INVALID xn--'],
  ['a final dot', { alternativeNames: ['wlb.example.com.'] }, 'NAME_INVALID ends in a dot'],
  ['a blank', { alternativeNames: ['wlb example'] }, 'NAME_INVALID is not a host name'],
  ['nothing', { alternativeNames: [''] }, 'NAME_INVALID is not a host name'],
  [
    'a common name that is too long',
    { commonName: `${'a'.repeat(60)}.example.com`, force: true },
    'NAME_INVALID a common name holds 64',
  ],
]
it.each(names)('%s', async (_what, { commonName, ...change }, outcome) => {
  const seen = await describeNames({ ...change, subject: { ...OPTIONS.subject, commonName } })
  const [exact = '', warning] = outcome.split('; ')
  const [code, ...why] = exact.split(' ')
  if (code === 'NAME_INVALID') expect(seen).toContain(why.join(' '))
  expect(seen.startsWith(code === 'NAME_INVALID' ? code : exact)).toBe(true)
  expect(seen.includes('; ')).toBe(warning !== undefined)
  if (warning) expect(seen).toContain(warning)
})

async function describeNames(change: Partial<RequestOptions>): Promise<string> {
  try {
    const { commonName, dnsNames, ipAddresses, warnings } = await request(change)
    return [`${commonName} = ${[...dnsNames, ...ipAddresses].join(' ')}`, ...warnings].join('; ')
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    return `${error.code} ${error.facts.why ?? ''}`
  }
}

test.each([
  ['wlb.example.com', false],
  ['WLB', false],
  ['wlb', false],
  ['other', true],
  ['other.example.com', true],
])('a machine called %s is noticed: %s', async (machineName, isNoticed) => {
  const { warnings } = await request({ machineName })
  expect(warnings.some((warning) => warning.includes('calls itself'))).toBe(isNoticed)
})

const subject = (field: string, value: string) => ({ subject: { ...OPTIONS.subject, [field]: value } })
const refusals: [what: string, change: () => Partial<RequestOptions>, code: string][] = [
  ['a country of three letters', () => subject('country', 'CAN'), 'REQUEST_FIELD_INVALID'],
  ['an e-mail address that is none', () => subject('email', 'admin'), 'REQUEST_FIELD_INVALID'],
  ['a challenge password that is too short', () => ({ challengePassword: 'abc' }), 'REQUEST_FIELD_INVALID'],
  ['a key that is not there', () => given('missing.pem'), 'FILE_MISSING'],
  ['a folder for a key', () => given('.'), 'PATH_OCCUPIED'],
  ['a certificate for a key', () => given('certificate.pem'), 'KEY_MISSING'],
  ['an RSA key of 1024 bits', () => given('short.pem'), 'KEY_TOO_SHORT'],
  ['an EC key', () => given('ec.pem'), 'KEY_NOT_RSA'],
  ['a key bound to PSS', () => given('pss.pem'), 'KEY_NOT_RSA'],
  ['an encrypted key and no passphrase', () => given('des3.pem'), 'KEY_PASSPHRASE_NEEDED'],
  ['an encrypted key and a wrong passphrase', () => given('des3.pem', 'wrong'), 'KEY_PASSPHRASE_WRONG'],
  ['a folder where the request was to go', () => ({ out: root }), 'PATH_OCCUPIED'],
  ['a folder that is not there', () => ({ out: join(folder, 'nowhere/csr') }), 'FILE_MISSING'],
  ['a file that is no request in its place', () => ({ out: place.settings }), 'OUTPUT_OCCUPIED'],
]
const given = (file: string, passphrase?: string): Partial<RequestOptions> => ({
  key: { given: { file: join(files.folder, file), passphrase }, isNew: false },
})

describe.skipIf(!requirePart('openssl'))('with keys that openssl made', () => {
  files.openssl('genrsa -des3 -passout pass:geheim -out des3.pem 2048')
  files.openssl('genrsa -out short.pem 1024')
  files.openssl('ecparam -name prime256v1 -genkey -noout -out ec.pem')
  files.openssl('genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.pem')
  files.openssl('req -x509 -key ec.pem -subj /CN=x -out certificate.pem')

  it.each(refusals)('%s: nothing is left behind', async (_what, change, code) => {
    expect(await codeOf(request(change()))).toMatch(new RegExp(`^${code}`))
    expect(listing()).toBe('')
    expect(readdirSync(folder)).toEqual(['root'])
  })

  test('the key of openssl genrsa -des3 is used, and waits without its passphrase', async () => {
    await request()
    const before = readFileSync(place.pendingKey)
    const report = await request(given('des3.pem', 'geheim'))
    expect(report.key).toMatchObject({ bits: 2048, origin: 'given', previous: `${place.pendingKey}_orig` })
    expect(readFileSync(place.pendingKey, 'utf8')).toContain('-----BEGIN PRIVATE KEY-----')
    expect(statSync(place.pendingKey).mode & 0o777).toBe(0o600)
    expect(readFileSync(`${place.pendingKey}_orig`)).toEqual(before)
    files.write('nop.pem', readFileSync(place.pendingKey))
    expect(files.openssl('rsa -in nop.pem -modulus -noout')).toEqual(
      files.openssl('rsa -in des3.pem -modulus -noout -passin pass:geheim'),
    )
    files.write('csr', report.requestPem)
    expect(files.openssl('req -in csr -modulus -noout')).toEqual(files.openssl('rsa -in nop.pem -modulus -noout'))
    expect(await request(given('des3.pem', 'geheim'))).toMatchObject({
      key: { previous: null },
      file: { outcome: 'kept' },
    })
  })

  test('after a wrong passphrase the right one works', async () => {
    expect(await codeOf(request(given('des3.pem', 'wrong')))).toBe('KEY_PASSPHRASE_WRONG')
    expect(await request(given('des3.pem', 'geheim'))).toMatchObject({
      key: { origin: 'given' },
      file: { outcome: 'written' },
    })
  })
})

test.skipIf(process.getuid?.() !== 0)('what root asks for, whoever runs the appliance can use', async () => {
  chownSync(place.stateFolder, 65534, 65534)
  await request()
  expect(statSync(place.pendingKey)).toMatchObject({ uid: 65534, gid: 65534 })
})

test('the identity in service is not touched', async () => {
  const { certificatePem, privateKeyPem } = await createSelfSigned({
    hostname: HOSTNAME,
    addresses: [],
    now: new Date(),
  })
  writeFileSync(place.certificate, certificatePem)
  writeFileSync(place.key, privateKeyPem)
  await request()
  expect(readFileSync(place.certificate, 'utf8')).toBe(certificatePem)
  expect(readFileSync(place.key, 'utf8')).toBe(privateKeyPem)
  const pending = readPrivateKey(readFileSync(place.pendingKey), undefined)
  expect(new X509Certificate(certificatePem).checkPrivateKey(pending)).toBe(false)
})

test('where there is no appliance, there is nothing to ask for', async () => {
  expect(await codeOf(request({ root: join(folder, 'other') }))).toBe('NOT_SET_UP')
})

test('two administrators at once: the second is told who is at it', async () => {
  const lock = await lockDirectory(place.settingsFolder)
  try {
    expect(await codeOf(request())).toBe('DIRECTORY_IN_USE')
    expect(listing()).toBe('')
  } finally {
    await lock.release()
  }
})

test('two at once: one waits for the other, and both asked with one key', async () => {
  const [one, other] = await Promise.all([request(), request({ out: join(folder, 'csr2') })])
  expect(one.requestPem).toBe(other.requestPem)
  expect(listing()).toBe('server.key_pending')
})
