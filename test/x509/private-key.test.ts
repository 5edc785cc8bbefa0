/** Which private keys open, with what, and what is said of those that do not. */
import { createPublicKey } from 'node:crypto'
import { afterAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { exportPrivateKey, findPrivateKey, readPrivateKey } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { makeOpensslFolder } from './container-files.js'

const files = makeOpensslFolder()
afterAll(() => files.remove())

/** How each file is made from `key.pem` (RSA, PKCS#8) or `ec.pem`, and what comes of it with: nothing, the passphrase, another. */
const cases: [what: string, command: string, without: string, right: string, wrong: string][] = [
  ['PKCS#8', 'pkey -in key.pem', 'rsa 2048', 'rsa 2048', 'rsa 2048'],
  ['PKCS#8 DER', 'pkey -in key.pem -outform DER', 'rsa 2048', 'rsa 2048', 'rsa 2048'],
  ['traditional RSA', 'pkey -in key.pem -traditional', 'rsa 2048', 'rsa 2048', 'rsa 2048'],
  ['traditional RSA DER', 'pkey -in key.pem -traditional -outform DER', 'rsa 2048', 'rsa 2048', 'rsa 2048'],
  ['traditional EC', 'pkey -in ec.pem -traditional', 'ec P-256', 'ec P-256', 'ec P-256'],
  ['traditional EC DER', 'pkey -in ec.pem -traditional -outform DER', 'ec P-256', 'ec P-256', 'ec P-256'],
  ['EC with its parameters before it', 'ecparam -name prime256v1 -genkey', 'ec P-256', 'ec P-256', 'ec P-256'],
  ['openssl genrsa -des3', 'genrsa -des3 -passout pass:right 2048', 'NEEDED', 'rsa 2048', 'WRONG'],
  ['traditional DES3', 'rsa -in key.pem -traditional -des3 -passout pass:right', 'NEEDED', 'rsa 2048', 'WRONG'],
  ['traditional AES', 'rsa -in key.pem -traditional -aes256 -passout pass:right', 'NEEDED', 'rsa 2048', 'WRONG'],
  ['traditional EC, AES', 'ec -in ec.pem -aes128 -passout pass:right', 'NEEDED', 'ec P-256', 'WRONG'],
  ['PBES2', 'pkcs8 -topk8 -in key.pem -passout pass:right', 'NEEDED', 'rsa 2048', 'WRONG'],
  ['PBES2 DER', 'pkcs8 -topk8 -in key.pem -passout pass:right -outform DER', 'NEEDED', 'rsa 2048', 'WRONG'],
  ['PBES2 with DES3', 'pkcs8 -topk8 -in key.pem -passout pass:right -v2 des3', 'NEEDED', 'rsa 2048', 'WRONG'],
  ['scrypt', 'pkcs8 -topk8 -in key.pem -passout pass:right -scrypt', 'NEEDED', 'rsa 2048', 'WRONG'],
  ['PBES1 SHA-1 3DES', 'pkcs8 -topk8 -in key.pem -passout pass:right -v1 PBE-SHA1-3DES', 'NEEDED', 'rsa 2048', 'WRONG'],
  [
    'eleven million rounds',
    'pkcs8 -topk8 -in key.pem -passout pass:right -iter 11000000',
    'COSTLY',
    'COSTLY',
    'COSTLY',
  ],
  [
    'PBES1 MD5 DES',
    'pkcs8 -provider legacy -provider default -topk8 -in key.pem -passout pass:right -v1 PBE-MD5-DES',
    'UNSUPPORTED PBES1 with MD5 and DES',
    'UNSUPPORTED PBES1 with MD5 and DES',
    'UNSUPPORTED PBES1 with MD5 and DES',
  ],
  [
    'traditional single DES',
    'rsa -provider legacy -provider default -in key.pem -traditional -des -passout pass:right',
    'UNSUPPORTED DES-CBC',
    'UNSUPPORTED DES-CBC',
    'UNSUPPORTED DES-CBC',
  ],
  ['a certificate', 'req -x509 -key key.pem -subj /CN=x', 'KEY_MISSING', 'KEY_MISSING', 'KEY_MISSING'],
  ['a public key', 'pkey -in key.pem -pubout', 'KEY_MISSING', 'KEY_MISSING', 'KEY_MISSING'],
]

describe.skipIf(!requirePart('openssl'))('what openssl writes', () => {
  files.openssl('genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out key.pem')
  files.openssl('ecparam -name prime256v1 -genkey -noout -out ec.pem')
  it.each(cases)('%s', (_what, command, without, right, wrong) => {
    const bytes = files.openssl(command)
    expect([undefined, 'right', 'wrong'].map((passphrase) => describeKey(bytes, passphrase))).toEqual([
      without,
      right,
      wrong,
    ])
    if (right === 'rsa 2048' && without === 'NEEDED') {
      expect(findPrivateKey(bytes, 'key').encrypted).toBe(true)
      files.write('plain.pem', exportPrivateKey(readPrivateKey(bytes, 'right')))
      expect(files.openssl('pkey -noout -check -in plain.pem').toString()).toContain('Key is valid')
    }
  })

  test('what cannot be opened is told with the command that converts it, and the command works', () => {
    files.openssl(
      'pkcs8 -provider legacy -provider default -topk8 -in key.pem -passout pass:right -v1 PBE-MD5-DES -out old.pem',
    )
    const remedy = errorOf(() => readPrivateKey(files.read('old.pem'), 'right', 'old.pem')).remedy
    files.openssl(`${remedy.replace(/^openssl /, '')} -passin pass:right`)
    expect(readPrivateKey(files.read('old.pem.pem'), undefined).asymmetricKeyType).toBe('rsa')
  })

  test('a key saved by Windows, with a byte order mark, CRLF or as UTF-16', () => {
    const pem = files.read('key.pem').toString()
    const own = createPublicKey(pem).export({ type: 'spki', format: 'pem' })
    for (const bytes of [`\uFEFF${pem.replaceAll('\n', '\r\n')}`, Buffer.from(`\uFEFF${pem}`, 'utf16le')]) {
      const key = readPrivateKey(Buffer.from(bytes), undefined)
      expect(createPublicKey(exportPrivateKey(key)).export({ type: 'spki', format: 'pem' })).toBe(own)
    }
  })
})

test.each([
  ['nothing', '', 'KEY_MISSING'],
  ['text', 'hello', 'KEY_MISSING'],
  ['a block that is cut off', '-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkqhkiG\n', 'PEM_MALFORMED'],
  ['a block of garbage', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n', 'KEY_MALFORMED'],
  [
    'garbage as encrypted',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n',
    'KEY_MALFORMED',
  ],
  [
    'of OpenSSH',
    '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    'KEY_FORMAT_UNSUPPORTED',
  ],
])('%s: %s', (_what, text, code) => {
  expect(errorOf(() => readPrivateKey(Buffer.from(text), undefined)).code).toBe(code)
})

function describeKey(bytes: Buffer, passphrase: string | undefined): string {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = readPrivateKey(bytes, passphrase)
    const { modulusLength, namedCurve } = asymmetricKeyDetails ?? {}
    return `${asymmetricKeyType} ${modulusLength ?? namedCurve?.replace('prime256v1', 'P-256')}`
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    const short = error.code.replace(/^(KEY_PASSPHRASE_|KEY_FORMAT_|PASSWORD_TOO_)/, '')
    return short === 'UNSUPPORTED' ? `${short} ${error.facts.format}` : short
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
