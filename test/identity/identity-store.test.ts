/** Certificate and key change together or not at all, and what was replaced is kept. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { paths } from '../../src/config/index.js'
import { installIdentity, settleIdentity } from '../../src/identity/store/identity-change.js'
import { readIdentity, readOriginal } from '../../src/identity/store/identity-files.js'
import { identityId } from '../../src/identity/store/identity-history.js'
import { findRollback, listIdentities } from '../../src/identity/store/kept-identities.js'
import { createSelfSigned, type Identity } from '../../src/x509/index.js'
import { configureOnly } from '../server/test-appliance.js'
import { openSmallDisk } from './small-disk.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-identity-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const place = paths(folder)
const pairs: Identity[] = []
const NAMES = ['a', 'b', 'c', 'd'] as const
type Name = (typeof NAMES)[number]
beforeAll(async () => {
  for (const name of NAMES)
    pairs.push(await createSelfSigned({ hostname: `${name}.example.com`, addresses: [], now: new Date() }))
})
beforeEach(async () => {
  rmSync(folder, { recursive: true, force: true })
  await configureOnly(folder)
})

const pair = (name: Name): Identity => pairs[NAMES.indexOf(name)]!
/** Each change a minute after the one before. */
let minutes = 0
const nextMinute = () => new Date(Date.UTC(2026, 2, 1, 0, minutes++))
const install = (name: Name) => installIdentity(place, pair(name), { how: 'install', now: nextMinute() })
const rollBack = async (id?: string) => {
  const { identity } = await findRollback(folder, id)
  return installIdentity(place, identity, { how: 'rollback', now: nextMinute() })
}
const nameOf = (subject: string | null) => subject?.slice(3, 4) ?? '?'
const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

/** `c (b) b a`: in place, its original, then the history from the newest on. */
async function describeStore(): Promise<string> {
  const kept = await listIdentities(folder)
  const inPlace = kept.find(({ isInPlace }) => isInPlace)
  const original = kept.find(({ isOriginal }) => isOriginal)
  expect(inPlace && identityId(await readIdentity(place))).toBe(inPlace?.id)
  const originalPair = await readOriginal(place)
  expect(original?.id).toBe(originalPair && identityId(originalPair))
  const others = kept.filter(({ isInPlace }) => !isInPlace).map(({ subject }) => nameOf(subject))
  return [nameOf(inPlace?.subject ?? null), original ? `(${nameOf(original.subject)})` : '()', ...others].join(' ')
}

const cases: [done: string, outcome: string][] = [
  ['a', 'a ()'],
  ['a b', 'b (a) a'],
  ['a b c', 'c (b) b a'],
  ['a b b', 'b (a) a'], // the second run of the same does not destroy the first backup
  ['a b undo', 'a (b) b'],
  ['a b undo undo', 'b (a) a'],
  ['a b c undo', 'b (c) c a'],
  ['a b c first', 'a (c) c b'],
  ['a b c first first', 'a (c) c b'],
  ['a b c first undo', 'c (a) a b'],
]
test.each(cases)('after %s: %s', async (done, outcome) => {
  let first = ''
  for (const step of done.split(' ')) {
    const isInstall = NAMES.some((name) => name === step)
    const installed = isInstall
      ? await install(NAMES.find((name) => name === step)!)
      : await rollBack(step === 'first' ? first : undefined)
    first ||= installed.id
  }
  expect(await describeStore()).toBe(outcome)
  expect(readdirSync(place.identities).filter((name) => name.startsWith('.'))).toEqual([])
})

test('every file has its mode and belongs to whoever ran the command, and nothing else is left', async () => {
  const before = process.umask(0)
  await install('a').finally(() => process.umask(before))
  await install('b')
  const files: [path: string, mode: string][] = [
    [place.certificate, '644'],
    [place.key, '600'],
    [place.originalCertificate, '644'],
    [place.originalKey, '600'],
    [place.identities, '700'],
  ]
  for (const id of readdirSync(place.identities)) {
    const entry = join(place.identities, id)
    files.push([entry, '700'], [join(entry, 'server.key'), '600'], [join(entry, 'identity.json'), '600'])
  }
  expect(files.map(([path]) => [path, modeOf(path)])).toEqual(files)
  for (const [path] of files) expect(statSync(path).uid).toBe(process.getuid?.())
  const names = ['server.key', 'server.key_orig', 'server.pem', 'server.pem_orig']
  expect(readdirSync(place.certificateFolder).sort()).toEqual(names)
})

test.skipIf(process.getuid?.() !== 0)('what root changes in another user’s appliance is that user’s', async () => {
  await install('a')
  chownSync(place.stateFolder, 65534, 65534)
  await install('b')
  const own = [place.certificate, place.key, place.originalKey, place.identities]
  for (const id of readdirSync(place.identities)) own.push(join(place.identities, id, 'server.key'))
  expect(own.map((path) => statSync(path).uid)).toEqual(own.map(() => 65534))
  expect(modeOf(place.key)).toBe('600')
})

test('the pair in place already is not touched, however its files are written', async () => {
  await install('a')
  await install('b')
  const { certificatePem, privateKeyPem } = pair('b')
  writeFileSync(place.certificate, `# ours\r\n${certificatePem.replaceAll('\n', '\r\n')}`)
  const before = statSync(place.certificate)
  expect(await install('b')).toMatchObject({ state: 'already so', replaced: undefined })
  expect(statSync(place.certificate)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs })
  expect(readFileSync(place.key, 'utf8')).toBe(privateKeyPem)
  expect(await readOriginal(place)).toEqual(pair('a'))
})

test('the record says how it came, when, and until when; the clock may be wrong', async () => {
  await installIdentity(place, pair('a'), { how: 'setup', now: new Date('2026-03-01T00:00:00Z') })
  await installIdentity(place, pair('b'), { how: 'install', now: new Date(0) })
  await installIdentity(place, pair('c'), { how: 'self-signed', now: new Date('2026-03-03T00:00:00Z') })
  const kept = await listIdentities(folder)
  expect(kept.map(({ how, installedAt, replacedAt, fault }) => [how, installedAt, replacedAt, fault])).toEqual([
    ['self-signed', '2026-03-03T00:00:00.000Z', null, null],
    ['install', '1970-01-01T00:00:00.000Z', '2026-03-03T00:00:00.000Z', null],
    ['setup', '2026-03-01T00:00:00.000Z', '1970-01-01T00:00:00.000Z', null],
  ])
  const [newest] = kept
  const { notAfter, fingerprintSha256 } = newest!
  expect({ notAfter, fingerprintSha256 }).toEqual({
    notAfter: expect.stringMatching(/^\d{4}-.*Z$/),
    fingerprintSha256: expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
  })
})

describe('files that somebody put there by hand', () => {
  const put = (certificatePem: string | undefined, privateKeyPem: string | undefined) => {
    for (const [path, content] of [
      [place.certificate, certificatePem],
      [place.key, privateKeyPem],
    ] as const) {
      rmSync(path, { force: true })
      if (content === undefined) continue
      writeFileSync(path, content, { mode: 0o600 })
      utimesSync(path, new Date('2026-02-01'), new Date('2026-02-01'))
    }
  }
  const cases: [what: string, put: () => void, fault: string | null, original: Name][] = [
    ['a pair that fits', () => put(pair('c').certificatePem, pair('c').privateKeyPem), null, 'c'],
    ['another key', () => put(pair('b').certificatePem, pair('c').privateKeyPem), 'CERTIFICATE_KEY_MISMATCH', 'a'],
    ['no key', () => put(pair('b').certificatePem, undefined), 'IDENTITY_INCOMPLETE', 'a'],
    ['no certificate', () => put(undefined, pair('b').privateKeyPem), 'IDENTITY_INCOMPLETE', 'a'],
    ['rubbish', () => put('rubbish', 'rubbish'), 'CERTIFICATE_MISSING', 'a'],
  ]
  test.each(cases)(
    '%s: kept in the history, and as the original only if it works',
    async (_what, put, fault, original) => {
      await install('a')
      await install('b')
      put()
      expect((await listIdentities(folder))[0]).toMatchObject({ how: 'found', fault, isInPlace: true })
      await install('d')
      expect(await readIdentity(place)).toEqual(pair('d'))
      expect(await readOriginal(place)).toEqual(pair(original))
      const found = (await listIdentities(folder)).find(({ how }) => how === 'found')
      expect(found).toMatchObject({ fault, installedAt: '2026-02-01T00:00:00.000Z', isInPlace: false })
      const goBack = findRollback(folder, found?.id)
      if (fault === null) expect((await goBack).identity).toEqual(pair('c'))
      else await expect(goBack).rejects.toMatchObject({ code: fault })
    },
  )

  test('an original kept with the two `mv` of old can be gone back to', async () => {
    await install('a')
    rmSync(place.identities, { recursive: true })
    writeFileSync(place.originalCertificate, pair('b').certificatePem)
    writeFileSync(place.originalKey, pair('b').privateKeyPem)
    await rollBack()
    expect(await describeStore()).toBe('b (a) a')
  })
})

const unknown: [id: string | undefined, code: string][] = [
  [undefined, 'IDENTITY_NO_PREVIOUS'],
  ['', 'IDENTITY_UNKNOWN'],
  ['../../../etc', 'IDENTITY_UNKNOWN'],
  ['zzz', 'IDENTITY_UNKNOWN'],
]
test.each(unknown)('nothing to go back to: %s: %s', async (id, code) => {
  await install('a')
  await expect(findRollback(folder, id)).rejects.toMatchObject({ code })
})

test('the history keeps the newest twenty and the first', async () => {
  await install('a')
  for (let count = 0; count < 12; count++)
    for (const name of ['b', 'c'] as const) {
      // the same certificates under other texts are other files
      const { certificatePem, privateKeyPem } = pair(name)
      await install('d')
      await installIdentity(
        place,
        { certificatePem: `${count}\n${certificatePem}`, privateKeyPem },
        { how: 'install', now: nextMinute() },
      )
    }
  const kept = await listIdentities(folder)
  expect(kept.length).toBeLessThanOrEqual(23)
  expect(kept.at(-1)).toMatchObject({ id: identityId(pair('a')) })
  expect(kept[0]).toMatchObject({ isInPlace: true })
  expect(kept.some(({ isOriginal }) => isOriginal)).toBe(true)
})

test('a pair that does not fit is refused before anything is touched', async () => {
  await install('a')
  const wrong = { certificatePem: pair('b').certificatePem, privateKeyPem: pair('c').privateKeyPem }
  const change = { how: 'install', now: new Date() } as const
  await expect(installIdentity(place, wrong, change)).rejects.toMatchObject({ code: 'CERTIFICATE_KEY_MISMATCH' })
  expect(await describeStore()).toBe('a ()')
})

test('a decided pair is what everybody reads before its files have moved', async () => {
  await install('a')
  const decided = join(place.certificateFolder, '.server.next')
  mkdirSync(decided)
  writeFileSync(join(decided, 'server.pem'), pair('b').certificatePem)
  writeFileSync(place.key, pair('b').privateKeyPem) // the key has moved already
  expect(await readIdentity(place)).toEqual(pair('b'))
  await settleIdentity(place)
  expect(await readIdentity(place)).toEqual(pair('b'))
  expect(existsSync(decided)).toBe(false)
})

describe('a place that takes nothing', () => {
  const unchanged = async (at = place) => {
    expect(await readIdentity(at)).toEqual(pair('a'))
    const names = [at.certificateFolder, at.identities].flatMap((path) => readdirSync(path))
    expect(names.filter((name) => name.startsWith('.'))).toEqual([])
  }

  test.skipIf(process.getuid?.() !== 0)(
    'another user: said so, nothing changed (root: gives up its rights)',
    async () => {
      await install('a')
      mkdirSync(place.identities, { recursive: true })
      for (const path of [folder, join(folder, 'var'), join(folder, 'var/lib'), place.stateFolder])
        chmodSync(path, 0o755)
      process.seteuid?.('nobody')
      try {
        await expect(install('b')).rejects.toMatchObject({ code: 'PATH_NOT_PERMITTED' })
      } finally {
        process.seteuid?.(0)
      }
      await unchanged()
    },
  )

  const occupied: [what: string, path: string][] = [
    ['the certificates', 'etc/ssl/certs'],
    ['the history', 'var/lib/openwlb/identities'],
  ]
  test.each(occupied)('a file where the folder of %s belongs', async (_what, path) => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), '')
    await expect(install('b')).rejects.toMatchObject({ code: 'PATH_OCCUPIED' })
  })

  const disk = openSmallDisk('400k')
  afterAll(() => disk?.remove())
  test.skipIf(!disk)('a full disk: said so, nothing changed; room again: done (root: mounts one)', async () => {
    const onDisk = paths(disk!.folder)
    const change = { how: 'install', now: new Date() } as const
    await installIdentity(onDisk, pair('a'), change)
    disk!.fill()
    await expect(installIdentity(onDisk, pair('b'), change)).rejects.toMatchObject({ code: 'DISK_FULL' })
    await unchanged(onDisk)
    disk!.empty()
    expect(await installIdentity(onDisk, pair('b'), change)).toMatchObject({ state: 'installed' })
  })
})
