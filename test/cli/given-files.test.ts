/** Files that a person names and that are of another kind than asked for: read, or named for what they are. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { readRevocationLists } from '../../src/cli/cert/check/revocation-lists.js'
import { readSecretFile, readSecretLines } from '../../src/cli/terminal/ask.js'
import { readWlbPassword } from '../../src/cli/trust/trust-request.js'
import { checkPassword, readSettings } from '../../src/config/index.js'
import { describeFile, encodePem, findPrivateKey, issueCrl, readRequest } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { type Issued, issue, issueAuthority } from '../x509/test-authority.js'
import { makeFolder, removeFolder } from './program.js'

const folder = makeFolder()
afterAll(() => removeFolder(folder))
const openssl = requirePart('openssl')
const at = (name: string, content?: string | Buffer) => {
  const path = join(folder, name)
  if (content !== undefined) writeFileSync(path, content)
  return path
}
const made: { root: Issued; leaf: Issued; crl: Buffer; csr: string } = Object.create(null)

beforeAll(async () => {
  made.root = await issueAuthority({ subject: 'root' })
  made.leaf = await issue({ subject: 'leaf', issuer: made.root })
  const signer = { certificate: made.root.certificate, privateKey: createPrivateKey(made.root.privateKeyPem) }
  const { pem } = await issueCrl({ issuer: signer, revoked: [], number: 1, now: new Date(), lifetimeDays: 30 })
  made.crl = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
  at('leaf.key', made.leaf.privateKeyPem)
  at('leaf.pem', made.leaf.certificatePem)
  if (!openssl) return
  execFileSync(openssl, ['req', '-new', '-key', at('leaf.key'), '-subj', '/CN=wlb.example.com', '-out', at('csr')])
  const p12 = ['-export', '-inkey', at('leaf.key'), '-in', at('leaf.pem'), '-passout', 'pass:x', '-out', at('leaf.p12')]
  execFileSync(openssl, ['pkcs12', ...p12])
  made.csr = readFileSync(at('csr'), 'utf8')
})

describe('a password file', () => {
  const passwords: [what: string, content: string | Buffer, password: string][] = [
    ['a line', 'secret\n', 'secret'],
    ['a last line without an end', 'secret', 'secret'],
    ['lines that end as on Windows', 'secret\r\n', 'secret'],
    ['more lines: the first counts', 'secret\nnote\n', 'secret'],
    ['blanks, which belong to it', ' secret \n', ' secret '],
    ['a byte order mark', '\uFEFFsecret\r\n', 'secret'],
    ['UTF-16, as PowerShell writes it', Buffer.from('\uFEFFgrün\r\n', 'utf16le'), 'grün'],
    ['UTF-16 without a mark', Buffer.from('pw\r\n', 'utf16le').swap16(), 'pw'],
    ['nothing: the empty one', '', ''],
  ]
  it.each(passwords)('%s', async (_what, content, password) => {
    expect(await readSecretFile(at('password', content))).toBe(password)
  })

  test('for xe: the second line is the password', async () => {
    expect(await readSecretLines(at('password', 'root\r\nsecret'))).toEqual(['root', 'secret'])
  })

  const others: [what: string, make: () => string, why: RegExp][] = [
    ['a device without an end', () => '/dev/zero', /no file of this kind is that large/i],
    ['a folder', () => folder, /EISDIR/],
    ['nothing of that name', () => at('nowhere'), /ENOENT/],
    ['NUL bytes', () => at('p', 'secret\0\n'), /NUL bytes/],
    ['Latin-1', () => at('p', Buffer.from('grün', 'latin1')), /no text in UTF-8/],
    ['a private key', () => at('leaf.key'), /no password, but a private key/],
    ['a certificate', () => at('leaf.pem'), /no password, but a certificate/],
    ['a key of PuTTY', () => at('p', 'PuTTY-User-Key-File-3: ssh-rsa\n'), /no password, but a key of PuTTY/],
    ['a megabyte', () => at('p', 'x'.repeat(1_000_000)), /no file of this kind is that large/i],
  ]
  it.each(others)('%s: refused, and named', async (_what, make, why) => {
    const refusal = await readSecretFile(make()).catch((error) => error)
    expect([refusal.code, refusal.facts.why]).toEqual(['PASSWORD_FILE_UNREADABLE', expect.stringMatching(why)])
  })
})

describe('a password that pools present is one that HTTP can carry, wherever it is given', () => {
  const passwords: [what: string, password: string, isFine: boolean][] = [
    ['of one character', 'x', true],
    ['of 1,024 bytes', 'ü'.repeat(512), true],
    ['of 1,026 bytes', 'ü'.repeat(513), false],
    ['with a tab', 'a\tb', false],
    ['with a colon', 'a:b', true],
    ['empty', '', false],
  ]
  it.each(passwords)('%s', async (_what, password, isFine) => {
    const refusal = await readWlbPassword(at('password', `${password}\n`)).catch((error) => error.code)
    expect([refusal, checkPassword(password) === undefined]).toEqual([
      isFine ? password : 'PASSWORD_FILE_UNREADABLE',
      isFine,
    ])
  })
})

test('settings in another encoding are read, and another kind of file is named', async () => {
  const utf16 = at('utf16.toml', Buffer.from('\uFEFFhostname = "x"\r\n', 'utf16le'))
  await expect(readSettings(utf16)).rejects.toMatchObject({ code: 'SETTINGS_INVALID', facts: { key: 'hostname' } })
  const zip = at('zip.toml', Buffer.from('504b0304000000', 'hex'))
  await expect(readSettings(zip)).rejects.toMatchObject({ code: 'TEXT_UNREADABLE' })
})

describe.skipIf(!openssl)('a certificate request (openssl is missing: skipped)', () => {
  const forms: [what: string, make: () => Buffer][] = [
    ['PEM', () => Buffer.from(made.csr)],
    ['another label', () => Buffer.from(made.csr.replaceAll('CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'))],
    ['without header lines', () => Buffer.from(made.csr.replace(/-----[^-]+-----\n/g, ''))],
    [
      'without header lines, UTF-16',
      () => Buffer.from(`\uFEFF${made.csr.replace(/-----[^-]+-----\n/g, '')}`, 'utf16le'),
    ],
    ['lines that end as on Windows', () => Buffer.from(made.csr.replaceAll('\n', '\r\n'))],
    ['DER', () => Buffer.from(made.csr.replace(/-----[^-]+-----|\s/g, ''), 'base64')],
  ]
  it.each(forms)('%s', (_what, make) => {
    expect(readRequest(make()).subject).toMatchObject([{ value: 'wlb.example.com' }])
  })
})

describe.skipIf(!openssl)('what a file is (openssl is missing: skipped)', () => {
  const kinds: [what: string, make: () => Buffer, said: string][] = [
    ['leaf.key', () => readFileSync(at('leaf.key')), 'a private key'],
    ['leaf.pem', () => readFileSync(at('leaf.pem')), 'a certificate'],
    ['both', () => Buffer.from(made.leaf.certificatePem + made.leaf.privateKeyPem), 'a certificate and a private key'],
    ['csr', () => Buffer.from(made.csr), 'a certificate request (CSR)'],
    ['crl', () => made.crl, 'a revocation list (CRL)'],
    ['p12', () => readFileSync(at('leaf.p12')), 'a PKCS#12 (.p12, .pfx)'],
    ['zip', () => Buffer.from('504b0304aa', 'hex'), 'a ZIP archive: unpack it, and give the files in it'],
    ['nothing', () => Buffer.alloc(0), 'empty'],
  ]
  it.each(kinds)('%s', (_what, make, said) => {
    expect(describeFile(make())).toBe(said)
  })

  it.each([
    ['a certificate', 'leaf.pem', /CERTIFICATE block/],
    ['a PKCS#12', 'leaf.p12', /PKCS#12/],
    ['a request', 'csr', /CERTIFICATE REQUEST block/],
  ])('%s for a key: named', (_what, name, found) => {
    const refusal = () => findPrivateKey(readFileSync(at(name)), name)
    expect(refusal).toThrow(
      expect.objectContaining({ code: 'KEY_MISSING', facts: { file: name, found: expect.stringMatching(found) } }),
    )
  })
})

describe('a revocation list', () => {
  const pem = () => encodePem('X509 CRL', made.crl)
  const forms: [what: string, make: () => string | Buffer, warning: RegExp | undefined][] = [
    ['PEM', pem, undefined],
    ['DER', () => made.crl, /is not PEM.*openssl crl -inform DER/],
    ['UTF-16', () => Buffer.from(`\uFEFF${pem()}`, 'utf16le'), /is not PEM.*iconv/],
    ['base64 alone', () => made.crl.toString('base64'), /is not PEM/],
  ]
  it.each(forms)('%s is read', async (what, make, warning) => {
    const { files, warnings } = await readRevocationLists([at(`${what}.crl`, make())])
    expect(files?.map(String)).toEqual([pem()])
    expect(warnings).toEqual(warning ? [expect.stringMatching(warning)] : [])
  })

  test('that is a certificate: named, and the verdict is that of a host which has this file', async () => {
    const { files, warnings } = await readRevocationLists([at('leaf.pem')])
    expect([files?.length, warnings]).toEqual([1, [expect.stringMatching(/is no revocation list, but a certificate/)]])
  })
})
