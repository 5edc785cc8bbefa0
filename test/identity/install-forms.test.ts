/** The forms an authority's files come in: each gives the same identity, and the plan's commands make it by hand. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPemBlocks, readPrivateKey } from '../../src/x509/index.js'
import { requirePart } from '../real-parts.js'
import { cast, type InstallFolder, openInstallFolder, pemOf, tryToPlan } from './install-cast.js'

let at: InstallFolder
beforeAll(async () => {
  at = await openInstallFolder()
  for (const [name, content] of await makeFiles()) at.write(name, content)
})
afterAll(() => at.remove())

const PASSPHRASE = 'geheim: ß'
const sh = (command: string) => execFileSync('sh', ['-e', '-c', command], { cwd: at.folder, stdio: 'pipe' })

/** Those that need no other program. */
async function makeFiles(): Promise<[name: string, content: string | Buffer][]> {
  const pem = Object.fromEntries(
    await Promise.all(['leaf', 'mid', 'root', 'key:leaf'].map(async (name) => [name, await pemOf(name)])),
  )
  const { leaf = '', mid = '', root = '', 'key:leaf': key = '' }: Record<string, string> = pem
  const label = (text: string, word: string) => text.replaceAll('CERTIFICATE', word)
  const der = async (name: 'leaf' | 'root') => (await cast(name)).certificate.raw
  return [
    ['leaf.pem', leaf],
    ['mid.pem', mid],
    ['root.pem', root],
    ['key.pem', key],
    ['full.pem', leaf + mid],
    ['all.pem', leaf + mid + root],
    ['mixed.pem', root + leaf + mid],
    ['noted.pem', `The intermediate:\n${mid}\nThe root:\n${root}`],
    ['crlf.pem', (leaf + mid + root).replaceAll('\n', '\r\n')],
    ['bom.pem', `\uFEFF${leaf}`],
    ['no newline.pem', leaf.trimEnd()],
    ['joined.pem', leaf.trimEnd() + mid.trimEnd() + root],
    ['x509.pem', label(leaf, 'X509 CERTIFICATE')],
    ['with-key.pem', key + leaf],
    ['leaf.cer', await der('leaf')],
    ['root.cer', await der('root')],
  ]
}

interface Form {
  readonly keyFile?: string
  readonly notes?: string
  /** Makes the files that are not there yet. */
  readonly make?: string
}
const PASS = `-passout 'pass:${PASSPHRASE}'`
const forms: [row: string, given: string, form: Form][] = [
  ['three files', 'leaf.pem mid.pem root.pem', {}],
  ['a file of two, and one', 'full.pem root.pem', {}],
  ['all in one', 'all.pem', {}],
  ['16: all in one, in another order', 'mixed.pem', {}],
  ['text between', 'leaf.pem noted.pem', {}],
  ['36: CRLF', 'crlf.pem', { notes: 'crlf.pem: the lines end as on Windows' }],
  ['36: a byte order mark', 'bom.pem mid.pem root.pem', { notes: 'bom.pem: the text is UTF-8 with a byte order mark' }],
  ['18: a last line without its end', 'no newline.pem mid.pem root.pem', {}],
  ['18: joined without line ends', 'joined.pem', { notes: 'joined.pem line 19: ends of lines are missing' }],
  ['the label of old', 'x509.pem mid.pem root.pem', {}],
  ['34: DER', 'leaf.cer mid.pem root.cer', {}],
  [
    '35: TRUSTED CERTIFICATE',
    'leaf.pem mid.pem t.pem',
    { make: 'openssl x509 -in root.pem -trustout -out t.pem', notes: 'a TRUSTED CERTIFICATE block' },
  ],
  ['34: PKCS#7 in PEM', 'p7.pem', { make: 'openssl crl2pkcs7 -nocrl -certfile mixed.pem -out p7.pem' }],
  [
    '34: PKCS#7 in DER',
    'leaf.pem all.p7b',
    { make: 'openssl crl2pkcs7 -nocrl -certfile all.pem -outform DER -out all.p7b' },
  ],
  [
    '34: PKCS#12',
    'all.p12',
    { keyFile: '', make: `openssl pkcs12 -export -in all.pem -inkey key.pem -out all.p12 ${PASS}` },
  ],
  [
    '34: PKCS#12 with an empty password',
    'e.p12',
    { keyFile: '', make: 'openssl pkcs12 -export -in all.pem -inkey key.pem -out e.p12 -passout pass:' },
  ],
  [
    '34: PKCS#12 of the leaf, and the rest',
    'mid.pem leaf.p12 root.pem',
    { keyFile: '', make: `openssl pkcs12 -export -in leaf.pem -inkey key.pem -out leaf.p12 ${PASS}` },
  ],
  ["a key in the leaf's file", 'with-key.pem mid.pem root.pem', { keyFile: '' }],
  ['a key among the files', 'root.pem key.pem mid.pem leaf.pem', { keyFile: '' }],
  [
    'a key as genrsa -des3 writes it',
    'all.pem',
    { keyFile: 'des3.pem', make: `openssl rsa -in key.pem -traditional -des3 -out des3.pem ${PASS}` },
  ],
  [
    '41: an encrypted key in PKCS#8',
    'all.pem p8.pem',
    { keyFile: '', make: `openssl pkey -in key.pem -aes256 -out p8.pem ${PASS}` },
  ],
  ['a key with and without its passphrase', 'all.pem des3.pem key.pem', { keyFile: '' }],
  ['a traditional key', 'all.pem rsa.pem', { keyFile: '', make: 'openssl rsa -in key.pem -traditional -out rsa.pem' }],
  ['a key in DER', 'all.pem', { keyFile: 'key.der', make: 'openssl pkey -in key.pem -outform DER -out key.der' }],
]

describe.skipIf(!requirePart('openssl'))('with the files openssl writes', () => {
  test.each(forms)('row %s: %s', async (_row, given, { keyFile = 'key.pem', notes, make }) => {
    if (make !== undefined) sh(make)
    const before = process.cwd()
    process.chdir(at.folder)
    try {
      const files = given
        .replace('no newline', 'no_newline')
        .split(' ')
        .map((file) => file.replace('_', ' '))
      const { plan, outcome } = await tryToPlan(at.root, files, {
        ...(keyFile !== '' && { keyFile }),
        ...(!given.includes('e.p12') && { passphrase: PASSPHRASE }),
      })
      expect(outcome).toBe(`leaf mid root; key ${keyFile === '' ? 'among the files' : 'given'}`)
      if (!plan) throw new Error(outcome)
      const { identity } = plan
      expect(identity.certificatePem).toBe(await pemOf('leaf+mid+root'))
      expect(identity.privateKeyPem).toBe(await pemOf('key:leaf'))
      expect(plan.notes.join('; ')).toContain(notes ?? '')
      if (notes === undefined) expect(plan.notes).toEqual([])

      const { steps } = plan
      const byHand = (id: string) => steps.find((step) => step.id === id)?.command ?? ''
      rmSync(join(at.folder, 'privatekey.nop.pem'), { force: true })
      if (plan.key.wasEncrypted || plan.key.isInPkcs12) {
        const isEmpty = given.includes('e.p12')
        sh(`${byHand('key')} -passin 'pass:${isEmpty ? '' : PASSPHRASE}'`)
      } else sh(byHand('key'))
      sh(byHand('merge').replaceAll('pkcs12 ', `pkcs12 -passin 'pass:${given.includes('e.p12') ? '' : PASSPHRASE}' `))
      const merged = readPemBlocks(readFileSync(join(at.folder, 'server.pem'), 'utf8')).map(({ der }) => der)
      expect(merged.map((der) => new X509Certificate(der).subject)).toEqual([
        'CN=wlb.lab.internal',
        'CN=Mid',
        'CN=Root',
      ])
      const keyByHand = byHand('key') === '' ? plan.key.file : 'privatekey.nop.pem'
      expect(existsSync(keyByHand)).toBe(true)
      const { n } = readPrivateKey(readFileSync(keyByHand), undefined).export({ format: 'jwk' })
      expect(n).toBe(readPrivateKey(Buffer.from(identity.privateKeyPem), undefined).export({ format: 'jwk' }).n)
    } finally {
      process.chdir(before)
    }
  })

  test('a password that is missing or wrong is said, with the file', async () => {
    sh(`openssl pkcs12 -export -in all.pem -inkey key.pem -out all.p12 ${PASS}`)
    sh(`openssl rsa -in key.pem -traditional -des3 -out des3.pem ${PASS}`)
    const [p12, des3, all] = ['all.p12', 'des3.pem', 'all.pem'].map((name) => join(at.folder, name))
    const cases: [files: string[], options: { keyFile?: string; passphrase?: string }, code: string][] = [
      [[p12 ?? ''], {}, 'PKCS12_PASSWORD_NEEDED'],
      [[p12 ?? ''], { passphrase: 'wrong' }, 'PKCS12_PASSWORD_WRONG'],
      [[all ?? ''], { keyFile: des3 ?? '' }, 'KEY_PASSPHRASE_NEEDED'],
      [[all ?? ''], { keyFile: des3 ?? '', passphrase: 'wrong' }, 'KEY_PASSPHRASE_WRONG'],
      [[all ?? '', des3 ?? ''], {}, 'KEY_PASSPHRASE_NEEDED'],
    ]
    for (const [files, options, code] of cases) {
      const { error } = await tryToPlan(at.root, files, options)
      expect(error).toMatchObject({ code, facts: { file: files.length === 1 && !options.keyFile ? p12 : des3 } })
    }
  })
})
