/** `wlb cert request` as a script and as a person see it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname as machineName } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, it, test } from 'vitest'
import { describe } from '../../src/cli/cert/request.js'
import { hashPassword, paths, writeSettings } from '../../src/config/index.js'
import type { RequestReport } from '../../src/identity/index.js'
import { makeFolder, removeFolder, run } from './program.js'

const folder = makeFolder()
afterAll(() => removeFolder(folder))
const root = join(folder, 'root')
const place = paths(root)
const out = join(folder, 'csr')
const passwordHash = await hashPassword('geheim')
/** The machine's own name, so that the warning about another one stays away. */
const hostname = `${machineName().split('.', 1).join('').toLowerCase()}.example.com`

beforeEach(async () => {
  removeFolder(folder)
  for (const made of [place.settingsFolder, place.stateFolder]) mkdirSync(made, { recursive: true })
  await writeSettings(place.settings, { hostname, address: '127.0.0.1', port: 8012, userName: 'wlbuser', passwordHash })
})

const FIELDS = ['--country', 'CA', '--state', 'Alberta', '--locality', 'Calgary', '--organization', 'Example Inc.']
const ALL = [...FIELDS, '--email', 'admin@example.com']
const request = (...flags: string[]) => run('wlb', ['--root', root, 'cert', 'request', '--out', out, ...flags])

test('the request is shown, written, and the last line says what to do with it', async () => {
  const { stdout, stderr, exitCode } = await request(...ALL, '--yes')
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
  expect(stdout.startsWith(readFileSync(out, 'utf8'))).toBe(true)
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(
    `Next: give the whole request, first and last line included, to your authority; then  wlb --root ${root} cert install signed_cert.pem intermediate_ca.pem root_ca.pem`,
  )
  const again = await request(...ALL, '--yes')
  expect(again.stdout).toContain(`already so: ${out}`)
})

test('--json prints one document, and the warnings are told beside it', async () => {
  const { stdout, stderr, exitCode } = await request(
    ...ALL,
    '--organizational-unit',
    'IT',
    '--san',
    '192.0.2.10',
    '--san',
    'wlb',
    '--yes',
    '--json',
  )
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({
    commonName: hostname,
    dnsNames: [hostname, 'wlb'],
    ipAddresses: ['192.0.2.10'],
    subject: { country: 'CA', organizationalUnit: 'IT', email: 'admin@example.com' },
    key: { file: place.pendingKey, bits: 2048, origin: 'created', previous: null },
    file: { path: out, outcome: 'written' },
    warnings: [expect.stringContaining('Pools compare names')],
    requestPem: readFileSync(out, 'utf8'),
  })
  expect(stderr).toMatch(/^warning: Pools compare names and never look at the IP addresses/)
})

test('--out - prints the request alone, and the rest on stderr', async () => {
  const { stdout, stderr } = await run('wlb', ['--root', root, 'cert', 'request', ...ALL, '--out', '-', '--yes'])
  expect(stdout).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----\n[^-]+-----END CERTIFICATE REQUEST-----\n$/)
  expect(stderr).toContain('Next: give the whole request')
  expect(existsSync(out)).toBe(false)
})

test('without --out it is called csr, in the current folder', () => {
  const program = join(import.meta.dirname, '../../dist/wlb.js')
  spawnSync(process.execPath, [program, '--root', root, 'cert', 'request', ...ALL, '--yes'], { cwd: folder })
  expect(readdirSync(folder).sort()).toEqual(['csr', 'root'])
})

test('secrets come from files', async () => {
  writeFileSync(join(folder, 'secret'), 'ge heim\nignored\n')
  const { exitCode } = await request(
    ...ALL,
    '--challenge-password-file',
    join(folder, 'secret'),
    '--company-name',
    'Example',
    '--yes',
  )
  const shown = spawnSync('openssl', ['req', '-in', out, '-noout', '-text'], { encoding: 'utf8' }).stdout
  expect(exitCode).toBe(0)
  expect(shown).toMatch(/challengePassword +:ge heim\n/)
  expect(shown).toMatch(/unstructuredName +:Example\n/)
})

const calls: [what: string, flags: readonly string[], exitCode: number, code: string, fact: string][] = [
  ['nobody to ask: the first flag that is missing is named', ['--country', 'CA'], 2, 'USAGE_NEEDS_ANSWERS', '--state'],
  ['an e-mail address is needed', [...FIELDS, '--yes'], 2, 'USAGE_NEEDS_ANSWERS', '--email'],
  ['everything there but the word', ALL, 2, 'USAGE_NEEDS_YES', '--yes'],
  ['a country is two letters', [...ALL, '--country', 'CAN', '--yes'], 1, 'REQUEST_FIELD_INVALID', 'country'],
  ['another common name', [...ALL, '--common-name', 'other.example.com', '--yes'], 1, 'COMMON_NAME_DIFFERS', hostname],
  [
    'a passphrase without a key',
    [...ALL, '--passphrase-file', 'x', '--yes'],
    2,
    'USAGE_KEY_FLAGS',
    '--passphrase-file',
  ],
  [
    'a passphrase file that is not there',
    [...ALL, '--key', 'k', '--passphrase-file', 'x', '--yes'],
    1,
    'PASSWORD_FILE_UNREADABLE',
    'x',
  ],
]
it.each(calls)('%s', async (_what, flags, exitCode, code, fact) => {
  const ended = await request(...flags, '--json')
  expect(ended.exitCode).toBe(exitCode)
  const { error } = JSON.parse(ended.stdout)
  expect(error.code).toBe(code)
  expect(JSON.stringify(error.facts)).toContain(fact)
  expect(readdirSync(folder)).toEqual(['root'])
})

const REPORT: RequestReport = {
  requestPem: '',
  subject: {
    country: 'CA',
    state: 'Alberta',
    locality: 'Calgary',
    organization: 'Example Inc.',
    commonName: 'wlb.example.com',
    email: 'admin@example.com',
  },
  commonName: 'wlb.example.com',
  dnsNames: ['wlb.example.com'],
  ipAddresses: [],
  file: { path: '/root/csr', outcome: 'written', previous: undefined },
  key: { file: '/etc/ssl/certs/server.key_pending', bits: 2048, origin: 'created', previous: null },
  warnings: [],
  pools: { registered: 0, addressesUsed: [] },
}
const reports: [golden: string, change: Partial<RequestReport>][] = [
  ['cert-request-first', {}],
  [
    'cert-request-replaced',
    {
      subject: { ...REPORT.subject, organizationalUnit: 'IT' },
      ipAddresses: ['192.0.2.10'],
      file: { path: '/root/csr', outcome: 'written', previous: '/root/csr_orig' },
      key: { ...REPORT.key, bits: 4096, origin: 'given', previous: '/etc/ssl/certs/server.key_pending_orig' },
      pools: { registered: 2, addressesUsed: ['wlb.example.com', '192.0.2.10'] },
    },
  ],
  [
    'cert-request-again',
    {
      file: { path: '/root/csr', outcome: 'kept', previous: undefined },
      key: { ...REPORT.key, origin: 'waiting' },
      pools: null,
    },
  ],
]
it.each(reports)('%s', async (golden, change) => {
  await expect(`${describe({ ...REPORT, ...change }, '/')}\n`).toMatchFileSnapshot(`golden/${golden}.txt`)
})
