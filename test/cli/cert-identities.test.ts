/** An appliance's certificates come and go: `wlb cert self-signed`, `history`, `rollback` and `export` as they are typed. */
import { X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { placeDatabase } from '../empty-database.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { makeFolder, type Running, removeFolder, run, runUntilReady } from './program.js'

const root = makeFolder()
const certificate = join(root, 'etc/ssl/certs/server.pem')
const wlb = (...args: string[]) => run('wlb', ['--root', root, 'cert', ...args])
let appliance: Running
let port: number

beforeAll(async () => {
  port = await freePort()
  const passwordFile = join(root, 'password')
  writeFileSync(passwordFile, 'secret\n')
  const choices = ['--hostname', 'wlb.lab.internal', '--address', OWN_ADDRESS, '--port', String(port)]
  placeDatabase(root)
  await run('wlb', ['--root', root, 'setup', ...choices, '--password-file', passwordFile, '--yes'])
  appliance = await runUntilReady(['--root', root, 'serve'])
})
afterAll(async () => {
  await appliance.stop()
  removeFolder(root)
})

interface Listed {
  readonly id: string
  readonly how: string
  readonly inPlace: boolean
  readonly original: boolean
  readonly fingerprintSha256: string
}

async function history(): Promise<readonly Listed[]> {
  const { stdout } = await wlb('history', '--json')
  const { identities }: { identities: Listed[] } = JSON.parse(stdout)
  return identities
}
const summarize = async () =>
  (await history()).map(({ how, inPlace, original }) => `${how}${inPlace ? '!' : ''}${original ? '~' : ''}`).join(' ')
const fingerprintOnDisk = () => new X509Certificate(readFileSync(certificate)).fingerprint256

test('what the set-up made is the first of the history', async () => {
  expect(await summarize()).toBe('setup!')
  expect((await wlb('history')).stdout).toContain('made by the set-up')
  const ended = await wlb('rollback', '--yes', '--json')
  expect(ended.exitCode).toBe(1)
  expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code: 'IDENTITY_NO_PREVIOUS' } })
})

const unasked: [words: string][] = [['self-signed --days 9'], ['self-signed --json']]
it.each(unasked)('wlb cert %s with nobody to ask: nothing is changed', async (words) => {
  const before = fingerprintOnDisk()
  expect(await wlb(...words.split(' '))).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/\[USAGE_NEEDS_YES\][\s\S]*try: wlb --root \S+ cert self-signed .*--yes$/m),
  })
  expect(await wlb(...words.split(' '), '--dry-run')).toMatchObject({ exitCode: 0 })
  expect(fingerprintOnDisk()).toBe(before)
})

test('a new self-signed one for another name is served at once, and what follows is said', async () => {
  const before = fingerprintOnDisk()
  const ended = await wlb(
    'self-signed',
    '--hostname',
    'wlb2.lab.internal',
    '--days',
    '30',
    '--key-bits',
    '3072',
    '--yes',
    '--json',
  )
  expect(ended.exitCode).toBe(0)
  const fingerprintSha256 = fingerprintOnDisk()
  expect(fingerprintSha256).not.toBe(before)
  expect(JSON.parse(ended.stdout)).toMatchObject({
    state: 'installed',
    activation: { state: 'proved', fingerprintSha256, proofs: [{ who: 'appliance', port }] },
    identity: { commonName: 'wlb2.lab.internal', key: { type: 'rsa', bits: 3072 } },
  })
  const shown = await wlb('show', '--json')
  expect(JSON.parse(shown.stdout)).toMatchObject({
    served: { sameAsOnDisk: true },
    missingNames: expect.arrayContaining([{ of: 'settings', name: 'wlb.lab.internal' }]),
  })
  expect((await wlb('show')).stdout).toContain('NOT in it')
  expect((await run('wlb', ['--root', root, 'status'])).stdout).toContain('wlb.lab.internal, the configured host name')
  expect(await summarize()).toBe('self-signed! setup~')
})

test('rollback and back again; a third time by name is already so', async () => {
  const undone = await wlb('rollback', '--yes')
  expect(undone).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`port ${port}, proved by a handshake`) })
  expect(await summarize()).toBe('rollback! self-signed~')
  const redone = await wlb('rollback', '--yes', '--json')
  expect(JSON.parse(redone.stdout)).toMatchObject({ state: 'installed', activation: { state: 'proved' } })
  const [inPlace] = await history()
  const again = await wlb('rollback', inPlace!.id.slice(0, 6), '--json')
  expect(again.exitCode).toBe(0)
  expect(JSON.parse(again.stdout)).toMatchObject({ state: 'already so', replaced: null })
  expect(inPlace!.fingerprintSha256).toBe(fingerprintOnDisk())
})

test('exported to a pool: certificates only, the same as on disk', async () => {
  const { stdout } = await wlb('export')
  expect(stdout).toBe(readFileSync(certificate, 'utf8'))
  const out = join(root, 'wlb.der')
  expect(await wlb('export', '--root', '--der', '--out', out)).toMatchObject({ exitCode: 0 })
  expect(new X509Certificate(readFileSync(out)).fingerprint256).toBe(fingerprintOnDisk())
  const refused = await wlb('export', '--out', join(root, 'password'))
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[EXPORT_WOULD_OVERWRITE]') })
})

const wrong: [words: string, exitCode: number, code: string][] = [
  ['rollback zzz --yes --json', 1, 'IDENTITY_UNKNOWN'],
  ['self-signed --hostname wlb --yes --json', 1, 'SELF_SIGNED_IMPOSSIBLE'],
  ['self-signed --days 0 --yes --json', 1, 'SELF_SIGNED_IMPOSSIBLE'],
  ['export --leaf --chain --json', 2, 'USAGE_ONE_PART'],
]
it.each(wrong)('wlb cert %s: exit %i, %s', async (words, exitCode, code) => {
  const before = fingerprintOnDisk()
  const ended = await wlb(...words.split(' '))
  expect(ended.exitCode).toBe(exitCode)
  expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code } })
  expect(fingerprintOnDisk()).toBe(before)
})
