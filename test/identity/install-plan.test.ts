/** What an authority may send, and what comes of it: installed, or refused in the pool's own words with what to ask for. */
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { installIdentity } from '../../src/identity/store/identity-change.js'
import { cast, type InstallFolder, isCast, openInstallFolder, pemOf, tryToPlan } from './install-cast.js'

let at: InstallFolder
beforeAll(async () => {
  at = await openInstallFolder()
})
afterAll(() => at.remove())
beforeEach(() => {
  for (const name of readdirSync(at.place.certificateFolder))
    if (name.includes('pending')) rmSync(join(at.place.certificateFolder, name))
})

/** Words are files, `a+b` is one file of both; the key of the first leaf waits in its place. */
async function giveFiles(words: string): Promise<string[]> {
  const files: string[] = []
  for (const word of words.split(' ')) files.push(at.write(`${word}.pem`, await pemOf(word)))
  const [first = ''] = words.split(/[ +]/).filter((word) => word.startsWith('leaf'))
  at.write('root/etc/ssl/certs/server.key_pending', (await cast(isCast(first) ? first : 'leaf')).privateKeyPem)
  return files
}

const installed: [row: string, given: string, outcome: string][] = [
  ['a chain as it should be', 'leaf mid root', 'leaf mid root'],
  ['in any order', 'root leaf mid', 'leaf mid root'],
  ['without an intermediate', 'leaf-root root', 'leaf-root root'],
  ['two intermediates', 'low mid root leaf-low', 'leaf-low low mid root'],
  ['16: leaf, root, intermediate in one file', 'leaf+root+mid', 'leaf mid root'],
  ['17: the root first', 'root+mid+leaf', 'leaf mid root'],
  ['19: the root of another authority', 'leaf mid other', 'leaf mid; root not given: CN=Root; left out: other'],
  ['20: the right root beside a renewed one', 'leaf mid root-rekeyed root', 'leaf mid root; left out: root-rekeyed'],
  ['20: an intermediate renewed with another key', 'leaf mid-renewed mid root', 'leaf mid root; left out: mid-renewed'],
  ['21: no root (a full chain for a web server)', 'leaf+mid', 'leaf mid; root not given: CN=Root'],
  ['24: a self-signed one', 'leaf-self', 'leaf-self'],
  ['26: a self-signed one that is an authority', 'leaf-self-CA', 'leaf-self-CA; warns: LEAF_IS_AUTHORITY'],
  ['33: a certificate in two files', 'leaf+mid mid root', 'leaf mid root'],
  ['13: a wildcard for one label', 'leaf-wildcard mid root', 'leaf-wildcard mid root; warns: WILDCARD'],
  ['a common name and no SAN', 'leaf-CN mid root', 'leaf-CN mid root; warns: NO_ALTERNATIVE_NAME'],
  ['45: a root signed with SHA-1: nobody checks that', 'leaf mid root-SHA1', 'leaf mid root-SHA1'],
  ['what has nothing to do with it', 'leaf mid root other leaf-key2', 'leaf mid root; left out: other leaf-key2'],
  ['two leafs for one key: the newest', 'leaf leaf-new mid root', 'leaf-new mid root; left out: leaf'],
  ['two leafs for one key: the current', 'leaf-future leaf mid root', 'leaf mid root; left out: leaf-future'],
  ['two leafs for one key: not the expired', 'leaf-expired leaf mid root', 'leaf mid root; left out: leaf-expired'],
  ['an authority signed by two others', 'leaf mid-by-other mid root', 'leaf mid root; left out: mid-by-other'],
]
it.each(installed)('installed, row %s (%s): %s', async (_row, given, outcome) => {
  const [chain = '', ...rest] = outcome.split('; ')
  const expected = [chain, 'key made for the request', ...rest].join('; ')
  expect((await tryToPlan(at.root, await giveFiles(given))).outcome).toBe(expected)
})

const CURRENT = 'a certificate that is valid now'
const SERVER = 'extended key usage serverAuth'
const refused: [row: string, given: string, poolWouldSay: string, askFor: string][] = [
  ['1: an expired leaf', 'leaf-expired mid root', 'certificate has expired', CURRENT],
  [
    '2: an expired intermediate',
    'leaf mid-expired root',
    'certificate has expired',
    'the current certificate of "CN=Mid"',
  ],
  ['3: an expired root', 'leaf mid root-expired', 'certificate has expired', 'the current certificate of "CN=Root"'],
  ['4: not valid yet', 'leaf-future mid root', 'certificate is not yet valid', 'first check the clock'],
  ['6: another common name', 'leaf-other-CN mid root', 'Subject checks failed', 'names this host name'],
  ['7: a SAN that lacks it', 'leaf-other-SAN mid root', 'Subject checks failed', 'names this host name'],
  ['14: a wildcard too high', 'leaf-wide mid root', 'Subject checks failed', 'names this host name'],
  ['20: a root of the right name', 'leaf mid root-rekeyed', 'certificate signature failure', 'the very authority'],
  ['20: an issuer of the right name', 'leaf mid-renewed root', 'certificate signature failure', 'the very authority'],
  ['43: RSA 1024', 'leaf-1024 mid root', 'EE certificate key too weak', 'a certificate for a new request'],
  ['44: an authority with RSA 1024', 'leaf-root-1024 root-1024', 'CA certificate key too weak', '2048 bits or more'],
  ['45: SHA-1', 'leaf-SHA1 mid root', 'CA signature digest algorithm too weak', 'SHA-256'],
  ['45: an intermediate with SHA-1', 'leaf mid-SHA1 root', 'CA signature digest algorithm too weak', 'SHA-256'],
  ['46: an EC key', 'leaf-EC mid root', 'WLB_CONNECTION_RESET', 'a new request with an RSA key'],
  ['52: for clients only', 'leaf-client mid root', 'unsuitable certificate purpose', SERVER],
  ['53: for signing only', 'leaf-signing mid root', 'unsuitable certificate purpose', SERVER],
  ['54: an authority that may not sign', 'leaf mid-no-sign root', 'invalid CA certificate', 'keyCertSign'],
  ['55: an intermediate that is none', 'leaf mid-no-CA root', 'invalid CA certificate', 'CA:TRUE'],
  [
    '56: too many authorities',
    'leaf-short mid-short root-short',
    'path length constraint exceeded',
    'closer to the root',
  ],
  ['57: a name outside', 'leaf-elsewhere root-elsewhere', 'permitted subtree violation', 'may vouch for this name'],
]
it.each(refused)('refused, row %s (%s): %s', async (_row, given, poolWouldSay, askFor) => {
  const { outcome, error } = await tryToPlan(at.root, await giveFiles(given))
  expect(outcome).toBe(`CERTIFICATE_REFUSED: ${poolWouldSay}`)
  expect(Object.keys(error?.facts ?? {})[0]).toBe('found')
  expect(String(error?.facts.askTheAuthorityFor)).toContain(askFor)
})

const unusable: [row: string, given: string, code: string, facts: Record<string, string>][] = [
  [
    '15: no intermediate',
    'leaf root',
    'CHAIN_INCOMPLETE',
    { askTheAuthorityFor: 'the certificate of "CN=Mid", in PEM', givenAndUnrelated: 'CN=Root' },
  ],
  ['15: the leaf alone', 'leaf', 'CHAIN_INCOMPLETE', { askTheAuthorityFor: 'the certificate of "CN=Mid", in PEM' }],
  ['23: authorities only', 'mid root', 'LEAF_NOT_GIVEN', { given: 'CN=Mid; CN=Root' }],
  ['23: a root instead of a leaf', 'root', 'LEAF_NOT_GIVEN', { given: 'CN=Root' }],
  ['34: a key and nothing else', 'key:leaf', 'CERTIFICATE_NOT_GIVEN', { found: 'a private key' }],
]
it.each(unusable)('not installable, row %s (%s): %s', async (_row, given, code, facts) => {
  const { error } = await tryToPlan(at.root, await giveFiles(given))
  expect(error).toMatchObject({ code, facts })
})

describe('the name', () => {
  const names: [row: string, given: string, name: string, outcome: string][] = [
    ['6: another name, and --name says so', 'leaf-other-CN', 'other.example.com', '; warns: NO_ALTERNATIVE_NAME'],
    ['8: an address that is an iPAddress SAN', 'leaf-IP', '127.0.0.1', 'Subject checks failed'],
    ['9: an address as common name, without SAN', 'leaf-IP-CN', '127.0.0.1', '; warns: NO_ALTERNATIVE_NAME'],
    ['9: an address as dNSName', 'leaf-IP-DNS', '127.0.0.1', '; warns: ADDRESS_AS_DNS_NAME'],
    ['10: the short name', 'leaf', 'wlb', 'Subject checks failed'],
    ['11: a dot at the end', 'leaf', 'wlb.lab.internal.', 'Subject checks failed'],
    ['12: letter case', 'leaf', 'WLB.Lab.Internal', ''],
    ['by name, with an address in it', 'leaf-IP', 'wlb.lab.internal', ''],
  ]
  it.each(names)('row %s (%s by %s)', async (_row, given, name, said) => {
    const { outcome, error } = await tryToPlan(at.root, await giveFiles(`${given} mid root`), { name })
    const isRefused = said === 'Subject checks failed'
    expect(outcome).toBe(
      isRefused ? `CERTIFICATE_REFUSED: ${said}` : `${given} mid root; key made for the request${said}`,
    )
    if (isRefused) expect(error?.remedy).toContain('--name')
  })
})

test('a clock in 1970 refuses everything, and says what time it is there', async () => {
  const { outcome, error } = await tryToPlan(at.root, await giveFiles('leaf mid root'), { now: new Date(0) })
  expect(outcome).toBe('CERTIFICATE_REFUSED: certificate is not yet valid')
  expect(error?.facts).toMatchObject({
    found: expect.stringMatching(/^CN=Root is not valid yet: from /),
    found2: expect.stringMatching(/^CN=Mid /),
    askTheAuthorityFor: expect.stringContaining('first check the clock of this machine'),
    clock: '1970-01-01T00:00:00.000Z',
  })
})

describe('the key', () => {
  /** Puts another identity in place, with the chain that belongs to it. */
  const putInPlace = async (names: string, key: 'leaf' | 'leaf-key2') => {
    const identity = { certificatePem: await pemOf(names), privateKeyPem: (await cast(key)).privateKeyPem }
    await installIdentity(at.place, identity, { how: 'install', now: new Date() })
  }
  const put = async (name: string, of: 'leaf' | 'leaf-key2' | 'leaf-EC') =>
    at.write(`root/etc/ssl/certs/${name}`, (await cast(of)).privateKeyPem)
  const give = async (...words: string[]) =>
    Promise.all(words.map(async (word) => at.write(`${word}.pem`, await pemOf(word))))

  beforeEach(() => putInPlace('leaf-key2+mid', 'leaf-key2'))

  test('named, it is the only one', async () => {
    const files = await give('leaf', 'mid', 'root', 'key:leaf')
    const [keyFile = ''] = await give('key:leaf')
    const [wrong = ''] = await give('key:leaf-key2')
    expect((await tryToPlan(at.root, files, { keyFile })).outcome).toBe('leaf mid root; key given')
    const { error } = await tryToPlan(at.root, files, { keyFile: wrong })
    expect(error).toMatchObject({ code: 'CERTIFICATE_KEY_MISMATCH', facts: { keys: `${wrong} (given)` } })
  })

  test('no key at hand fits: every one that was tried is named', async () => {
    await put('server.key_pending', 'leaf-EC')
    const { error } = await tryToPlan(at.root, await give('leaf', 'mid', 'root'))
    expect(error).toMatchObject({
      code: 'CERTIFICATE_KEY_MISMATCH',
      facts: {
        certificates: 'CN=wlb.lab.internal; CN=Mid; CN=Root',
        keys: expect.stringMatching(
          `^${at.place.pendingKey} \\(made for the request\\); ${at.place.key} \\(in place\\)(; \\d+ in the history)?$`,
        ),
      },
    })
  })

  test('one that was in place before, and is kept in the history', async () => {
    await putInPlace('leaf+mid+root', 'leaf')
    await putInPlace('leaf-key2+mid', 'leaf-key2')
    const { outcome, plan } = await tryToPlan(at.root, await give('leaf', 'mid', 'root'))
    expect(outcome).toBe('leaf mid root; key in the history')
    expect(plan?.key.file).toMatch(`${at.place.identities}/`)
    expect(plan?.steps.find(({ id }) => id === 'move')?.command).toContain(`cp -p ${plan?.key.file}`)
  })

  test('among the files, with or without certificates beside it', async () => {
    const together = await give('key:leaf+leaf', 'mid', 'root')
    expect((await tryToPlan(at.root, together)).outcome).toBe('leaf mid root; key among the files')
    const apart = await give('leaf', 'mid', 'key:leaf', 'root')
    expect((await tryToPlan(at.root, apart)).outcome).toBe('leaf mid root; key among the files')
  })

  test('the one that waits, or one that waited before it', async () => {
    const files = await give('leaf', 'mid', 'root')
    await put('server.key_pending', 'leaf')
    expect((await tryToPlan(at.root, files)).outcome).toBe('leaf mid root; key made for the request')
    await put('server.key_pending', 'leaf-EC')
    await put('server.key_pending_orig2', 'leaf')
    const { plan } = await tryToPlan(at.root, files)
    expect(plan?.key).toMatchObject({ source: 'made for the request', file: `${at.place.pendingKey}_orig2` })
  })

  test('the one in place, for a renewal; the issuers come from there too', async () => {
    await putInPlace('leaf+mid+root', 'leaf')
    expect((await tryToPlan(at.root, await give('leaf-new'))).outcome).toBe(
      'leaf-new mid root; key in place; borrowed: mid root',
    )
    expect((await tryToPlan(at.root, await give('leaf-new', 'root-rekeyed', 'mid'))).outcome).toBe(
      'leaf-new mid root; key in place; borrowed: root; left out: root-rekeyed',
    )
    expect((await tryToPlan(at.root, await give('leaf', 'mid', 'root'))).outcome).toBe(
      'leaf mid root; key in place; already so',
    )
  })

  test('a new leaf wins over the old one that came along', async () => {
    await putInPlace('leaf-key2+mid+root', 'leaf-key2')
    await put('server.key_pending', 'leaf')
    expect((await tryToPlan(at.root, await give('leaf-key2', 'leaf', 'mid', 'root'))).outcome).toBe(
      'leaf mid root; key made for the request; left out: leaf-key2',
    )
  })

  test.each(['garbage', '-----BEGIN PRIVATE KEY-----\nAAAA\n', ''])(
    'what lies in place and is no key (%j) stops nobody',
    async (text) => {
      at.write('root/etc/ssl/certs/server.key', text)
      at.write('root/etc/ssl/certs/server.pem', text)
      await put('server.key_pending', 'leaf')
      expect((await tryToPlan(at.root, await give('leaf', 'mid'))).outcome).toBe(
        'leaf mid; key made for the request; root not given: CN=Root',
      )
    },
  )

  test('a key of another kind stops nobody either', async () => {
    await put('server.key', 'leaf-EC')
    await put('server.key_pending', 'leaf')
    expect((await tryToPlan(at.root, await give('leaf', 'mid', 'root'))).outcome).toBe(
      'leaf mid root; key made for the request',
    )
  })
})

test('the order of the files does not matter', async () => {
  const files = await giveFiles('leaf mid root other leaf-key2')
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(files, { minLength: files.length }), async (given) => {
      const { plan } = await tryToPlan(at.root, given)
      expect(plan?.identity.certificatePem).toBe(await pemOf('leaf+mid+root'))
    }),
    { numRuns: 20 },
  )
})
