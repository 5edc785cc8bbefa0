/** The small authority's folder: whole or not there, closed without the passphrase, and nothing signed that is not recorded. */
import { execFileSync } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import {
  createSmallAuthority,
  findCertificate,
  publishCrl,
  reportAuthority,
  revokeCertificate,
  signRequest,
} from '../../src/authority/index.js'
import { LOCK_FILE, lockDirectory } from '../../src/base/files/directory-lock.js'
import { openSmallDisk } from '../identity/small-disk.js'
import { requirePart } from '../real-parts.js'
import { TEST_NOW } from '../x509/test-authority.js'
import { makeRequest } from '../x509/test-request.js'

const top = mkdtempSync(join(tmpdir(), 'openwlb-ca-'))
afterAll(() => rmSync(top, { recursive: true, force: true }))
const made = join(top, 'made')
const folder = join(top, 'ca')
const known = { passphrase: 'correct horse', now: TEST_NOW }
const wanted = { folder, withIntermediate: true, keyBits: 2048, ...known }
let request: Buffer
const signing = () => ({ folder, request, allow: [], ...known })

/** Made once; every test has a copy of its own. */
beforeAll(async () => {
  request = await makeRequest({ subject: 'CN=wlb.example.lab', names: 'DNS:wlb.example.lab' })
  await createSmallAuthority({ ...wanted, folder: made })
})
beforeEach(() => {
  for (const name of readdirSync(top)) if (name !== 'made') rmSync(join(top, name), { recursive: true })
  cpSync(made, folder, { recursive: true })
})

/** Every file with its content: what must not change. */
const contents = () =>
  readdirSync(folder)
    .sort()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}`,
    )
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    ({ code }) => code,
  )

test('keys and record for their owner alone, certificates named as the procedure names them', () => {
  const modes = readdirSync(made).map((name) => `${name} ${(statSync(join(made, name)).mode & 0o777).toString(8)}`)
  expect(modes.sort()).toEqual([
    'README.txt 644',
    'index.json 600',
    'intermediate_ca.key 600',
    'intermediate_ca.pem 644',
    'openwlb.lock 600',
    'root_ca.key 600',
    'root_ca.pem 644',
  ])
  expect(statSync(made).mode & 0o777).toBe(0o700)
  expect(readFileSync(join(made, 'root_ca.key'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
  expect(readFileSync(join(made, 'README.txt'), 'utf8')).toContain('for labs and small sites')
})

test.skipIf(!requirePart('openssl'))('openssl opens the keys with the passphrase', () => {
  for (const name of ['root_ca.key', 'intermediate_ca.key']) {
    const args = ['pkey', '-in', join(made, name), '-passin', `pass:${known.passphrase}`, '-noout', '-check']
    expect(execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' })).toContain('Key is valid')
  }
})

describe('create', () => {
  const cases: [what: string, prepare: () => void, more: object, outcome: string][] = [
    ['twice, whatever the passphrase', () => {}, { passphrase: 'another' }, 'kept'],
    ['again, by its name', () => {}, { name: 'OpenWLB' }, 'kept'],
    ['another name', () => {}, { name: 'Other' }, 'AUTHORITY_NAME_DIFFERS'],
    ['into an empty folder', () => mkdirSync(emptied()), {}, 'made'],
    ['into a folder with something else', () => writeFileSync(join(made0(), 'x'), ''), {}, 'AUTHORITY_FOLDER_OCCUPIED'],
    ['below a file', () => emptied(), { folder: join(made, 'index.json', 'ca') }, 'PATH_OCCUPIED'],
    ['a passphrase too short', () => emptied(), { passphrase: 'abc' }, 'USAGE_AUTHORITY'],
    ['a name that breaks the line', () => emptied(), { name: 'a\nb' }, 'USAGE_AUTHORITY'],
    ['a name too long', () => emptied(), { name: 'a'.repeat(51) }, 'USAGE_AUTHORITY'],
    ['a life too short', () => emptied(), { lifetimeDays: 1 }, 'USAGE_AUTHORITY'],
  ]
  it.each(cases)('%s', async (_what, prepare, more, expected) => {
    prepare()
    const outcome = createSmallAuthority({ ...wanted, ...more }).then(
      ({ already }) => (already ? 'kept' : 'made'),
      ({ code }) => code,
    )
    expect(await outcome).toBe(expected)
    expect(readdirSync(top).filter((name) => name.startsWith('.'))).toEqual([])
  })
  const emptied = () => {
    rmSync(folder, { recursive: true })
    return folder
  }
  const made0 = () => {
    mkdirSync(emptied())
    return folder
  }

  /** The order they are written in. */
  const steps = ['README.txt', 'root_ca.key', 'root_ca.pem', 'intermediate_ca.key', 'intermediate_ca.pem', 'index.json']
  it.each(steps.map((_, count) => count))(
    'killed after %i files: there is none, and the next attempt makes it',
    async (count) => {
      const making = join(top, '.ca.making')
      mkdirSync(emptied0())
      for (const name of steps.slice(0, count)) copyFileSync(join(made, name), join(making, name))
      expect(await codeOf(reportAuthority(folder))).toBe('AUTHORITY_MISSING')
      expect(await createSmallAuthority(wanted)).toMatchObject({ already: false, issued: [] })
      expect(readdirSync(folder).sort()).toEqual([...steps, LOCK_FILE].sort())
    },
  )
  test('a folder of somebody else in the place where it is made: refused, and nothing is written there', async () => {
    const making = join(top, '.ca.making')
    mkdirSync(emptied0())
    chmodSync(making, 0o777)
    expect(await codeOf(createSmallAuthority(wanted))).toBe('AUTHORITY_FOLDER_OCCUPIED')
    expect(readdirSync(making)).toEqual([])
    rmSync(making, { recursive: true })
  })

  const emptied0 = () => {
    emptied()
    return join(top, '.ca.making')
  }

  test('without an intermediate the root signs', async () => {
    emptied()
    const { intermediate, root } = await createSmallAuthority({ ...wanted, withIntermediate: false })
    const { issued } = await signRequest(signing())
    expect(intermediate).toBeNull()
    expect(new X509Certificate(issued.certificate).verify(new X509Certificate(readFileSync(root.file)).publicKey)).toBe(
      true,
    )
  })
})

test('a certificate is in the record and in the file, and can be found by its number as people write it', async () => {
  const { issued, file } = await signRequest(signing())
  expect(file).toBe(join(folder, 'signed_cert.pem'))
  expect(readFileSync(file, 'utf8')).toBe(issued.certificate)
  const { serialNumber } = new X509Certificate(issued.certificate)
  for (const text of [serialNumber, serialNumber.toLowerCase(), serialNumber.match(/../g)?.join(':') ?? ''])
    expect(await findCertificate(folder, text)).toEqual(issued)
  await signRequest(signing())
  expect((await reportAuthority(folder)).issued.map(({ names }) => names)).toEqual([
    ['wlb.example.lab'],
    ['wlb.example.lab'],
  ])
})

test('a certificate that could not be handed out is in the record all the same', async () => {
  const { issued } = await signRequest(signing())
  rmSync(join(folder, 'signed_cert.pem')) // killed between the two
  expect((await reportAuthority(folder)).issued).toEqual([issued])
})

test("the root's key may be elsewhere", async () => {
  rmSync(join(folder, 'root_ca.key'))
  expect(await codeOf(signRequest(signing()))).toBe('done')
  expect(await codeOf(publishCrl({ folder, ...known }))).toBe('done')
  expect(await codeOf(publishCrl({ folder, ofRoot: true, ...known }))).toBe('AUTHORITY_DAMAGED')
})

test('revoked once, for good; the list is made anew each time with a higher number', async () => {
  const { issued } = await signRequest(signing())
  const revoke = (reason: 'superseded' | 'keyCompromise', now: Date) =>
    revokeCertificate({ folder, serialNumber: issued.serialNumber, reason, passphrase: known.passphrase, now })
  const first = await revoke('superseded', TEST_NOW)
  const second = await revoke('keyCompromise', new Date(TEST_NOW.getTime() + 60_000))
  expect([first.already, second.already]).toEqual([false, true])
  expect(second.issued.revoked).toEqual({ at: TEST_NOW.toISOString(), reason: 'superseded' })
  expect([first.crl, second.crl]).toMatchObject([
    { number: 1, revoked: 1 },
    { number: 2, revoked: 1 },
  ])
  expect(await publishCrl({ folder, ...known })).toMatchObject({ number: 3, revoked: 1 })
  expect(await publishCrl({ folder, ofRoot: true, ...known })).toMatchObject({ number: 1, revoked: 0 })
  expect(readFileSync(join(folder, 'crl.pem'), 'utf8')).toMatch(
    /^-----BEGIN X509 CRL-----\n[A-Za-z0-9+/=\n]*-----END X509 CRL-----\n$/,
  )
})

describe('refused, and nothing is changed', () => {
  const wrong = { passphrase: 'wrong' }
  const revoking = { serialNumber: '4711', reason: 'unspecified' as const }
  const other = () => {
    const path = join(folder, 'server.key')
    writeFileSync(path, 'a key, say')
    return path
  }
  const cases: [what: string, work: () => Promise<unknown>, code: string][] = [
    ['sign with a wrong passphrase', () => signRequest({ ...signing(), ...wrong }), 'KEY_PASSPHRASE_WRONG'],
    ['a list with a wrong one', () => publishCrl({ folder, ofRoot: true, ...known, ...wrong }), 'KEY_PASSPHRASE_WRONG'],
    ['sign with an empty one', () => signRequest({ ...signing(), passphrase: '' }), 'KEY_PASSPHRASE_WRONG'],
    [
      'revoke what was never issued',
      () => revokeCertificate({ folder, ...known, ...revoking }),
      'CERTIFICATE_NOT_ISSUED_HERE',
    ],
    ['over another file', () => signRequest({ ...signing(), out: other() }), 'OUTPUT_OCCUPIED'],
    [
      'a list over a certificate',
      () => publishCrl({ folder, ofRoot: true, ...known, out: join(folder, 'root_ca.pem') }),
      'OUTPUT_OCCUPIED',
    ],
    ['into no folder', () => signRequest({ ...signing(), out: join(folder, 'x', 'y') }), 'OUTPUT_FOLDER_MISSING'],
    ['over a folder', () => signRequest({ ...signing(), out: folder }), 'PATH_OCCUPIED'],
    ['a list for no time', () => publishCrl({ folder, ofRoot: true, ...known, lifetimeDays: 0 }), 'USAGE_CRL_LIFETIME'],
    ['no authority', () => signRequest({ ...signing(), folder: top }), 'AUTHORITY_MISSING'],
  ]
  it.each(cases)('%s: %s', async (_what, work, code) => {
    const before = contents()
    expect(await codeOf(work())).toBe(code)
    expect(contents().filter((line) => !line.startsWith('server.key'))).toEqual(before)
  })

  const damages: [what: string, name: string, content: string, code: string][] = [
    ['half a record', 'index.json', '{"format":1', 'AUTHORITY_INDEX_DAMAGED'],
    ['a record of tomorrow', 'index.json', '{"format":2}', 'AUTHORITY_INDEX_DAMAGED'],
    ['no certificate', 'intermediate_ca.pem', 'x', 'AUTHORITY_DAMAGED'],
    ['no record of the issuer', 'index.json', '{"format":1,"name":"x"}', 'AUTHORITY_INDEX_DAMAGED'],
    ['no key', 'intermediate_ca.key', 'x', 'KEY_MISSING'],
  ]
  it.each(damages)('%s', async (_what, name, content, code) => {
    writeFileSync(join(folder, name), content)
    expect(await codeOf(signRequest(signing()))).toBe(code)
  })

  test.each(['intermediate_ca.pem', 'intermediate_ca.key'])('without %s; the root does not jump in', async (name) => {
    rmSync(join(folder, name))
    expect(await codeOf(signRequest(signing()))).toBe('AUTHORITY_DAMAGED')
  })

  test("the root's key in the place of the intermediate's", async () => {
    copyFileSync(join(folder, 'root_ca.key'), join(folder, 'intermediate_ca.key'))
    expect(await codeOf(signRequest(signing()))).toBe('AUTHORITY_DAMAGED')
  })

  test('while another process works in the folder', async () => {
    const lock = await lockDirectory(folder)
    expect(await codeOf(signRequest(signing()))).toBe('DIRECTORY_IN_USE')
    await lock.release()
    expect(await codeOf(signRequest(signing()))).toBe('done')
  })

  test('when the disk is full', async (context) => {
    const disk = openSmallDisk('256k')
    if (!disk) return context.skip('mounting is not permitted here')
    const place = join(disk.folder, 'ca')
    cpSync(made, place, { recursive: true })
    const before = readFileSync(join(place, 'index.json'))
    disk.fill()
    expect(await codeOf(signRequest({ ...signing(), folder: place }))).toBe('DISK_FULL')
    expect(readFileSync(join(place, 'index.json'))).toEqual(before)
    expect(existsSync(join(place, 'signed_cert.pem'))).toBe(false)
    disk.empty()
    expect(await codeOf(signRequest({ ...signing(), folder: place }))).toBe('done')
    disk.remove()
  })
})
