/** What a certificate says of itself, what ours has in it, and that openssl reads the same. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkHost, createSelfSigned, describeCertificate, isSelfSigned } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { type CertificateSpec, daysFromNow, issue, issueAuthority, TEST_NOW } from './test-authority.js'

const openssl = requirePart('openssl')
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'x509-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('createSelfSigned', () => {
  const requests: [what: string, hostname: string, addresses: string[], names: string[]][] = [
    ['a full name', 'wlb.example.lab', ['192.0.2.7'], ['wlb.example.lab', 'wlb', '192.0.2.7']],
    ['a short name', 'wlb', [], ['wlb']],
    ['IPv6', 'wlb.lab', ['2001:db8::7', '::1'], ['wlb.lab', 'wlb', '2001:db8::7', '::1']],
    ['an address for a name', '192.0.2.7', [], ['192.0.2.7']],
    ['an address twice', 'wlb.lab', ['192.0.2.7', '192.0.2.7'], ['wlb.lab', 'wlb', '192.0.2.7']],
    ['a name too long for a CN', `wlb.${'a'.repeat(60)}.lab`, [], ['wlb', `wlb.${'a'.repeat(60)}.lab`]],
  ]
  it.each(requests)('%s', async (_what, hostname, addresses, names) => {
    const { certificatePem, privateKeyPem } = await createSelfSigned({ hostname, addresses, now: TEST_NOW })
    const certificate = new X509Certificate(certificatePem)
    expect(describeCertificate(certificate).names).toEqual(names)
    expect(checkHost(certificate, hostname)).toBe(true)
    expect(certificate.checkPrivateKey(createPrivateKey(privateKeyPem))).toBe(true)
    expect(certificatePem.endsWith('-----END CERTIFICATE-----\n')).toBe(true)
  })

  it('is what the documents say', async () => {
    const { certificatePem } = await createSelfSigned({ hostname: 'wlb.lab', addresses: [], now: TEST_NOW })
    const certificate = new X509Certificate(certificatePem)
    expect(describeCertificate(certificate)).toMatchObject({
      subject: 'CN=wlb.lab',
      issuer: 'CN=wlb.lab',
      selfSigned: true,
      key: { type: 'rsa', bits: 2048 },
      signatureAlgorithm: 'sha256WithRSAEncryption',
    })
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1'])
    expect(wholeDays(certificate.validFrom)).toBe(-1)
    expect(wholeDays(certificate.validTo)).toBe(3650)
  })

  it('takes lifetime, key size and further names', async () => {
    const request = { hostname: 'wlb.lab', addresses: [], now: TEST_NOW, lifetimeDays: 30, keyBits: 3072 }
    const { certificatePem } = await createSelfSigned({ ...request, subjectAltName: ['alias.lab'] })
    const { key, dnsNames, notAfter } = describeCertificate(new X509Certificate(certificatePem))
    expect({ key, dnsNames, days: wholeDays(notAfter) }).toEqual({
      key: { type: 'rsa', bits: 3072 },
      dnsNames: ['wlb.lab', 'wlb', 'alias.lab'],
      days: 30,
    })
  })

  it('gives every certificate a serial number of its own', async () => {
    const make = () => createSelfSigned({ hostname: 'a.lab', addresses: [], now: TEST_NOW })
    const serials = (await Promise.all([make(), make()])).map(
      (made) => new X509Certificate(made.certificatePem).serialNumber,
    )
    expect(new Set(serials).size).toBe(2)
    for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  const judges = [
    ['as a pool', ['-auth_level', '2']],
    ['strictly', ['-x509_strict']],
    ['for its name', ['-verify_hostname', 'wlb.lab']],
    ['for its address', ['-verify_ip', '192.0.2.7']],
  ] as const
  it.skipIf(!openssl).each(judges)('openssl verify accepts it, %s', async (_what, options) => {
    const { certificatePem } = await createSelfSigned({ hostname: 'wlb.lab', addresses: ['192.0.2.7'], now: TEST_NOW })
    const path = save('own.pem', certificatePem)
    const { stdout } = spawnSync('openssl', ['verify', '-purpose', 'sslserver', '-CAfile', path, ...options, path], {
      encoding: 'utf8',
    })
    expect(stdout).toBe(`${path}: OK\n`)
  })
})

describe.skipIf(!openssl)('describeCertificate says what openssl says (needs openssl)', () => {
  const specs: [what: string, spec: () => Promise<CertificateSpec>][] = [
    ['self-signed', async () => ({ subject: 'own.lab' })],
    ['from an authority', async () => ({ subject: 'leaf.lab', issuer: await issueAuthority({ subject: 'Root' }) })],
    ['SANs', async () => ({ subject: 'x', dnsNames: ['a.lab', '*.b.lab'], ipAddresses: ['192.0.2.1', '2001:db8::1'] })],
    ['SHA-1', async () => ({ subject: 'old.lab', digest: 'SHA-1' })],
    ['EC', async () => ({ subject: 'ec.lab', keyKind: 'ec' })],
    ['dates', async () => ({ subject: 'd.lab', notBefore: daysFromNow(-9000), notAfter: daysFromNow(30000) })],
  ]
  it.each(specs)('%s', async (_what, spec) => {
    const { certificatePem, certificate } = await issue(await spec())
    const said = describeCertificate(certificate)
    const path = save('described.pem', certificatePem)
    const ask = (...options: string[]) =>
      execFileSync('openssl', ['x509', '-in', path, '-noout', ...options], { encoding: 'utf8' }).trim()
    const value = (...options: string[]) => ask(...options).replace(/^[^=]*=\s*/, '')
    const text = ask('-text')

    expect(value('-subject', '-nameopt', 'RFC2253')).toBe(said.subject)
    expect(value('-issuer', '-nameopt', 'RFC2253')).toBe(said.issuer)
    expect(value('-serial')).toBe(said.serialNumber)
    expect(value('-fingerprint', '-sha256')).toBe(said.fingerprintSha256)
    expect(value('-fingerprint', '-sha1')).toBe(said.fingerprintSha1)
    expect(new Date(value('-startdate')).getTime()).toBe(said.notBefore.getTime())
    expect(new Date(value('-enddate')).getTime()).toBe(said.notAfter.getTime())
    expect(text).toContain(`Signature Algorithm: ${said.signatureAlgorithm}\n`)
    expect(text).toContain(`Public-Key: (${said.key.bits} bit)`)
    expect([...text.matchAll(/DNS:([^,\s]+)/g)].map(([, name]) => name)).toEqual(said.dnsNames)
    expect([...text.matchAll(/IP Address:/g)]).toHaveLength(said.ipAddresses.length)
  })

  it('puts the most specific part of a name first, and reads a CN that is no name', () => {
    const path = join(folder, 'long.pem')
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', join(folder, 'long.key'), '-out', path].concat([
        '-subj',
        '/C=AT/O=Example, Inc/CN=The Appliance, here',
        '-addext',
        'subjectAltName=DNS:a.lab,email:a@b.lab,URI:x:y,IP:::1',
      ]),
      { stdio: 'ignore' },
    )
    const said = describeCertificate(new X509Certificate(execFileSync('cat', [path])))
    expect(said).toMatchObject({
      subject: 'CN=The Appliance\\, here, O=Example\\, Inc, C=AT',
      commonName: 'The Appliance, here',
      names: ['a.lab', '::1'],
    })
  })
})

it('is not self-signed for having its issuer’s name', async () => {
  const root = await issueAuthority({ subject: 'Same' })
  const child = await issue({ subject: 'Same', issuer: root, keyLabel: 'child' })
  expect([isSelfSigned(root.certificate), isSelfSigned(child.certificate)]).toEqual([true, false])
})

it('says so of a key of a kind that OpenSSL cannot read', async () => {
  const { certificate } = await issue({ subject: 'odd', issuer: await issueAuthority({ subject: 'odd' }) })
  const rsaEncryption = Buffer.from('2a864886f70d010101', 'hex')
  const der = Buffer.from(certificate.raw)
  der[der.indexOf(rsaEncryption) + rsaEncryption.length - 1] = 0x7f
  const odd = new X509Certificate(der)
  expect(describeCertificate(odd).key).toEqual({ type: 'unknown', bits: 0 })
  expect(isSelfSigned(odd)).toBe(false)
})

it.each([
  ['a.lab, DNS:b.lab', 'a.lab, DNS:b.lab'],
  ['"a".lab', '"a".lab'],
  ['\x1b[2Ja.lab', '\\u{1b}[2Ja.lab'],
])('a name made to mislead is one name, and does nothing to a terminal: %j', async (dnsName, shown) => {
  const { certificate } = await issue({ subject: 'odd name', keyLabel: 'names', dnsNames: [dnsName] })
  expect(describeCertificate(certificate).dnsNames).toEqual([shown])
})

describe('checkHost', () => {
  const facts: [dnsNames: string, cn: string, asked: string, answer: boolean][] = [
    ['wlb.lab', 'x', 'wlb.lab', true],
    ['wlb.lab', 'x', 'WLB.LAB', true],
    ['WLB.lab', 'x', 'wlb.lab', true],
    ['wlb.lab', 'x', 'wlb.lab.', false],
    ['wlb.lab', 'x', 'x', false], // the CN does not count beside a dNSName
    ['', 'wlb.lab', 'wlb.lab', true],
    ['', 'wlb.lab', 'wlb', false],
    ['', '192.0.2.1', '192.0.2.1', true],
    ['192.0.2.1', 'x', '192.0.2.1', true],
    ['*.example.lab', 'x', 'wlb.example.lab', true],
    ['*.example.lab', 'x', 'a.b.example.lab', false],
    ['*.example.lab', 'x', 'example.lab', false],
    ['*.lab', 'x', 'wlb.lab', false],
    ['w*.example.lab', 'x', 'wlb.example.lab', true],
    ['*', 'x', 'wlb', false],
    ['wlb.lab', 'x', '', false],
    ['wlb.lab', 'x', '.lab', true], // OpenSSL: anything below
    ['wlb.lab', 'x', '.wlb.lab', false],
  ]
  it.each(facts)('SAN "%s", CN "%s", asked for "%s": %s', async (dnsNames, cn, asked, answer) => {
    const spec = { subject: cn, keyLabel: 'names', ...(dnsNames && { dnsNames: [dnsNames] }) }
    const { certificate } = await issue(spec)
    expect(checkHost(certificate, asked)).toBe(answer)
  })

  it('refuses a name with a NUL in it', async () => {
    const { certificate } = await issue({ subject: 'wlb.lab', keyLabel: 'names' })
    expect(checkHost(certificate, 'wlb.lab\0.evil')).toBe(false)
  })

  it('does not look at iPAddress SANs', async () => {
    const { certificate } = await issue({ subject: 'x', keyLabel: 'names', ipAddresses: ['192.0.2.1'] })
    expect(checkHost(certificate, '192.0.2.1')).toBe(false)
  })

  it('leaves no error behind for the next key to be refused with', async () => {
    const { certificate, privateKeyPem } = await issue({ subject: 'x', keyLabel: 'names', dnsNames: ['wlb.lab'] })
    const unreadable = new X509Certificate(spoilNames(certificate.raw, 'wlb.lab'))
    expect(checkHost(unreadable, 'wlb.lab')).toBe(false)
    expect(createPrivateKey(privateKeyPem).type).toBe('private')
  })
})

/** Gives the dNSName `name` a tag that no GeneralName has. */
function spoilNames(der: Buffer, name: string): Buffer {
  const tagAt = der.indexOf(Buffer.from([0x82, name.length, ...Buffer.from(name)]))
  return Buffer.concat([der.subarray(0, tagAt), Buffer.from([0x8f]), der.subarray(tagAt + 1)])
}

it('the room is cheap to import: the schema library is not loaded', () => {
  const script = "import('./src/x509/index.ts').then(() => console.log(typeof Reflect.getMetadata))"
  const tsx = join('node_modules', '.bin', 'tsx')
  expect(execFileSync(tsx, ['-e', script], { encoding: 'utf8' })).toBe('undefined\n')
})

function save(name: string, pem: string): string {
  const path = join(folder, name)
  writeFileSync(path, pem)
  return path
}

function wholeDays(date: string | Date): number {
  return Math.round((new Date(date).getTime() - TEST_NOW.getTime()) / 86_400_000)
}
