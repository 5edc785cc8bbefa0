/** `wlb cert install` as an operator runs it, against an appliance that serves: in service, or as it was. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { connect, TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LOCK_FILE } from '../../src/base/files/directory-lock.js'
import { encodeRequest, SERVICE_PATH } from '../../src/wlb/index.js'
import { placeDatabase } from '../empty-database.js'
import { freePort } from '../free-port.js'
import { pemOf } from '../identity/install-cast.js'
import { mayTrace, recordCalls } from '../identity/system-calls.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { makeFolder, type Running, removeFolder, run, runUntilReady } from './program.js'

const folder = makeFolder()
const root = join(folder, 'root')
const wlb = (...args: string[]) => run('wlb', ['--root', root, 'cert', 'install', ...args])
const certs = join(root, 'etc/ssl/certs')
const file = (name: string) => join(folder, name)
/** Two identities that take turns. */
const FIRST = [file('first.pem')]
const SECOND = [file('second.pem'), file('mid.pem'), file('root.pem')]
let port: number
let appliance: Running

beforeAll(async () => {
  writeFileSync(file('password'), 'geheim\n')
  port = await freePort()
  const names = ['--hostname', 'wlb.lab.internal', '--address', OWN_ADDRESS, '--port', String(port)]
  placeDatabase(root)
  const setup = ['setup', ...names, '--username', 'wlbuser', '--password-file', file('password'), '--yes']
  expect(await run('wlb', ['--root', root, ...setup])).toMatchObject({ exitCode: 0 })
  appliance = await runUntilReady(['--root', root, 'serve'])
  writeFileSync(file('first.pem'), await pemOf('leaf+key:leaf+mid+root'))
  writeFileSync(file('second.pem'), await pemOf('leaf-key2+key:leaf-key2'))
  for (const name of ['mid', 'root']) writeFileSync(file(`${name}.pem`), await pemOf(name))
})
afterAll(async () => {
  await appliance.stop()
  removeFolder(folder)
})

/** Every file below the appliance's own folders but its database: name, mode, time, content. */
function look(): Record<string, string> {
  const tree: Record<string, string> = {}
  for (const below of ['etc', 'var/lib/openwlb/identities']) {
    for (const entry of readdirSync(join(root, below), { recursive: true, withFileTypes: true })) {
      if (entry.name === LOCK_FILE) continue // written by each who takes the lock
      const path = join(entry.parentPath, entry.name)
      const { mode, mtimeMs, ino } = statSync(path)
      tree[path] = `${mode} ${mtimeMs} ${ino} ${entry.isFile() ? readFileSync(path, 'latin1') : ''}`
    }
  }
  return tree
}

function fingerprintOf(name: string): string {
  return new X509Certificate(readFileSync(join(certs, name))).fingerprint256
}

function served(): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: OWN_ADDRESS, port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    }).once('error', reject)
  })
}

test('installed, the pair before kept, and what is served is what is on disk', async () => {
  const before = { pem: readFileSync(join(certs, 'server.pem')), key: readFileSync(join(certs, 'server.key')) }
  const { stdout, stderr, exitCode } = await wlb(...FIRST, '--yes', '--json')
  expect(exitCode).toBe(0)
  const document = JSON.parse(stdout)
  expect(document).toMatchObject({
    state: 'installed',
    name: 'wlb.lab.internal',
    key: { source: 'among the files', file: FIRST[0] },
    chain: [{ subject: 'CN=wlb.lab.internal' }, { subject: 'CN=Mid' }, { subject: 'CN=Root' }],
    missingIssuer: null,
    verdict: { accepted: true, reason: '' },
    warnings: [],
    activation: { state: 'proved', proofs: [{ who: 'appliance', port }] },
  })
  expect(document.steps.map(({ id, state }: { id: string; state: string }) => `${id} ${state}`)).toEqual(
    ['key', 'merge', 'back up', 'move', 'protect', 'serve', 'prove'].map((id) => `${id} done`),
  )
  expect(stderr).toContain('install ...\nactivate ...\n')
  expect(readFileSync(join(certs, 'server.pem'), 'utf8')).toBe(await pemOf('leaf+mid+root'))
  expect(readFileSync(join(certs, 'server.pem_orig'))).toEqual(before.pem)
  expect(readFileSync(join(certs, 'server.key_orig'))).toEqual(before.key)
  expect(await served()).toBe(fingerprintOf('server.pem'))
  expect(document.identity.fingerprintSha256).toBe(fingerprintOf('server.pem'))
})

test('again, it is already so, and nothing is touched', async () => {
  const before = look()
  const { stdout, exitCode } = await wlb(...FIRST)
  expect(exitCode).toBe(0)
  expect(stdout).toContain('Already so; nothing was changed.')
  expect(stdout).not.toMatch(/undo|Next/)
  expect(JSON.parse((await wlb(...FIRST, '--json')).stdout)).toMatchObject({ state: 'already so', steps: [] })
  expect(look()).toEqual(before)
})

test('--dry-run prints the steps with the commands of old, and changes nothing', async () => {
  const before = look()
  const { stdout, exitCode } = await wlb(...SECOND, '--dry-run')
  expect(exitCode).toBe(0)
  for (const command of [
    'cat|sed -n',
    'mv .*server.pem_orig; mv .*server.key_orig',
    'chmod 600',
    'killall stunnel; stunnel',
  ])
    expect(stdout).toMatch(new RegExp(`^ {4}# .*(${command})`, 'm'))
  const document = JSON.parse((await wlb(...SECOND, '--dry-run', '--json')).stdout)
  expect(document).toMatchObject({
    state: 'planned',
    steps: expect.arrayContaining([expect.objectContaining({ state: 'planned' })]),
  })
  expect(look()).toEqual(before)
})

test('nobody to ask and no --yes: exit 2, and nothing is changed', async () => {
  const before = look()
  expect(await wlb(...SECOND)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[USAGE_NEEDS_YES]') })
  const { stdout } = await wlb(...SECOND, '--json')
  expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'USAGE_NEEDS_YES', facts: { missing: '--yes' } } })
  expect(look()).toEqual(before)
})

test('refused: exit 1, one document, and nothing is changed', async () => {
  writeFileSync(file('expired.pem'), await pemOf('leaf-expired+key:leaf+mid+root'))
  const before = look()
  const { stdout, exitCode } = await wlb(file('expired.pem'), '--yes', '--json')
  expect(exitCode).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject({
    error: {
      code: 'CERTIFICATE_REFUSED',
      facts: { poolWouldSay: 'SSL_VERIFY_ERROR Pre-verification error: certificate has expired' },
    },
  })
  expect(look()).toEqual(before)
})

test('a kept-alive connection goes on, a new one sees the new certificate', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const body = encodeRequest({ method: 'RemoveXenServer', request: { poolUuid: 'none' } })
  const headers = {
    Authorization: `Basic ${Buffer.from('wlbuser:geheim').toString('base64')}`,
    'Content-Type': 'text/xml; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'keep-alive',
  }
  const options = {
    host: OWN_ADDRESS,
    port,
    agent,
    headers,
    method: 'POST',
    path: SERVICE_PATH,
    rejectUnauthorized: false,
  }
  const ask = () =>
    new Promise<{ seen: string; reused: boolean }>((resolve, reject) => {
      const call = request(options, (response) => {
        const { socket } = response
        const seen = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
        response.resume().once('end', () => resolve({ seen: seen?.fingerprint256 ?? '', reused: call.reusedSocket }))
      })
      call.once('error', reject).end(body)
    })
  const old = fingerprintOf('server.pem')
  expect(await ask()).toEqual({ seen: old, reused: false })
  let isDone = false
  const installing = wlb(...SECOND, '--yes').finally(() => {
    isDone = true
  })
  // asked all the while: a connection with nothing to do is closed by either side
  while (!isDone) expect(await ask()).toMatchObject({ reused: true })
  expect(await installing).toMatchObject({ exitCode: 0 })
  expect(await ask()).toMatchObject({ reused: true })
  agent.destroy()
  expect(await served()).toBe(fingerprintOf('server.pem'))
  expect(fingerprintOf('server.pem')).not.toBe(old)
})

test('two administrators at once: each is done or told to wait, and the pair is one of the two', async () => {
  const ended = await Promise.all([wlb(...FIRST, '--yes'), wlb(...SECOND, '--yes'), wlb(...FIRST, '--yes')])
  for (const { exitCode, stderr } of ended)
    expect(exitCode === 0 || /\[DIRECTORY_IN_USE\]/.test(stderr), stderr).toBe(true)
  expect(ended.some(({ exitCode }) => exitCode === 0)).toBe(true)
  const pem = readFileSync(join(certs, 'server.pem'), 'utf8')
  expect([await pemOf('leaf+mid+root'), await pemOf('leaf-key2+mid+root')]).toContain(pem)
  expect(await served()).toBe(fingerprintOf('server.pem'))
  const key = createPrivateKey(readFileSync(join(certs, 'server.key')))
  expect(new X509Certificate(pem).checkPrivateKey(key)).toBe(true)
})

const strace = requirePart('strace')
describe.skipIf(!strace || !mayTrace(strace))('traced', () => {
  test("a key is its owner's alone from the moment its file is made", () => {
    const isFirst = fingerprintOf('server.pem') === new X509Certificate(readFileSync(file('first.pem'))).fingerprint256
    const args = [
      join(import.meta.dirname, '../../dist/wlb.js'),
      '--root',
      root,
      'cert',
      'install',
      ...(isFirst ? SECOND : FIRST),
      '--yes',
    ]
    const before = process.umask(0)
    const calls = recordCalls({ strace: strace ?? '', args, folder: root })
    process.umask(before)
    const made = calls.filter(({ name, text }) => name === 'openat' && /\.key(_orig)?"/.test(text))
    expect(made.length).toBeGreaterThan(1)
    for (const { text } of made) expect(text).toMatch(/O_CREAT.*, 0600\b/)
    for (const { name, text } of calls)
      if (name.includes('chmod') && text.includes('.key')) expect(text).toMatch(/, 0600\)/)
    expect(statSync(join(certs, 'server.key')).mode & 0o777).toBe(0o600)
  })
})

test('the appliance not running: installed, not proved, and it is said how to start it', async () => {
  await appliance.stop()
  rmSync(join(certs, 'server.pem'))
  const { stdout, exitCode } = await wlb(...FIRST, '--yes')
  expect(exitCode).toBe(0)
  expect(stdout).toContain('not yet: nothing is running here')
  expect(stdout).toContain(`Start it:  wlb --root ${root} serve`)
})
