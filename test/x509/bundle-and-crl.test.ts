/** Bundles and CRLs as files of bytes; test/tls/dial-bundle.test.ts holds the same rules against the real stunnel. */
import fc from 'fast-check'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { loadBundle, readPemBlocks, validate } from '../../src/x509/index.js'
import { readCrl, readCrls } from '../../src/x509/validate/crl.js'
import { daysFromNow, type Issued, issue, issueAuthority, issueCrl, TEST_NOW } from './test-authority.js'

let root: Issued
let other: Issued
let leaf: Issued
let crl: string
beforeAll(async () => {
  root = await issueAuthority({ subject: 'Root' })
  other = await issueAuthority({ subject: 'Other' })
  leaf = await issue({ subject: 'leaf.lab', issuer: root })
  crl = await issueCrl(root, { revoked: [leaf] })
})

const bundles: [what: string, bundle: () => string | Buffer | undefined, outcome: string][] = [
  ['no file', () => undefined, 'unusable: there is no bundle file'],
  ['empty', () => '', 'unusable: the bundle holds no certificate'],
  ['empty lines', () => '\n\n', 'unusable: the bundle holds no certificate'],
  ['one', () => root.certificatePem, 'Root'],
  ['two', () => `${root.certificatePem}\n${other.certificatePem}\n`, 'Root Other'],
  ['key, CRL, text between', () => root.certificatePem + root.privateKeyPem + crl + other.certificatePem, 'Root Other'],
  ['a key alone', () => root.privateKeyPem, 'unusable: the bundle holds no certificate'],
  ['blanks at line ends', () => root.certificatePem.replaceAll('\n', ' \t\r\n'), 'Root'],
  [
    'all on one line',
    () => root.certificatePem.replace(/(?<=\S)\n(?!-)(?=\S)/g, (_, at) => (at > 30 ? '' : '\n')),
    'Root',
  ],
  ['latin-1 text', () => Buffer.concat([Buffer.from([0xe9, 0x0a]), Buffer.from(root.certificatePem)]), 'Root'],
  ['DER', () => root.certificate.raw, 'unusable: the bundle holds no certificate'],
  ['good, cut', () => root.certificatePem + other.certificatePem.slice(0, 300), 'nothing trusted'],
  ['good, broken key', () => `${root.certificatePem}-----BEGIN KEY-----\n!\n-----END KEY-----\n`, 'nothing trusted'],
  [
    'TRUSTED after a good one',
    () => root.certificatePem + other.certificatePem.replaceAll(' CERT', ' TRUSTED CERT'),
    'Root Other',
  ],
  [
    'cut, good',
    () => `${other.certificatePem.slice(0, 300)}\n${root.certificatePem}`,
    'unusable: a CERTIFICATE block holds something that is not base64',
  ],
]

describe('loadBundle', () => {
  it.each(bundles)('%s', (_what, given, outcome) => {
    const bytes = given()
    const bundle = loadBundle(bytes === undefined ? undefined : Buffer.from(bytes))
    expect(
      bundle.state === 'unusable'
        ? `unusable: ${bundle.why}`
        : bundle.anchors.map(({ certificate }) => certificate.subject.slice(3)).join(' ') || 'nothing trusted',
    ).toBe(outcome)
  })

  test('any bytes give an answer', () => {
    const piece = fc.constantFrom(
      '-----BEGIN CERTIFICATE-----\n',
      '-----END CERTIFICATE-----\n',
      '\n',
      'MII=',
      '\xEF\xBB\xBF',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(piece, fc.string())), (pieces) => {
        expect(['loaded', 'unusable']).toContain(loadBundle(Buffer.from(pieces.join(''), 'latin1')).state)
      }),
    )
  })
})

describe('readCrls', () => {
  const serial = () => leaf.certificate.serialNumber.toLowerCase().replace(/^0+/, '')
  const revoked = (given: string | Buffer) => readCrls(given).map(({ entries }) => entries.map(({ serial }) => serial))

  const readable: [what: string, given: () => string | Buffer, lists: () => string[][]][] = [
    ['PEM', () => crl, () => [[serial()]]],
    ['DER, which no pool reads', () => readPemBlocks(crl)[0]!.der, () => []],
    ['CRLF, text before', () => Buffer.from(`text\r\n${crl.replaceAll('\n', '\r\n')}`), () => [[serial()]]],
    ['two in one file', () => crl + crl, () => [[serial()], [serial()]]],
    ['a byte order mark before it', () => `\uFEFF${crl}`, () => [[serial()]]],
    ['a blank line inside', () => crl.replace(/(\n.{64}\n)/, '$1\n'), () => []],
    ['one that is broken after it', () => `${crl}-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n`, () => []],
    ['nothing', () => '', () => []],
    ['junk', () => 'junk', () => []],
    ['a certificate', () => root.certificatePem, () => []],
    ['a certificate in DER', () => root.certificate.raw, () => []],
    ['a label OpenSSL does not know', () => crl.replaceAll('X509 CRL', 'CRL'), () => []],
  ]
  it.each(readable)('%s', (_what, given, lists) => {
    expect(revoked(given())).toEqual(lists())
  })

  test('a CRL with any byte changed is none, or not signed, or says the same', () => {
    const der = readPemBlocks(crl)[0]!.der
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const broken = Buffer.from(der)
        broken[at] = broken[at]! ^ change
        const read = readCrl(broken)
        if (read?.isSignedBy(root.certificate.publicKey))
          expect(read.entries.map(({ serial }) => serial)).toEqual([serial()])
      }),
    )
  })
})

describe('revocation', () => {
  const cases: [what: string, crls: () => Promise<(string | Buffer)[]>, outcome: string][] = [
    ['no CRL', async () => [], 'CRL_MISSING'],
    ['junk', async () => ['junk'], 'CRL_MISSING'],
    ['of another authority', async () => [await issueCrl(other)], 'CRL_MISSING'],
    ['empty', async () => [await issueCrl(root)], 'good'],
    ['revoked', async () => [crl], 'REVOKED'],
    ['in DER', async () => [readPemBlocks(crl)[0]!.der], 'CRL_MISSING'],
    ['expired', async () => [await issueCrl(root, { nextUpdate: daysFromNow(-0.5) })], 'CRL_EXPIRED'],
    ['not valid yet', async () => [await issueCrl(root, { thisUpdate: daysFromNow(1) })], 'CRL_NOT_YET_VALID'],
    ['another key', async () => [await issueCrl(root, { signedBy: other })], 'CRL_SIGNATURE_WRONG'],
    ['the newer one counts', async () => [crl, await issueCrl(root, { thisUpdate: daysFromNow(-0.1) })], 'good'],
    ['the order does not', async () => [await issueCrl(root, { thisUpdate: daysFromNow(-0.1) }), crl], 'good'],
  ]
  it.each(cases)('%s: %s', async (_what, crls, outcome) => {
    const { defects } = validate({
      presented: [leaf.certificate],
      anchors: [{ certificate: root.certificate }],
      crls: await crls(),
      name: 'leaf.lab',
      now: TEST_NOW,
    })
    expect(defects.map(({ code }) => code).join(' ') || 'good').toBe(outcome)
  })
})

test('a megabyte of blanks inside a line costs no more than reading it', () => {
  const blanks = `-----BEGIN CERTIFICATE-----\n${' '.repeat(1024 * 1024)}x\n`
  expect(loadBundle(Buffer.from(blanks))).toMatchObject({ state: 'unusable' })
  expect(readCrls(`-----BEGIN X509 CRL-----${' '.repeat(1024 * 1024)}x\n`)).toEqual([])
})
