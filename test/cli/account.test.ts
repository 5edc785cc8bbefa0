/** The password that pools present is changed while the appliance runs; and settings that differ from what runs are told. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { readSettings } from '../../src/config/index.js'
import { encodeRequest, SERVICE_PATH } from '../../src/wlb/index.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { basic, PASSWORD, startAppliance, type TestAppliance, USER_NAME } from '../server/test-appliance.js'
import { run } from './program.js'

let appliance: TestAppliance
let original: string
beforeAll(async () => {
  appliance = await startAppliance()
  original = readFileSync(appliance.paths.settings, 'utf8')
})
afterAll(() => appliance.remove())
beforeEach(async () => {
  writeFileSync(appliance.paths.settings, original)
  await set(PASSWORD)
})

const wlb = (...words: string[]) => run('wlb', ['--root', appliance.root, ...words])
const file = (password: string) => {
  const path = join(appliance.root, 'new-password')
  writeFileSync(path, `${password}\n`)
  return path
}
const set = (password: string) => wlb('account', 'password', '--password-file', file(password), '--json')
const edit = (from: RegExp, to: string) =>
  writeFileSync(
    appliance.paths.settings,
    readFileSync(appliance.paths.settings, 'utf8').replace(from, () => to),
  )

/** What a pool that presents it is answered. */
function askWith(password: string): Promise<number | undefined> {
  const body = encodeRequest({ method: 'GetDiagnostics', request: {} })
  return new Promise((resolve, reject) => {
    const headers = { Authorization: basic(USER_NAME, password), 'Content-Length': Buffer.byteLength(body) }
    const target = { host: OWN_ADDRESS, port: appliance.port, path: SERVICE_PATH, method: 'POST', agent: false }
    request({ ...target, headers, rejectUnauthorized: false }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode))
    })
      .once('error', reject)
      .end(body)
  })
}

test('a new password counts at once, the one before no more; the rest of the file stays, for its owner alone', async () => {
  edit(/^port/m, '# a note of the administrator\nport')
  const changed = await set('the new one')
  expect(JSON.parse(changed.stdout)).toEqual({
    state: 'changed',
    username: USER_NAME,
    settingsFile: appliance.paths.settings,
    inService: true,
    pools: [],
  })
  expect([await askWith('the new one'), await askWith(PASSWORD)]).toEqual([200, 401])
  const [before, after] = [original, readFileSync(appliance.paths.settings, 'utf8')]
  const bare = (text: string) => text.replace(/^(password_hash|# a note).*\n/gm, '')
  expect(bare(after)).toBe(bare(before))
  expect(after).toContain('# a note of the administrator')
  expect(statSync(appliance.paths.settings).mode & 0o777).toBe(0o600)
  expect(JSON.parse((await set('the new one')).stdout)).toMatchObject({ state: 'already so' })
})

const files: [given: string, from: RegExp, to: string][] = [
  ['a hash that nothing made', /^password_hash.*$/m, 'password_hash = "geheim"'],
  ['no hash at all', /^password_hash.*\n/m, ''],
  ['a hash without quotes', /^password_hash.*$/m, 'password_hash = geheim'],
  ['an inline table', /^\[account\][\s\S]*/m, ''],
]
it.each(files)('mended by it: %s', async (given, from, to) => {
  if (given === 'an inline table') {
    const text = readFileSync(appliance.paths.settings, 'utf8').replace(from, '')
    writeFileSync(appliance.paths.settings, `account = { username = "${USER_NAME}", password_hash = "x" }\n${text}`)
  } else edit(from, to)
  const told = await wlb('status')
  expect(told.stdout).toMatch(/next start:\s+FAILS: .*\[SETTINGS_INVALID\]/)
  if (given !== 'a hash without quotes') expect(told.stdout).toContain('account password')
  expect((await set('mended')).exitCode).toBe(0)
  expect(await readSettings(appliance.paths.settings)).toMatchObject({ userName: USER_NAME })
  expect(await askWith('mended')).toBe(200)
})

test('a password that HTTP cannot carry is refused, and nothing is changed', async () => {
  const before = readFileSync(appliance.paths.settings, 'utf8')
  const refused = await wlb('account', 'password', '--password-file', file(' blank in front'))
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[CHOICE_INVALID]') })
  expect(readFileSync(appliance.paths.settings, 'utf8')).toBe(before)
  expect((await wlb('account', 'password')).stderr).toContain('try: wlb --root')
})

test('what is on disk beside what runs: the port, the name, and a password that only the next start takes', async () => {
  expect((await wlb('status')).stdout).not.toContain('next start')
  edit(/^port = .*$/m, 'port = 9012')
  edit(/^username = .*$/m, 'username = "other"')
  const { stdout } = await wlb('status')
  expect(stdout).toContain(
    `takes over port 9012 (now ${appliance.port}, which pools connect to), account.username other (now`,
  )
  expect(JSON.parse((await wlb('account', 'show', '--json')).stdout)).toMatchObject({
    username: 'other',
    inService: false,
  })
  writeFileSync(appliance.paths.settings, original)
})

const seen: [given: string, from: RegExp, to: string, code: string, remedy: RegExp][] = [
  [
    'a bad hash',
    /^password_hash.*$/m,
    'password_hash = "geheim"',
    'SETTINGS_UNUSABLE',
    /^wlb --root \S+ account password$/,
  ],
  ['another port', /^port = .*$/m, 'port = 9012', 'SETTINGS_NOT_IN_USE', /^sed -i 's\/\^port \*=/],
  [
    'another user name',
    /^username = .*$/m,
    'username = "x"',
    'SETTINGS_NOT_IN_USE',
    /^wlb --root \S+ account password$/,
  ],
]
it.each(seen)('the doctor sees %s on disk before the next start does', async (_, from, to, code, remedy) => {
  edit(from, to)
  const { stdout, exitCode } = await wlb('doctor', '--json')
  const { findings, notSeen } = JSON.parse(stdout)
  expect(findings).toContainEqual(
    expect.objectContaining({ code, severity: 'warning', remedy: expect.stringMatching(remedy) }),
  )
  expect(exitCode).toBe(1)
  expect(notSeen.join(' ')).not.toContain('does not run on this machine')
})

describe('somebody else has the port that is on disk', () => {
  const program = `const s = require('node:net').createServer().listen(0, '${OWN_ADDRESS}', () => console.log(s.address().port))`
  let other: ReturnType<typeof spawn>
  let port: string
  beforeAll(async () => {
    other = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line]: Buffer[] = other.stdout ? await once(other.stdout, 'data') : []
    port = String(line).trim()
  })
  afterAll(() => void other.kill('SIGKILL'))

  const change = () => edit(/^port = .*$/m, `port = ${port}`)

  test('status and doctor say that the next start fails, and who has it', async () => {
    change()
    const { stdout } = await wlb('status')
    expect(stdout).toMatch(/next start:\s+FAILS: .*\[PORT_IN_USE\]/)
    expect(stdout).toContain(`port: ${port}, pid: ${other.pid}, program: node`)
    const { findings } = JSON.parse((await wlb('doctor', '--json')).stdout)
    expect(findings).toContainEqual(
      expect.objectContaining({
        code: 'PORT_TAKEN',
        severity: 'warning',
        evidence: expect.stringContaining(`[PORT_IN_USE] (address: ${OWN_ADDRESS}, port: ${port}, pid: ${other.pid}`),
        remedy: `sed -i 's/^port *=.*/port = ${appliance.port}/' ${appliance.paths.settings}`,
      }),
    )
  })

  test('the port it has itself is no obstacle, at every address too', async () => {
    edit(/^address = .*$/m, 'address = "0.0.0.0"')
    const { stdout } = await wlb('status')
    expect(stdout).toContain(`takes over address 0.0.0.0 (now ${OWN_ADDRESS})`)
  })

  test('an appliance that is stopped does not start there', { tags: 'long' }, async () => {
    const stopped = join(appliance.root, 'stopped')
    const settings = ['--hostname', 'wlb.example.com', '--address', OWN_ADDRESS, '--port', port]
    const there = (...words: string[]) => run('wlb', ['--root', stopped, ...words])
    expect((await there('setup', ...settings, '--password-file', file('x'), '--yes')).exitCode).toBe(0)
    const { stdout, exitCode } = await there('status')
    expect(stdout).toContain(`It does not start:  ss -ltnp sport = :${port}`)
    expect(exitCode).toBe(1)
    expect((await there('serve')).stderr).toContain(
      `[PORT_IN_USE]\n  address: ${OWN_ADDRESS}\n  port: ${port}\n  pid: ${other.pid}`,
    )
  })
})

test('and after that start, which failed, it says so too', async () => {
  edit(/^password_hash.*$/m, 'password_hash = "geheim"')
  await appliance.close()
  const { findings } = JSON.parse(
    (await wlb('doctor', '--json', '--appliance', `${OWN_ADDRESS}:${appliance.port}`)).stdout,
  )
  expect(findings).toMatchObject([
    { code: 'SETTINGS_UNUSABLE', severity: 'error', remedy: `wlb --root ${appliance.root} account password` },
  ])
})
