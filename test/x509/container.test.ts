/** Everything people send certificates in: what is found in it, what is noted, and what is refused in which words. */

import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { describePlace, readContainers } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { makeChainFiles, makeOpensslFolder } from './container-files.js'
import { issue, issueAuthority, issueCrl } from './test-authority.js'

const files = makeOpensslFolder()
afterAll(() => files.remove())
const text = (file: string) => files.read(file).toString()
const base64 = (file: string) => text(file).replace(/-----.*-----\n/g, '')
const repeat = (times: number, piece: string) => piece.repeat(times)

describe.skipIf(!requirePart('openssl'))('files that openssl writes', () => {
  makeChainFiles(files)
  const der = (file: string) => files.openssl(`x509 -in ${file} -outform DER`)
  const pkcs12 = (flags: string) =>
    files.openssl(`pkcs12 -export -in leaf.pem -inkey leaf.key -certfile root.pem -passout pass:pw ${flags}`.trim())
  const legacy = '-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1'
  /** Indefinite lengths, and strings in pieces: openssl streams CMS that way. */
  const streamed = () =>
    files.openssl('cms -sign -in csr -signer leaf.pem -inkey leaf.key -nodetach -stream -outform DER -binary')

  const cases: [what: string, bytes: () => string | Buffer, found: string, notes?: string][] = [
    ['PEM', () => text('leaf.pem'), 'leaf:1'],
    ['PEM, several', () => text('both.pem'), 'leaf:1 root:18'],
    ['PEM without the last newline', () => text('leaf.pem').trimEnd(), 'leaf:1'],
    ['CRLF', () => text('both.pem').replaceAll('\n', '\r\n'), 'leaf:1 root:18', 'the lines end as on Windows'],
    ['CR alone', () => text('both.pem').replaceAll('\n', '\r'), 'leaf:1 root:18', 'the lines end as on Windows'],
    ['byte order mark', () => `\uFEFF${text('leaf.pem')}`, 'leaf:1', 'the text is UTF-8 with a byte order mark'],
    ['UTF-16', () => Buffer.from(`\uFEFF${text('leaf.pem')}`, 'utf16le'), 'leaf:1', 'the text is UTF-16'],
    [
      'UTF-16, big end first',
      () => Buffer.from(`\uFEFF${text('leaf.pem')}`, 'utf16le').swap16(),
      'leaf:1',
      'the text is UTF-16',
    ],
    ['UTF-16 without a mark', () => Buffer.from(text('leaf.pem'), 'utf16le'), 'leaf:1', 'the text is UTF-16'],
    ['blanks around the lines', () => text('leaf.pem').replaceAll('\n', '  \n  '), 'leaf:1'],
    ['blank lines inside', () => text('leaf.pem').replaceAll('\n', '\n\n'), 'leaf:1'],
    [
      'text around and between',
      () => `# signed\n${text('leaf.pem')}\nThe root:\n${text('root.pem')}\nBye`,
      'leaf:2 root:21',
    ],
    ['what openssl x509 -text writes', () => files.openssl('x509 -in leaf.pem -text'), 'leaf:51'],
    ['text that looks like a header', () => `Copy from -----BEGIN CERTIFICATE----- on:\n${text('leaf.pem')}`, 'leaf:2'],
    [
      'a line of prose exactly like a header',
      () => `-----BEGIN CERTIFICATE-----\nis how it begins:\n${text('leaf.pem')}`,
      'leaf:3',
      'line 1: a line that looks like the beginning of a CERTIFICATE block and is none',
    ],
    [
      'a block of something else',
      () => `-----BEGIN NOTE-----\nhello, you\n-----END NOTE-----\n${text('leaf.pem')}`,
      'leaf:4',
    ],
    [
      'headers in the block',
      () => text('leaf.pem').replace('\n', '\nSubject: me\n\n'),
      'leaf:1',
      'line 1: the CERTIFICATE block has header lines',
    ],
    ['X509 CERTIFICATE', () => text('leaf.pem').replaceAll(' CERT', ' X509 CERT'), 'leaf:1'],
    [
      'TRUSTED CERTIFICATE',
      () => files.openssl('x509 -in leaf.pem -trustout -addtrust serverAuth'),
      'leaf:1',
      'line 1: a TRUSTED CERTIFICATE block: only OpenSSL reads those',
    ],
    [
      'joined lines',
      () => text('leaf.pem').trimEnd() + text('root.pem'),
      'leaf:1 root:17',
      'line 17: ends of lines are missing here; read as if they were there',
    ],
    [
      'all on one line',
      () => text('both.pem').replaceAll('\n', ''),
      'LONG',
      'line 1: ends of lines are missing here; read as if they were there',
    ],
    [
      'blanks for line ends',
      () => text('both.pem').replaceAll('\n', ' '),
      'leaf:1 root:1',
      'line 1: ends of lines are missing here; read as if they were there',
    ],
    [
      'escaped line ends',
      () => text('both.pem').replaceAll('\n', '\\n'),
      'leaf:1 root:1',
      'line 1: ends of lines are missing here; read as if they were there',
    ],
    ['base64 alone', () => base64('leaf.pem'), 'leaf', 'base64 without the lines that begin and end a PEM block'],
    ['DER', () => der('leaf.pem'), 'leaf'],
    ['DER and a newline', () => Buffer.concat([der('leaf.pem'), Buffer.from('\r\n')]), 'leaf'],
    ['DER, two joined', () => Buffer.concat([der('leaf.pem'), der('root.pem')]), 'leaf root'],
    [
      'PKCS#7',
      () => files.openssl('crl2pkcs7 -nocrl -certfile both.pem'),
      'leaf:1 (PKCS#7, certificate 1) root:1 (PKCS#7, certificate 2)',
    ],
    [
      'PKCS#7 DER',
      () => files.openssl('crl2pkcs7 -nocrl -certfile both.pem -outform DER'),
      'leaf (PKCS#7, certificate 1) root (PKCS#7, certificate 2)',
    ],
    ['PKCS#7 as BER', streamed, 'leaf (PKCS#7, certificate 1)'],
    [
      'PKCS#7 labelled as a certificate',
      () => files.openssl('crl2pkcs7 -nocrl -certfile leaf.pem').toString().replaceAll('PKCS7', 'CERTIFICATE'),
      'leaf:1 (PKCS#7, certificate 1)',
      'line 1: the block is labelled CERTIFICATE and holds a pkcs7',
    ],
    ['a request', () => text('csr'), 'request:1'],
    ['a request, DER', () => files.openssl('req -in csr -outform DER'), 'request'],
    ['keys', () => text('leaf.key') + text('root.key'), 'key:1 key:29'],
    ['an encrypted key', () => files.openssl('rsa -in leaf.key -aes128 -passout pass:pw'), 'sealed key:1'],
    ['key, leaf, root', () => text('leaf.key') + text('both.pem'), 'leaf:29 root:46 key:1'],
    ['a key, DER', () => files.openssl('pkey -in leaf.key -outform DER'), 'key'],
    ['PKCS#12', () => pkcs12(''), 'leaf (PKCS#12, certificate 1) root (PKCS#12, certificate 2) key (PKCS#12, key 1)'],
    [
      'PKCS#12 of 2010',
      () => pkcs12(legacy),
      'leaf (PKCS#12, certificate 1) root (PKCS#12, certificate 2) key (PKCS#12, key 1)',
    ],
    [
      'PKCS#12 without a MAC',
      () => pkcs12('-nomac -certpbe AES-256-CBC'),
      'leaf (PKCS#12, certificate 1) root (PKCS#12, certificate 2) key (PKCS#12, key 1)',
    ],
    [
      'PKCS#12 without encryption',
      () => pkcs12('-keypbe NONE -certpbe NONE -nomac'),
      'leaf (PKCS#12, certificate 1) root (PKCS#12, certificate 2) key (PKCS#12, key 1)',
    ],
    [
      'PKCS#12 with SHA-512',
      () => pkcs12('-macalg sha512'),
      'leaf (PKCS#12, certificate 1) root (PKCS#12, certificate 2) key (PKCS#12, key 1)',
    ],
    [
      'PKCS#12 without a key',
      () => files.openssl('pkcs12 -export -nokeys -in both.pem -passout pass:pw'),
      'leaf (PKCS#12, certificate 1) root (PKCS#12, certificate 2)',
    ],
    ...['-iter 600000', '-iter 200000 -macalg sha512', '-macalg blake2b512', '-macalg sha3-256'].map(
      (how): [string, () => Buffer, string] => [
        `PKCS#12 with ${how}`,
        () => pkcs12(how),
        'leaf (PKCS#12, certificate 1) root (PKCS#12, certificate 2) key (PKCS#12, key 1)',
      ],
    ),
    ['a certificate with bytes behind it', () => Buffer.concat([der('leaf.pem'), Buffer.of(1, 2, 3)]), 'leaf'],
    [
      'a certificate of open length',
      () => Buffer.concat([Buffer.of(0x30, 0x80), der('leaf.pem').subarray(4), Buffer.of(0, 0)]),
      'leaf',
    ],
    ['PKCS#12 with RC2', () => pkcs12('-legacy'), 'PKCS12_UNSUPPORTED 40-bit RC2'],
    [
      'PKCS#12 with too many rounds',
      () => pkcs12('-iter 11000000 -nomac -certpbe AES-256-CBC -keypbe NONE'),
      'PASSWORD_TOO_COSTLY',
    ],
    ['PKCS#12 cut off', () => pkcs12('').subarray(0, 800), 'FILE_UNRECOGNIZED DER that is cut off'],
    [
      'public key',
      () => files.openssl('pkey -in leaf.key -pubout -outform DER'),
      'FILE_UNRECOGNIZED a public key: neither certificate nor private key',
    ],
    [
      'a public key block',
      () => files.openssl('pkey -in leaf.key -pubout'),
      'FILE_UNRECOGNIZED nothing but a PUBLIC KEY block',
    ],
    ['DER cut off', () => der('leaf.pem').subarray(0, 300), 'FILE_UNRECOGNIZED DER that is cut off'],
    [
      'a block cut off',
      () => text('both.pem').slice(0, -100),
      'PEM_MALFORMED line 18: the CERTIFICATE block does not end: the file is over',
    ],
    [
      'a line of the first lost',
      () => text('both.pem').replace('-----END CERTIFICATE-----\n', ''),
      'PEM_MALFORMED line 1: the CERTIFICATE block does not end: line 17 begins another',
    ],
    [
      'the begin lost',
      () => text('leaf.pem').replace(/^.*\n/, ''),
      'PEM_MALFORMED line 16: an end of CERTIFICATE without a beginning',
    ],
    [
      'another end',
      () => text('leaf.pem').replace('END CERT', 'END X509 CERT'),
      'PEM_MALFORMED line 17: CERTIFICATE begun on line 1 ends as X509 CERTIFICATE',
    ],
    [
      'a character too many',
      () => text('leaf.pem').replace('\nMII', '\n*MII'),
      'PEM_MALFORMED line 1: the CERTIFICATE block holds something that is not base64',
    ],
    [
      'four hyphens',
      () => text('leaf.pem').replaceAll('-----', '----'),
      'FILE_UNRECOGNIZED text whose line 1 would begin a block, but not with exactly five hyphens on each side',
    ],
    [
      'hyphens of a word processor',
      () => text('leaf.pem').replaceAll('-----', '—--'),
      'FILE_UNRECOGNIZED text whose line 1 would begin a block, but not with exactly five hyphens on each side',
    ],
    [
      'a label that lies',
      () => text('csr').replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
      'request:1',
      'line 1: the block is labelled CERTIFICATE and holds a request',
    ],
    [
      'garbage under a label',
      () => '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'CERTIFICATE_MALFORMED',
    ],
  ]
  it.each(cases)('%s', (_what, bytes, found, notes = '') => {
    const seen = describeContents(Buffer.from(bytes()), 'pw')
    if (found !== 'LONG') expect(seen.found.replace(/(cut off).*/, '$1')).toBe(found)
    else expect(seen.found).toBe('leaf:1 root:1')
    if (notes) expect(seen.notes).toBe(notes)
  })

  test.each([
    ['the right password', 'pw', 'leaf'],
    ['a wrong one', 'pW', 'PKCS12_PASSWORD_WRONG'],
    ['none', undefined, 'PKCS12_PASSWORD_NEEDED'],
    ['an empty one', '', 'PKCS12_PASSWORD_WRONG'],
  ])('PKCS#12 with %s', (_what, password, outcome) => {
    for (const flags of ['', legacy, '-nomac -certpbe AES-256-CBC', `-nomac ${legacy}`]) {
      expect(describeContents(pkcs12(flags), password).found).toMatch(new RegExp(`^${outcome}`))
    }
  })

  test.each([
    ['an empty password', '', ''],
    ['blanks, dots and letters that are not ASCII', 'pä ß€.', 'pä ß€.'],
  ])('PKCS#12 made with %s', (_what, made, given) => {
    const file = spawnSync(
      'openssl',
      ['pkcs12', '-export', '-in', 'leaf.pem', '-inkey', 'leaf.key', '-passout', `pass:${made}`],
      {
        cwd: files.folder,
      },
    ).stdout
    expect(describeContents(file, given || undefined).found).toContain('leaf')
    const [{ key } = {}] = readContainers([{ file: 'x', bytes: file }], given || undefined).keys
    expect(new X509Certificate(files.read('leaf.pem')).checkPrivateKey(key!.open(undefined))).toBe(true)
  })

  test('files of any form together, in the order given', () => {
    const given = ['root.pem', 'leaf.pem', 'leaf.key'].map((file) => ({ file, bytes: files.read(file) }))
    const { certificates, keys } = readContainers(given)
    expect(certificates.map(({ place }) => describePlace(place))).toEqual(['root.pem line 1', 'leaf.pem line 1'])
    expect(keys.map(({ place }) => describePlace(place))).toEqual(['leaf.key line 1'])
  })

  test('a PKCS#12 whose key alone is encrypted lets the key say whether the password is right', () => {
    const [{ key } = {}] = readContainers([{ file: 'a.p12', bytes: pkcs12('-nomac -certpbe NONE') }]).keys
    expect(key?.encrypted).toBe(true)
    expect(errorOf(() => key?.open(undefined)).code).toBe('KEY_PASSPHRASE_NEEDED')
    expect(errorOf(() => key?.open('wrong')).code).toBe('KEY_PASSPHRASE_WRONG')
    expect(new X509Certificate(files.read('leaf.pem')).checkPrivateKey(key!.open('pw'))).toBe(true)
  })

  test('the key and the certificates of a PKCS#12 belong together', () => {
    const { certificates, keys } = readContainers([{ file: 'a.p12', bytes: pkcs12(legacy) }], 'pw')
    expect(certificates[0]?.certificate.checkPrivateKey(keys[0]!.key.open(undefined))).toBe(true)
  })

  test('what cannot be opened is told with the command that converts it, and the command works', () => {
    files.write('old.p12', pkcs12('-legacy'))
    const { remedy } = errorOf(() => readContainers([{ file: 'old.p12', bytes: files.read('old.p12') }], 'pw'))
    files.openssl(`${remedy.replace(/^openssl /, '')} -passin pass:pw`)
    expect(describeContents(files.read('old.p12.pem'), 'pw').found).toMatch(/leaf.* root.* key/)
  })

  const many = (count: number) => repeat(count, text('leaf.pem'))
  const hostile: [what: string, bytes: () => Buffer, outcome: string][] = [
    ['100 MB', () => Buffer.alloc(100 * 1024 * 1024, text('leaf.pem')), 'FILE_TOO_LARGE'],
    ['1,000 certificates', () => Buffer.from(many(1000)), 'leaf:1'],
    ['10,000 certificates', () => Buffer.from(many(10_000).slice(0, 4 * 1024 * 1024)), 'TOO_MANY_CERTIFICATES'],
    ['10,000 short ones', () => Buffer.from(repeat(10_000, base64Block())), 'TOO_MANY_CERTIFICATES'],
    ['ASN.1 of depth 10,000', () => nest(10_000), 'FILE_UNRECOGNIZED ASN.1 nested 10000 deep'],
    ['the same as PEM', () => armour(nest(10_000)), 'CERTIFICATE_MALFORMED'],
    ['endless lengths of depth 10,000', () => Buffer.alloc(20_000, Buffer.of(0x30, 0x80)), 'FILE_UNRECOGNIZED'],
    ['PKCS#7 of depth 10,000', () => deepPkcs7(), 'PKCS7_MALFORMED'],
    ['4 MiB of nothing', () => Buffer.alloc(4 * 1024 * 1024), 'FILE_UNRECOGNIZED'],
    ['4 MiB of line ends', () => Buffer.alloc(4 * 1024 * 1024, '\n'), 'FILE_UNRECOGNIZED blank'],
    [
      '4 MiB of empty elements',
      () => Buffer.concat([Buffer.from('3083400000', 'hex'), Buffer.alloc(4 * 1024 * 1024 - 5, Buffer.of(5, 0))]),
      'FILE_UNRECOGNIZED',
    ],
    ['4 MiB of beginnings', () => Buffer.alloc(4 * 1024 * 1024, '-----BEGIN CERTIFICATE-----\n'), 'FILE_UNRECOGNIZED'],
    [
      '4 MiB of beginnings in a line',
      () => Buffer.alloc(4 * 1024 * 1024, '-----BEGIN CERTIFICATE-----'),
      'FILE_UNRECOGNIZED',
    ],
    ['4 MiB of hyphens', () => Buffer.alloc(4 * 1024 * 1024, '-'), 'FILE_UNRECOGNIZED'],
    ['4 MiB of A', () => Buffer.alloc(4 * 1024 * 1024, 'A'), 'FILE_UNRECOGNIZED'],
    [
      'a CRL that begins and goes on with line ends',
      () => Buffer.alloc(4 * 1024 * 1024, '\n').fill('-----BEGIN X509 CRL-----', 0, 24),
      'FILE_UNRECOGNIZED',
    ],
  ]
  const armour = (bytes: Buffer) =>
    Buffer.from(`-----BEGIN CERTIFICATE-----\n${bytes.toString('base64')}\n-----END CERTIFICATE-----\n`)
  const base64Block = () => files.openssl('x509 -in leaf.pem').toString().slice(0, 0) + shortKey
  const shortKey = '-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n'
  const deepPkcs7 = () => {
    const inner = nest(10_000)
    const oid = Buffer.from('06092a864886f70d010702', 'hex')
    return wrap(0x30, Buffer.concat([oid, wrap(0xa0, inner)]))
  }
  it.each(hostile)('bounded: %s', (_what, bytes, outcome) => {
    const given = bytes()
    const began = process.cpuUsage()
    expect(describeContents(given).found).toMatch(new RegExp(`^${outcome}`))
    const { user, system } = process.cpuUsage(began) // the processor's time: others may be at work too
    expect((user + system) / 1000).toBeLessThan(1000)
  })
})

/** SEQUENCE in SEQUENCE, written from the inside. */
function nest(depth: number): Buffer {
  const headers: Buffer[] = []
  let length = 0
  for (let level = 0; level < depth; level++) {
    const header = wrapHeader(0x30, length)
    headers.push(header)
    length += header.length
  }
  return Buffer.concat(headers.reverse())
}

function wrap(tag: number, content: Buffer): Buffer {
  return Buffer.concat([wrapHeader(tag, content.length), content])
}

function wrapHeader(tag: number, length: number): Buffer {
  return length < 0x80
    ? Buffer.of(tag, length)
    : Buffer.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff)
}

test('a CRL, as PEM and as DER, and in a PKCS#7', async () => {
  const root = await issueAuthority({ subject: 'Example Root' })
  const leaf = await issue({ subject: 'wlb.example.com', issuer: root })
  files.write('crl.pem', await issueCrl(root, { revoked: [leaf] }))
  files.write('leaf2.pem', leaf.certificatePem)
  expect(describeContents(files.read('crl.pem')).found).toBe('CRL:1')
  expect(describeContents(files.openssl('crl -in crl.pem -outform DER')).found).toBe('CRL')
  expect(describeContents(files.openssl('crl2pkcs7 -in crl.pem -certfile leaf2.pem')).found).toBe(
    'leaf:1 (PKCS#7, certificate 1) CRL:1 (PKCS#7, CRL 1)',
  )
})

test.each([
  ['', 'empty'],
  [' \r\n', 'blank'],
  ['<!DOCTYPE html>\n<html><body>404', 'a web page'],
  ['<?xml version="1.0"?><a/>', 'an XML document'],
  ['{"certificate": "-----BEGIN CERTIFICATE-----\\nMII"}', 'a JSON document'],
  ['{\\rtf1\\ansi', 'a document of a word processor'],
  ['ssh-rsa AAAAB3Nza root@wlb', 'a public key of SSH'],
  ['PuTTY-User-Key-File-2: ssh-rsa', 'a key of PuTTY'],
  ['Certificate:\n    Data:\n        Version: 3', 'what openssl prints about one'],
  ['hello', 'text without a PEM block'],
  ['0 s:CN = wlb.example.com', 'text without a PEM block'],
  [Buffer.from('feedfeed00000002', 'hex'), 'a Java keystore'],
  [Buffer.from('504b030414', 'hex'), 'a ZIP archive'],
  [Buffer.from('25504446', 'hex'), 'a PDF'],
  [Buffer.from('8001ff02', 'hex'), 'bytes of no known form'],
  [Buffer.from('3003020101', 'hex'), 'DER, but neither'],
])('%j is told as it is: %s', (bytes, what) => {
  expect(describeContents(Buffer.from(bytes)).found).toMatch(new RegExp(`^FILE_UNRECOGNIZED ${what}`))
})

interface Seen {
  readonly found: string
  readonly notes: string
}

/** `leaf:1 root:18`: what was found, with the line; or the error in short. */
function describeContents(bytes: Buffer, passphrase?: string): Seen {
  try {
    const { certificates, keys, requests, crls, notes } = readContainers([{ file: '', bytes }], passphrase)
    const place = (at: Parameters<typeof describePlace>[0]) => describePlace(at).replace(/^ line /, ':')
    const found = [
      ...certificates.map(({ certificate, place: at }) => {
        return `${/Root/.test(certificate.subject) ? 'root' : 'leaf'}${place(at)}`
      }),
      ...keys.map(({ key, place: at }) => `${key.encrypted ? 'sealed ' : ''}key${place(at)}`),
      ...requests.map(({ place: at }) => `request${place(at)}`),
      ...crls.map(({ place: at }) => `CRL${place(at)}`),
    ]
    return {
      found: found.join(' '),
      notes: notes
        .map(({ place: at, text: what }) => `${describePlace(at)}: ${what}`.trim().replace(/^: /, ''))
        .join('; '),
    }
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    const { line, found, looksLike, what } = error.facts
    const facts = error.code === 'PEM_MALFORMED' ? `line ${line}: ${found}` : (looksLike ?? what ?? '')
    return { found: `${error.code} ${facts}`.trim(), notes: '' }
  }
}

function errorOf(work: () => unknown): WlbError {
  try {
    work()
  } catch (error) {
    if (error instanceof WlbError) return error
    throw error
  }
  throw new Error('it did not fail')
}

test('PKCS#12 of Java (keytool -genkeypair -dname CN=leaf -storetype PKCS12 -storepass changeit)', () => {
  const bytes = readFileSync(join(import.meta.dirname, 'files/java-keytool.p12'))
  writeFileSync(join(files.folder, 'java.p12'), bytes)
  expect(describeContents(files.read('java.p12'), 'changeit').found).toContain('leaf (PKCS#12, certificate 1) key')
})
