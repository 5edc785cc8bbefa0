/**
 * What scripts rely on: one appliance, one pool, the commands as a script types them, and the JSON it reads.
 *
 * @module-tag long
 */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, expect, it, test } from 'vitest'
import { placeDatabase } from '../empty-database.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { makeFolder, type Running, removeFolder, run, runUntilReady } from './program.js'

const root = makeFolder()
const passwordFile = join(root, 'password')
const wlb = (...args: string[]) => run('wlb', ['--root', root, ...args])
const on = (host: string, ...args: string[]) => wlb('lab', 'exec', host, '--', 'xe', ...args)
let port: number
let appliance: Running
let lab: {
  pool: string
  username: string
  password: string
  hosts: {
    name: string
    uuid: string
    role: string
    address: string
    tlsPort: number
    plainPort: number
    root: string
    pid: number
  }[]
}

const setup = () =>
  wlb(
    'setup',
    '--hostname',
    'wlb.lab.internal',
    '--address',
    OWN_ADDRESS,
    '--port',
    String(port),
    '--username',
    'wlbuser',
    '--password-file',
    passwordFile,
    '--yes',
  )
const connecting = (name: string) => [
  'pool-initialize-wlb',
  `wlb_url=${name}:${port}`,
  'wlb_username=wlbuser',
  'wlb_password=p:ä ss',
  `xenserver_username=${lab.username}`,
  `xenserver_password=${lab.password}`,
]

beforeAll(async () => {
  writeFileSync(passwordFile, 'p:ä ss\n')
  placeDatabase(root)
  port = await freePort()
  const [made, up] = await Promise.all([
    setup(),
    wlb('lab', 'up', '--hosts', '3', '--add-host', `wlb.lab.internal=${OWN_ADDRESS}`, '--json'),
  ])
  expect(made).toMatchObject({ exitCode: 0 })
  lab = JSON.parse(up.stdout)
  appliance = await runUntilReady(['--root', root, 'serve'])
})

afterAll(async () => {
  await wlb('lab', 'down')
  await appliance.stop()
  removeFolder(root)
})

test('serve says where it listens once it accepts connections', () => {
  expect(appliance.line).toBe(`ready https://${OWN_ADDRESS}:${port}\n`)
})

test('setup again keeps everything and says so', async () => {
  const before = readFileSync(join(root, 'etc/ssl/certs/server.pem'))
  const again = await setup()
  expect(again).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('Already set up; everything was kept.') })
  expect(readFileSync(join(root, 'etc/ssl/certs/server.pem'))).toEqual(before)
  expect(statSync(join(root, 'etc/ssl/certs/server.key')).mode & 0o777).toBe(0o600)
})

test('lab up --json names every host, on an address of its own, with the same ports', () => {
  expect(lab.hosts.map(({ name, role }) => `${name} ${role}`)).toEqual(['xs1 coordinator', 'xs2 member', 'xs3 member'])
  expect(new Set(lab.hosts.map(({ address }) => address)).size).toBe(3)
  expect(new Set(lab.hosts.map(({ tlsPort, plainPort }) => `${tlsPort} ${plainPort}`)).size).toBe(1)
  for (const { pid, root: folder } of lab.hosts) {
    expect(process.kill(pid, 0)).toBe(true)
    expect(statSync(join(folder, 'etc/hosts')).isFile()).toBe(true)
  }
})

test('cert show --json agrees with openssl and with what is served', async () => {
  const { stdout, exitCode } = await wlb('cert', 'show', '--json')
  const shown = JSON.parse(stdout)
  const file = join(root, 'etc/ssl/certs/server.pem')
  const openssl = (...args: string[]) =>
    spawnSync('openssl', ['x509', '-in', file, '-noout', ...args], { encoding: 'utf8' }).stdout.trim()
  expect(exitCode).toBe(0)
  expect(`sha256 Fingerprint=${shown.fingerprintSha256}`).toBe(openssl('-fingerprint', '-sha256'))
  expect(shown).toMatchObject({
    commonName: 'wlb.lab.internal',
    selfSigned: true,
    names: expect.arrayContaining(['wlb.lab.internal', 'wlb', OWN_ADDRESS]),
    served: { fingerprintSha256: shown.fingerprintSha256 },
  })
  const client = spawnSync(
    'openssl',
    [
      's_client',
      '-connect',
      `${OWN_ADDRESS}:${port}`,
      '-CAfile',
      file,
      '-verify_hostname',
      'wlb.lab.internal',
      '-verify_return_error',
      '-tls1_2',
      '-curves',
      'secp384r1',
      '-cipher',
      'ECDHE-RSA-AES256-GCM-SHA384',
    ],
    { encoding: 'utf8', input: '' },
  )
  expect(client.stdout).toContain('Verify return code: 0 (ok)')
})

/** What a command on a host of the pool said: exit code, stdout, stderr. */
async function said(host: string, ...args: string[]): Promise<string> {
  const { stdout, stderr, exitCode } = await on(host, ...args)
  return `${exitCode} ${stdout}${stderr}`
}
const flag = () => said('xs1', 'pool-param-get', 'param-name=wlb-verify-cert', `uuid=${lab.pool}`)
const verify = (on: boolean) => said('xs1', 'pool-param-set', `wlb-verify-cert=${on}`, `uuid=${lab.pool}`)
const initialise = (name: string) => said('xs1', ...connecting(name))
const install = (command: string) => said('xs1', command, `filename=${join(root, 'wlb.pem')}`)

test('the pool has an identifier, and verification is on from the start', async () => {
  expect(await said('xs1', 'pool-list', '--minimal')).toBe(`0 ${lab.pool}\n`)
  expect(await flag()).toBe('0 true\n')
})

test('verification off: a pool connects to an appliance that was just set up', async () => {
  expect(await verify(false)).toBe('0 ')
  expect(await flag()).toBe('0 false\n')
  expect(await initialise('wlb.lab.internal')).toBe('0 ')
})

test('verification on, nothing installed: refused', async () => {
  expect(await verify(true)).toBe('0 ')
  expect(await flag()).toBe('0 true\n')
  expect(await said('xs1', 'pool-retrieve-wlb-configuration')).toContain(
    'message: Connection failed: configuration failed.',
  )
})

test('server.pem: copied as it is, one certificate and no key', () => {
  copyFileSync(join(root, 'etc/ssl/certs/server.pem'), join(root, 'wlb.pem'))
  const copy = readFileSync(join(root, 'wlb.pem'), 'utf8')
  expect(copy.match(/-----BEGIN .*-----/g)).toEqual(['-----BEGIN CERTIFICATE-----'])
  expect(readFileSync(join(root, 'etc/ssl/certs/server.key'), 'utf8')).toContain('PRIVATE KEY-----')
})

test('installed, listed on every host, synchronised without a word', async () => {
  expect(await said('xs1', 'pool-certificate-list')).toBe('0 ')
  expect(await install('pool-install-ca-certificate')).toBe('0 ')
  expect(await said('xs1', 'pool-uninstall-ca-certificate', 'name=wlb.pem')).toBe('0 ')
  expect(await install('pool-certificate-install')).toBe('0 ')
  expect(await said('xs1', 'pool-certificate-sync')).toBe('0 ')
  for (const host of ['xs1', 'xs2', 'xs3']) expect(await said(host, 'pool-certificate-list')).toBe('0 wlb.pem\n')
  expect(await install('pool-certificate-install')).toBe(
    '1 A certificate already exists with the specified name.\nname: wlb.pem\n',
  )
})

test('pool and appliance show the same fingerprint in the same form', async () => {
  const { fingerprintSha256 } = JSON.parse((await wlb('cert', 'show', '--json')).stdout)
  const shown = await said('xs1', 'certificate-list', 'name=wlb.pem', 'params=fingerprint', '--minimal')
  expect(shown).toBe(`0 ${fingerprintSha256}\n`)
})

test('verified by host name, refused by address', async () => {
  expect(await initialise('wlb.lab.internal')).toBe('0 ')
  expect(await initialise(OWN_ADDRESS)).toBe(
    "1 The remote system's SSL certificate failed to verify against our certificate library.\nreason: Subject checks failed\n",
  )
})

test('no host of the pool was given a key', () => {
  for (const { root: folder } of lab.hosts) {
    const store = join(folder, 'etc/stunnel')
    const files = readdirSync(store, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.pem'))
    expect(files).toContain('certs/wlb.pem')
    for (const file of files) expect(readFileSync(join(store, file), 'latin1')).not.toContain('PRIVATE KEY')
  }
})

test('status --json shows identity, listener and the pool that has registered', async () => {
  const { stdout } = await wlb('status', '--json')
  expect(JSON.parse(stdout)).toMatchObject({
    identity: { commonName: 'wlb.lab.internal' },
    listener: { state: 'running', port },
    pools: [{ uuid: lab.pool, username: 'root' }],
  })
})

test('a request is compared with what pools have connected to', async () => {
  const words = [
    '--country',
    'CA',
    '--state',
    'S',
    '--locality',
    'L',
    '--organization',
    'O',
    '--email',
    'a@example.com',
  ]
  const { stdout } = await wlb('cert', 'request', ...words, '--out', join(root, 'csr'), '--yes', '--json')
  const { pools, warnings }: { pools: unknown; warnings: string[] } = JSON.parse(stdout)
  // by address nothing came through: the pool hung up before it asked
  expect(pools).toEqual({ registered: 1, addressesUsed: ['wlb.lab.internal'] })
  expect(warnings.filter((warning) => warning.startsWith('A pool connects'))).toEqual([])
})

test('the pool is pinned, so xe can verify it: by fingerprint, and not by a wrong one', async () => {
  const { address, tlsPort } = lab.hosts[0]!
  const seen = await new Promise<string>((resolve) => {
    const socket = connect({ host: address, port: tlsPort, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '')
      socket.destroy()
    })
  })
  const file = join(root, 'xe-password')
  writeFileSync(file, `${lab.username}\n${lab.password}\n`)
  const ask = (fingerprint: string) =>
    run('xe', [
      '-s',
      address,
      '-p',
      String(tlsPort),
      '-pwf',
      file,
      '--fingerprint',
      fingerprint,
      'pool-list',
      '--minimal',
    ])
  expect(await ask(seen)).toMatchObject({ exitCode: 0, stdout: `${lab.pool}\n`, stderr: '' })
  expect(await ask(`${'00:'.repeat(31)}00`)).toMatchObject({ exitCode: 1, stdout: '' })
})

test('the pool goes on after every host was killed', async () => {
  for (const [name, host] of [
    ['fault', 'xs2'],
    ['break', 'xs3'],
    ['break', 'xs1'],
  ] as const)
    expect(await wlb('lab', name, 'kill', host)).toMatchObject({ exitCode: 0, stdout: `${host} is dead\n` })
  const up = await wlb('lab', 'up', '--json')
  const hosts: { pid: number }[] = JSON.parse(up.stdout).hosts
  expect(hosts.map(({ pid }) => pid)).not.toEqual(lab.hosts.map(({ pid }) => pid))
  expect((await on('xs1', 'pool-certificate-list')).stdout).toBe('wlb.pem\n')
  expect((await on('xs1', 'pool-retrieve-wlb-configuration')).exitCode).toBe(0)
})

test('status says what is wrong with a pair that does not fit, while the one before is served', async () => {
  const key = join(root, 'etc/ssl/certs/server.key')
  const before = readFileSync(key)
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const ended = await wlb('status', '--json')
  writeFileSync(key, before)
  expect(ended.exitCode).toBe(1)
  expect(JSON.parse(ended.stdout)).toMatchObject({
    identity: {
      error: {
        code: 'CERTIFICATE_KEY_MISMATCH',
        remedy: expect.stringMatching(/^openssl x509 .*-in \/.*server\.key$/),
      },
    },
    listener: { state: 'running' },
  })
})

test('a pool can be forgotten on the appliance, once', async () => {
  const asked = await wlb('pool', 'forget', lab.pool)
  expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('[USAGE_NEEDS_YES]') })
  for (const forgotten of [true, false]) {
    const ended = await wlb('pool', 'forget', lab.pool, '--yes', '--json')
    expect(JSON.parse(ended.stdout)).toEqual({ pool: lab.pool, forgotten })
  }
  expect(JSON.parse((await wlb('status', '--json')).stdout).pools).toEqual([])
  expect((await on('xs1', 'pool-retrieve-wlb-configuration')).stderr).toContain('<extra>: 4015')
  expect((await wlb('pool', 'forget', 'xs1', '--yes')).stderr).toContain('[POOL_UUID_INVALID]')
})

const wrong: [args: string, exitCode: number, code: string][] = [
  ['lab exec xs9 -- xe pool-list', 1, 'LAB_HOST_UNKNOWN'],
  ['lab break burn xs1 --json', 2, 'USAGE_FAULT'],
  ['lab up --hosts 5 --json', 1, 'LAB_SIZE_DIFFERS'],
  ['--root /proc/nowhere lab up --hosts 0 --json', 1, 'LAB_SIZE_INVALID'],
]
it.each(wrong)('wlb %s: exit %i, %s', async (args, exitCode, code) => {
  const ended = await wlb(...args.split(' '))
  expect(ended.exitCode).toBe(exitCode)
  expect(ended.stderr).toContain(`[${code}]`)
  if (args.includes('--json')) expect(JSON.parse(ended.stdout)).toMatchObject({ error: { code } })
})
