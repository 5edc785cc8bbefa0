/** Which texts are PEM to us, and which are one certificate to a pool. */
import fc from 'fast-check'
import { beforeAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import {
  createSelfSigned,
  decodeSingleCertificate,
  encodePem,
  type Identity,
  readPemBlocks,
} from '../../src/x509/index.js'
import { TEST_NOW } from './test-authority.js'

let own: Identity
let other: Identity
beforeAll(async () => {
  own = await createSelfSigned({ hostname: 'own.lab', addresses: [], now: TEST_NOW })
  other = await createSelfSigned({ hostname: 'other.lab', addresses: [], now: TEST_NOW })
})

const onOneLine = (pem: string) => {
  const [begin, ...rest] = pem.trim().split('\n')
  return [begin, rest.slice(0, -1).join(''), rest.at(-1), ''].join('\n')
}

/** What is done to a certificate's text; `labels` and `single` tell what comes of it. */
const texts: [what: string, text: () => string | Buffer, labels: string, single: string][] = [
  ['a certificate', () => own.certificatePem, 'CERTIFICATE', 'one'],
  ['nothing', () => '', '', 'no CERTIFICATE block'],
  ['text', () => 'hello\n', '', 'no CERTIFICATE block'],
  ['text around it', () => `hello: x\n\n${own.certificatePem}-- \nbye`, 'CERTIFICATE', 'one'],
  ['no newline at the end', () => own.certificatePem.trim(), 'CERTIFICATE', 'one'],
  ['CRLF', () => own.certificatePem.replaceAll('\n', '\r\n'), 'CERTIFICATE', 'one'],
  ['CR alone', () => own.certificatePem.replaceAll('\n', '\r'), '', 'no CERTIFICATE block'],
  ['BOM', () => `\uFEFF${own.certificatePem}`, 'CERTIFICATE', 'no CERTIFICATE block'],
  [
    'blanks after BEGIN',
    () => own.certificatePem.replace('-----\n', '----- \n'),
    'CERTIFICATE',
    'no CERTIFICATE block',
  ],
  [
    'blanks after END',
    () => own.certificatePem.replace(/-----\n$/, '----- \n'),
    'CERTIFICATE',
    'the CERTIFICATE block does not end',
  ],
  ['blanks before BEGIN', () => ` ${own.certificatePem}`, 'PEM_MALFORMED', 'no CERTIFICATE block'],
  [
    'blanks inside',
    () => own.certificatePem.replace('\nMII', '\n MII'),
    'PEM_MALFORMED',
    'the CERTIFICATE block holds something that is not base64',
  ],
  ['blank line inside', () => own.certificatePem.replace('\nMII', '\n\nMII'), 'CERTIFICATE', 'one'],
  ['all base64 on one line', () => onOneLine(own.certificatePem), 'CERTIFICATE', 'one'],
  [
    'two certificates',
    () => own.certificatePem + other.certificatePem,
    'CERTIFICATE CERTIFICATE',
    '2 CERTIFICATE blocks where exactly one is wanted',
  ],
  [
    'the same twice',
    () => own.certificatePem + own.certificatePem,
    'CERTIFICATE CERTIFICATE',
    '2 CERTIFICATE blocks where exactly one is wanted',
  ],
  [
    'joined without a newline',
    () => own.certificatePem.trim() + other.certificatePem,
    'PEM_MALFORMED',
    'the CERTIFICATE block holds something that is not base64',
  ],
  ['key and certificate', () => own.privateKeyPem + own.certificatePem, 'PRIVATE KEY CERTIFICATE', 'one'],
  ['a key', () => own.privateKeyPem, 'PRIVATE KEY', 'no CERTIFICATE block'],
  [
    'a request',
    () => encodePem('CERTIFICATE REQUEST', Buffer.from('x')),
    'CERTIFICATE REQUEST',
    'no CERTIFICATE block',
  ],
  ['PKCS#7', () => encodePem('PKCS7', Buffer.from('x')), 'PKCS7', 'no CERTIFICATE block'],
  [
    'TRUSTED CERTIFICATE',
    () => own.certificatePem.replaceAll(' CERT', ' TRUSTED CERT'),
    'TRUSTED CERTIFICATE',
    'no CERTIFICATE block',
  ],
  [
    'X509 CERTIFICATE',
    () => own.certificatePem.replaceAll(' CERT', ' X509 CERT'),
    'X509 CERTIFICATE',
    'no CERTIFICATE block',
  ],
  ['cut', () => own.certificatePem.slice(0, 400), 'PEM_MALFORMED', 'the CERTIFICATE block does not end'],
  [
    'cut after a good one',
    () => own.certificatePem + other.certificatePem.slice(0, 400),
    'PEM_MALFORMED',
    'the CERTIFICATE block does not end',
  ],
  [
    'a broken key before a good one',
    () => `-----BEGIN KEY-----\n!\n-----END KEY-----\n${own.certificatePem}`,
    'PEM_MALFORMED',
    'the KEY block holds something that is not base64',
  ],
  [
    'END of another label',
    () => own.certificatePem.replace('END CERT', 'END X'),
    'PEM_MALFORMED',
    'the CERTIFICATE block does not end',
  ],
  [
    'base64 that is no DER',
    () => encodePem('CERTIFICATE', Buffer.from('hello')),
    'CERTIFICATE',
    'the block is not one DER element',
  ],
  [
    'bytes after the DER',
    () => encodePem('CERTIFICATE', Buffer.concat([readPemBlocks(own.certificatePem)[0]!.der, Buffer.from([0])])),
    'CERTIFICATE',
    'the block is not one DER element',
  ],
  [
    'DER that is no certificate',
    () => encodePem('CERTIFICATE', Buffer.from([0x30, 0])),
    'CERTIFICATE',
    'the block is not an X.509 certificate',
  ],
  [
    'an empty block',
    () => '-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n',
    'PEM_MALFORMED',
    'the block is not one DER element',
  ],
  ['DER', () => readPemBlocks(own.certificatePem)[0]!.der, '', 'no CERTIFICATE block'],
]

describe('readPemBlocks and decodeSingleCertificate', () => {
  it.each(texts)('%s', (_what, text, labels, single) => {
    const given = text().toString('utf8')
    expect(describeBlocks(given)).toBe(labels)
    const decoded = decodeSingleCertificate(given)
    expect(decoded.state === 'one' ? 'one' : decoded.why).toBe(single)
  })

  it('names the line', () => {
    expect(() => readPemBlocks(`a\n${own.certificatePem.slice(0, 200)}`)).toThrow(
      expect.objectContaining({ facts: { line: 2, found: 'CERTIFICATE does not end' } }),
    )
  })

  it('skips the headers of an old encrypted key', () => {
    const pem =
      '-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n'
    expect(readPemBlocks(pem)).toEqual([{ label: 'RSA PRIVATE KEY', der: Buffer.alloc(3) }])
  })

  it('reads 33 MiB without effort', () => {
    const big = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(33 * 1024 * 1024)}\n-----END CERTIFICATE-----\n`
    expect(decodeSingleCertificate(big)).toMatchObject({ state: 'refused' })
    expect(readPemBlocks(big)).toHaveLength(1)
  })
})

test('what is encoded can be read', () => {
  const label = fc.stringMatching(/^[A-Z][A-Z0-9 ]{0,20}[A-Z]$/)
  const block = fc.record({ label, der: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)) })
  fc.assert(
    fc.property(fc.array(block), (blocks) => {
      expect(readPemBlocks(blocks.map((each) => encodePem(each.label, each.der)).join(''))).toEqual(blocks)
    }),
  )
})

test('any text gives blocks or a WlbError, and one certificate or a reason', () => {
  const piece = fc.constantFrom(
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
    '-----BEGIN ',
    '-----',
    'MII=',
    'A',
    ' ',
    '\n',
    '\r\n',
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(piece, fc.string())).map((pieces) => pieces.join('')),
      (text) => {
        describeBlocks(text)
        expect(['one', 'refused']).toContain(decodeSingleCertificate(text).state)
      },
    ),
  )
})

function describeBlocks(text: string): string {
  try {
    return readPemBlocks(text)
      .map(({ label }) => label)
      .join(' ')
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}
