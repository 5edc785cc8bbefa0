/** Files nobody should send and disks nobody should have: `wlb cert install` says what is wrong, quickly, and changes nothing. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LOCK_FILE } from '../../src/base/files/directory-lock.js'
import { listIdentities } from '../../src/identity/index.js'
import { cast, pemOf } from '../identity/install-cast.js'
import { openSmallDisk } from '../identity/small-disk.js'
import { requirePart } from '../real-parts.js'
import { setUpForTests } from '../server/test-appliance.js'
import { type Ended, makeFolder, removeFolder, run } from './program.js'

const folder = makeFolder()
const root = join(folder, 'root')
const file = (name: string) => join(folder, name)
const costs = file('costs.json')
/** Tells at the end what the process has used; loaded before the program. */
const METER = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const cost = { cpuMs: (userCPUTime + systemCPUTime) / 1000, memoryMb: maxRSS / 1024 }
  require('node:fs').writeFileSync(process.env.COSTS, JSON.stringify(cost))
})`
const wlb = (where: string, ...args: string[]) =>
  run('wlb', ['--root', where, 'cert', 'install', ...args, '--yes', '--json'], {
    NODE_OPTIONS: `--require ${file('meter.cjs')}`,
    COSTS: costs,
  })
const readCost = (): { cpuMs: number; memoryMb: number } => JSON.parse(readFileSync(costs, 'utf8'))
let usual: { cpuMs: number; memoryMb: number }

beforeAll(async () => {
  writeFileSync(file('meter.cjs'), METER)
  await setUpForTests(root)
  writeFileSync(file('all.pem'), await pemOf('leaf+key:leaf+mid+root'))
  await wlb(root, file('all.pem'), '--dry-run')
  usual = readCost()
}, 120_000)
afterAll(() => removeFolder(folder))

/** What is in the appliance's own folders, its database left out. */
function look(where: string): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const below of ['etc', 'var/lib/openwlb/identities']) {
    if (!existsSync(join(where, below))) continue
    for (const entry of readdirSync(join(where, below), { recursive: true, withFileTypes: true })) {
      if (entry.name === LOCK_FILE) continue // written by each who takes the lock
      const path = join(entry.parentPath, entry.name)
      tree[path] = entry.isFile() ? readFileSync(path, 'latin1') : ''
    }
  }
  return tree
}

function errorOf({ stdout, exitCode }: Ended): { code: string; facts: Record<string, unknown> } {
  expect(exitCode).toBe(1)
  return JSON.parse(stdout).error
}

function nest(depth: number): Buffer {
  let inner = Buffer.alloc(0)
  for (let level = 0; level < depth; level++) {
    const { length } = inner
    const head = length < 0x80 ? [0x30, length] : [0x30, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]
    inner = Buffer.concat([Buffer.from(head), inner])
  }
  return inner
}
const armour = (der: Buffer) => `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`

function writeSparse(path: string, bytes: number): void {
  writeFileSync(path, '')
  truncateSync(path, bytes)
}

const hostile: [what: string, make: (path: string) => unknown, code: string, facts?: Record<string, unknown>][] = [
  ['no file at all', () => {}, 'FILE_MISSING'],
  ['a folder', (path) => mkdirSync(path), 'PATH_OCCUPIED', { systemError: 'EISDIR' }],
  ['an empty file', (path) => writeFileSync(path, ''), 'FILE_UNRECOGNIZED'],
  ['a page of a portal', (path) => writeFileSync(path, '<!DOCTYPE html><html>Log in</html>'), 'FILE_UNRECOGNIZED'],
  ['100 MB', (path) => writeSparse(path, 100_000_000), 'FILE_TOO_LARGE', { bytes: 100_000_000 }],
  [
    '10,000 certificates',
    async (path) => writeFileSync(path, (await pemOf('leaf')).repeat(10_000)),
    'FILE_TOO_LARGE',
    { limit: 4 * 1024 * 1024 },
  ],
  [
    '2,000 certificates',
    async (path) => writeFileSync(path, (await pemOf('leaf')).repeat(2000)),
    'TOO_MANY_CERTIFICATES',
  ],
  ['ASN.1 of depth 10,000', (path) => writeFileSync(path, nest(10_000)), 'FILE_UNRECOGNIZED'],
  ['the same as PEM', (path) => writeFileSync(path, armour(nest(10_000))), 'CERTIFICATE_MALFORMED'],
  [
    'a block that is cut off',
    async (path) => writeFileSync(path, `${await pemOf('root')}${(await pemOf('leaf')).slice(0, 300)}`),
    'PEM_MALFORMED',
    { line: expect.any(Number) },
  ],
  ['a key and no certificate', async (path) => writeFileSync(path, await pemOf('key:leaf')), 'CERTIFICATE_NOT_GIVEN'],
]

async function expectRefusal(name: string, args: readonly string[], code: string, facts: Record<string, unknown> = {}) {
  const before = look(root)
  const ended = await wlb(root, ...args)
  const error = errorOf(ended)
  expect(error.code).toBe(code)
  expect(error.facts).toMatchObject(facts)
  expect(JSON.stringify(error.facts)).toContain(name)
  const { cpuMs, memoryMb } = readCost()
  expect(cpuMs - usual.cpuMs).toBeLessThan(1000)
  expect(memoryMb - usual.memoryMb).toBeLessThan(200)
  expect(look(root)).toEqual(before)
}

test.each(hostile)('%s: %s', async (what, make, code, facts) => {
  const name = `${what.replaceAll(/[^a-z0-9]/gi, '-')}.pem`
  await make(file(name))
  await expectRefusal(name, [file(name)], code, facts)
})

test.each(['/dev/zero', '/dev/full'])(
  '%s is read no further than a file of certificates can be long',
  async (device) => {
    await expectRefusal(device, [device], 'FILE_TOO_LARGE', { file: device })
    await expectRefusal(device, [file('all.pem'), '--key', device], 'FILE_TOO_LARGE', { file: device })
  },
)

describe.skipIf(!requirePart('openssl'))('PKCS#12', () => {
  test('a wrong password', async () => {
    const args = ['pkcs12', '-export', '-in', file('all.pem'), '-out', file('all.p12'), '-passout', 'pass:right']
    execFileSync('openssl', args, { stdio: 'ignore' })
    writeFileSync(file('pass'), 'wrong\n')
    await expectRefusal('all.p12', [file('all.p12'), '--passphrase-file', file('pass')], 'PKCS12_PASSWORD_WRONG')
    await expectRefusal('all.p12', [file('all.p12')], 'PKCS12_PASSWORD_NEEDED')
  })
})

test("900 authorities of the issuer's name: the one that has signed is found", async () => {
  const [mid, renewed] = [await cast('mid'), await cast('mid-renewed')]
  const many = `${await pemOf('leaf+key:leaf')}${renewed.certificatePem.repeat(900)}${mid.certificatePem}${await pemOf('root')}`
  writeFileSync(file('many.pem'), many)
  const { stdout, exitCode } = await wlb(root, file('many.pem'), '--dry-run')
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout).chain).toHaveLength(3)
  expect(readCost().cpuMs - usual.cpuMs).toBeLessThan(1000)
})

/** The pair as it lies there, and the history as it is read: of a try that failed, its record may have noted when. */
async function lookInside(where: string): Promise<unknown> {
  const inEtc = Object.entries(look(where)).filter(([path]) => path.startsWith(join(where, 'etc/')))
  return { inEtc, history: await listIdentities(where) }
}

describe.skipIf(process.getuid?.() !== 0)('as another user', () => {
  test('a folder that is not writable: said, and nothing is changed', async () => {
    const where = file('others')
    cpSync(root, where, { recursive: true })
    execFileSync('chown', ['-R', '65534:65534', folder])
    execFileSync('chmod', ['555', join(where, 'etc/ssl/certs')])
    const before = await lookInside(where)
    const script = `exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"`
    const program = join(import.meta.dirname, '../../dist/wlb.js')
    const args = [process.execPath, program, '--root', where, 'cert', 'install', file('all.pem'), '--yes', '--json']
    const { stdout, stderr, status } = spawnSync('sh', ['-c', script, 'sh', ...args], { encoding: 'utf8' })
    expect(errorOf({ stdout, stderr, exitCode: status })).toMatchObject({
      code: 'PATH_NOT_PERMITTED',
      facts: { systemError: 'EACCES' },
    })
    expect(await lookInside(where)).toEqual(before)
  })
})

const disk = openSmallDisk('400k')
afterAll(() => disk?.remove())
describe.skipIf(!disk)('a disk that is full', () => {
  test('said, and nothing is changed; with space again it is done', async () => {
    if (!disk) return
    const where = join(disk.folder, 'root')
    for (const below of ['etc', 'var/lib/openwlb/identities']) {
      cpSync(join(root, below), join(where, below), { recursive: true })
    }
    disk.fill()
    const before = await lookInside(where)
    expect(errorOf(await wlb(where, file('all.pem')))).toMatchObject({ code: 'DISK_FULL' })
    expect(await lookInside(where)).toEqual(before)
    disk.empty()
    expect(await wlb(where, file('all.pem'))).toMatchObject({ exitCode: 0 })
  })
})
