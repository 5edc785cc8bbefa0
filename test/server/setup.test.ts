/** Setting up: what is made, what is kept, what is said when it cannot be. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LOCK_FILE } from '../../src/base/files/directory-lock.js'
import { openLog, paths } from '../../src/config/index.js'
import { installIdentity, readIdentity, readStatus, reportCertificate } from '../../src/identity/index.js'
import { type SetupOptions, serve, setUp, suggestSetup } from '../../src/server/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { freePort } from '../free-port.js'
import { openSmallDisk } from '../identity/small-disk.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { HOSTNAME } from './test-appliance.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-setup-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const root = join(folder, 'root')
const place = paths(root)
const NOW = new Date('2026-11-23T12:00:00Z')
const silent = openLog({ write: () => {} })
let options: SetupOptions

beforeAll(async () => {
  const port = await freePort()
  options = { root, hostname: HOSTNAME, address: OWN_ADDRESS, port, userName: 'wlbuser', password: 'geheim', now: NOW }
})

describe('setting up', () => {
  test('makes everything, with the permissions it needs', async () => {
    expect(await suggestSetup(root)).toMatchObject({
      configured: false,
      address: '0.0.0.0',
      port: 8012,
      userName: 'wlbuser',
    })
    const told: string[] = []
    const report = await setUp({ ...options, onItem: (item) => void told.push(item) })
    expect(report.items.map(({ item, outcome }) => `${item} ${outcome}`)).toEqual([
      'settings created',
      'secret key created',
      'certificate created',
      'database created',
    ])
    expect(told).toEqual(['settings', 'secret key', 'certificate', 'database'])
    const modes = [place.settings, place.secretKey, place.key, place.certificate, place.stateFolder]
    expect(modes.map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(['600', '600', '600', '644', '700'])
    expect(readFileSync(place.settings, 'utf8')).not.toContain('geheim')
  })

  test('the certificate is what a pool needs: RSA, SHA-256, the full name, the short one, the address', async () => {
    const report = await reportCertificate(root, NOW)
    expect(report).toMatchObject({
      commonName: HOSTNAME,
      names: [HOSTNAME, 'wlb', OWN_ADDRESS],
      key: { type: 'rsa', bits: 2048 },
      signatureAlgorithm: 'sha256WithRSAEncryption',
      selfSigned: true,
      daysLeft: 3650,
      served: { state: 'unreachable' },
    })
    const openssl = requirePart('openssl')
    if (!openssl) return
    const said = execFileSync(
      openssl,
      ['x509', '-in', place.certificate, '-noout', '-fingerprint', '-sha256', '-enddate', '-ext', 'extendedKeyUsage'],
      { encoding: 'utf8' },
    )
    expect(said).toContain(report.fingerprintSha256)
    expect(said).toContain('TLS Web Server Authentication')
    expect(new Date(/notAfter=(.*)/.exec(said)?.[1] ?? '')).toEqual(report.notAfter)
    execFileSync(openssl, ['verify', '-CAfile', place.certificate, '-purpose', 'sslserver', place.certificate])
  })

  test('again: everything is kept, byte for byte, and what was asked for in vain is said', async () => {
    const files = [place.settings, place.secretKey, place.key, place.certificate]
    const before = files.map((path) => readFileSync(path, 'utf8'))
    const again = await setUp({ root, hostname: 'other.lab.internal', port: 1, password: 'another', now: NOW })
    expect(again.items.map(({ outcome }) => outcome)).toEqual(['kept', 'kept', 'kept', 'kept'])
    expect(again.notApplied.map(({ choice }) => choice)).toEqual(['hostname', 'port', 'password'])
    expect(again).toMatchObject({ hostname: HOSTNAME, port: options.port })
    expect(files.map((path) => readFileSync(path, 'utf8'))).toEqual(before)
    expect((await setUp({ root, now: NOW })).notApplied).toEqual([])
    expect(await suggestSetup(root)).toMatchObject({ configured: true, hostname: HOSTNAME })
  })

  test('what is missing is made again, the rest is kept', async () => {
    rmSync(place.certificate)
    rmSync(place.key)
    const report = await setUp({ root, now: NOW })
    expect(report.items.map(({ outcome }) => outcome)).toEqual(['kept', 'kept', 'created', 'kept'])
    expect(report.identity.commonName).toBe(HOSTNAME)
  })

  test('half a pair is nobody’s to overwrite', async () => {
    const key = readFileSync(place.key)
    rmSync(place.key)
    await expect(setUp({ root, now: NOW })).rejects.toMatchObject({
      code: 'IDENTITY_INCOMPLETE',
      facts: { missing: place.key },
    })
    await expect(serve({ root, log: silent })).rejects.toMatchObject({ code: 'IDENTITY_INCOMPLETE' })
    writeFileSync(place.key, key, { mode: 0o600 })
  })

  test('it works beside a running appliance, which says so to whoever wants to run another one', async () => {
    const running = await serve({ root, log: silent })
    expect((await setUp({ root, now: NOW })).items.map(({ outcome }) => outcome)).toEqual([
      'kept',
      'kept',
      'kept',
      'kept',
    ])
    await expect(serve({ root, log: silent })).rejects.toMatchObject({
      code: 'DIRECTORY_IN_USE',
      facts: { pid: process.pid },
    })
    rmSync(join(place.stateFolder, LOCK_FILE)) // by somebody who takes it for a left-over
    await expect(serve({ root, log: silent })).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
    const { fingerprintSha256 } = await reportCertificate(root, NOW)
    expect(await readStatus(root)).toMatchObject({
      hostname: HOSTNAME,
      identity: { fingerprintSha256 },
      listener: { state: 'running', address: OWN_ADDRESS, port: options.port, fingerprintSha256, pid: process.pid },
      pools: [],
    })
    expect(statSync(place.controlSocket).mode & 0o777).toBe(0o600)
    expect((await reportCertificate(root, NOW)).served).toMatchObject({ state: 'served', sameAsOnDisk: true })
    await running.close()
    await running.closed
    expect(await readStatus(root)).toMatchObject({ listener: { state: 'stopped' }, pools: null })
  })

  test('a port in use is named, and nothing stays locked', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(options.port, OWN_ADDRESS, resolve))
    await expect(serve({ root, log: silent })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      facts: { port: options.port },
      remedy: expect.stringContaining(String(options.port)),
    })
    await new Promise((resolve) => other.close(resolve))
    await (await serve({ root, log: silent })).close()
  })
})

describe('what cannot be', () => {
  const cases: [what: string, changes: Partial<SetupOptions>, code: string][] = [
    ['a short host name', { hostname: 'wlb' }, 'CHOICE_INVALID'],
    ['an address that is none', { address: 'localhost' }, 'CHOICE_INVALID'],
    ['port 0', { port: 0 }, 'CHOICE_INVALID'],
    ['an empty password', { password: '' }, 'CHOICE_INVALID'],
    ['a password that ends in a blank', { password: 'geheim ' }, 'CHOICE_INVALID'],
    ['a tab in the password', { password: 'ge\theim' }, 'CHOICE_INVALID'],
    ['a colon in the user name', { userName: 'a:b' }, 'CHOICE_INVALID'],
    ['a blank before the user name', { userName: ' wlbuser' }, 'CHOICE_INVALID'],
    ['another database', { databaseUrl: 'mysql://wlb:geheim@localhost' }, 'CHOICE_INVALID'],
    [
      'a database server that is not there',
      { databaseUrl: 'postgres://wlb:geheim@127.0.0.1:1/wlb' },
      'DATABASE_UNREACHABLE',
    ],
  ]
  test.each(cases)('%s', async (what, changes, code) => {
    const elsewhere = join(folder, what)
    const failure = await setUp({ ...options, root: elsewhere, ...changes }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code })
    expect(JSON.stringify(failure)).not.toContain('geheim')
    expect(existsSync(paths(elsewhere).settings)).toBe(false)
  })

  test('nothing given', async () => {
    const elsewhere = join(folder, 'nothing')
    await expect(setUp({ root: elsewhere, now: NOW })).rejects.toMatchObject({ code: 'SETUP_INCOMPLETE' })
    await expect(setUp({ root: elsewhere, hostname: HOSTNAME, now: NOW })).rejects.toMatchObject({
      code: 'SETUP_INCOMPLETE',
    })
    await expect(readStatus(elsewhere)).rejects.toMatchObject({ code: 'NOT_SET_UP' })
    await expect(serve({ root: elsewhere, log: silent })).rejects.toMatchObject({ code: 'NOT_SET_UP' })
    expect(existsSync(elsewhere)).toBe(false)
  })

  test('a root that is a file', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    await expect(setUp({ ...options, root: file })).rejects.toMatchObject({ code: 'PATH_OCCUPIED' })
  })

  test.skipIf(process.getuid?.() !== 0)('a root that this user may not write (root: gives up its rights)', async () => {
    const elsewhere = join(folder, 'not mine')
    mkdirSync(elsewhere, { mode: 0o755 })
    execFileSync('chmod', ['755', folder])
    process.seteuid?.('nobody')
    try {
      await expect(setUp({ ...options, root: elsewhere })).rejects.toMatchObject({ code: 'PATH_NOT_PERMITTED' })
    } finally {
      process.seteuid?.(0)
    }
  })
})

const disk = openSmallDisk('8m')
afterAll(() => disk?.remove())
describe.skipIf(!disk)('a full disk (needs leave to mount one)', () => {
  test('while a certificate is replaced: the pair before it stays, and afterwards the new one can be installed', async () => {
    const full = paths(disk!.folder)
    const [before, after] = await Promise.all(
      [1, 2].map(() => createSelfSigned({ hostname: HOSTNAME, addresses: [], now: NOW })),
    )
    await installIdentity(full, before!, { how: 'install', now: new Date() })
    disk!.fill()
    await expect(installIdentity(full, after!, { how: 'install', now: new Date() })).rejects.toMatchObject({
      code: 'DISK_FULL',
    })
    expect(await readIdentity(full)).toEqual(before)
    disk!.empty()
    await installIdentity(full, after!, { how: 'install', now: new Date() })
    expect(await readIdentity(full)).toEqual(after)
  })

  test('while setting up: said so, and what was made is kept for the next attempt', { tags: 'long' }, async () => {
    const failed = { ...options, root: disk!.folder }
    await expect(setUp(failed)).rejects.toMatchObject({ code: 'DATABASE_NO_SPACE' })
    const before = readFileSync(paths(disk!.folder).settings)
    await expect(setUp(failed)).rejects.toMatchObject({ code: 'DATABASE_NO_SPACE' })
    expect(readFileSync(paths(disk!.folder).settings)).toEqual(before)
    expect(existsSync(paths(disk!.folder).database)).toBe(false)
  })
})
