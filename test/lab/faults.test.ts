/** Every row that is brought about on the pool: what each host then says of the appliance, and that clearing leaves no trace. */
import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { copyAside, copyFolder, writeEntries } from '../../src/lab/faults/saved-state.js'
import { POOL_FAULTS } from '../../src/lab/faults/table.js'
import { clearFaults, injectFault, listFaults } from '../../src/lab/index.js'
import { fetchRecords } from '../../src/lab/launcher/host-control.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { itSamples } from '../sample.js'
import { HOSTNAME, PASSWORD, startAppliance, type TestAppliance, USER_NAME } from '../server/test-appliance.js'
import { issue, issueAuthority } from '../x509/test-authority.js'
import { usePool } from './test-pool.js'

const pool = usePool({ hosts: 3, addHosts: [{ name: HOSTNAME, address: OWN_ADDRESS }] })
const HOSTS = ['xs1', 'xs2', 'xs3']
let appliance: TestAppliance
let self = ''
let session = ''
let rootPem = ''
let untouched = ''

beforeAll(async () => {
  const root = await issueAuthority({ subject: 'Lab Root' })
  const mid = await issueAuthority({ subject: 'Lab Issuing', issuer: root })
  const names = { dnsNames: [HOSTNAME, '*.lab.internal'], ipAddresses: [OWN_ADDRESS] }
  const leaf = await issue({ subject: HOSTNAME, issuer: mid, ...names })
  rootPem = root.certificatePem
  appliance = await startAppliance()
  const { certificate, key } = appliance.paths
  for (const [path, text] of [
    [key, leaf.privateKeyPem],
    [certificate, leaf.certificatePem + mid.certificatePem],
  ] as const) {
    writeFileSync(`${path}.new`, text, { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }
  await appliance.reload()
  self = String(await pool.call('xs1', 'pool.get_all'))
  await pool.call('xs1', 'pool.install_ca_certificate', 'root.pem', rootPem)
  const url = `${HOSTNAME}:${appliance.port}`
  await pool.call('xs1', 'pool.initialize_wlb', url, USER_NAME, PASSWORD, 'root', pool.document.password)
  await pool.call('xs1', 'pool.set_wlb_enabled', self, true)
  session = String(await pool.raw('xs1', 'session.login_with_password', 'root', ''))
  untouched = await picture()
})
afterAll(() => appliance.remove())

/** What a host says after having connected itself: `ok`, or the error of the task. An answer at all means a handshake. */
async function ask(host: string): Promise<string> {
  const task = String(await pool.raw('xs1', 'task.create', session, 'diagnostics', ''))
  const { address, plainPort } = pool.host(host)
  const path = `/wlb_diagnostics?session_id=${session}&task_id=${task}`
  await new Promise<void>((resolve, reject) => {
    get(`http://${address}:${plainPort}${path}`, (response) => void response.resume().on('end', resolve)).on(
      'error',
      reject,
    )
  })
  const record = await pool.raw('xs1', 'task.get_record', session, task)
  await pool.raw('xs1', 'task.destroy', session, task)
  const error = typeof record === 'object' && 'error_info' in record ? record.error_info : ''
  const [code = '', ...params] = Array.isArray(error) ? error.map(String) : []
  return code === '' || code === 'WLB_INTERNAL_ERROR' ? 'ok' : [code, ...params].join(' ')
}

async function askAll(): Promise<string[]> {
  const answers: string[] = []
  for (const host of HOSTS) answers.push(await ask(host))
  return answers
}

/** Everything faults may touch: files of every host, links included, and the records. */
async function picture(): Promise<string> {
  const files = HOSTS.flatMap((host) =>
    ['etc/stunnel', 'etc/hosts', 'var/xapi'].flatMap((place) => {
      const top = pool.path(host, place)
      const paths = place === 'etc/hosts' ? [''] : readdirSync(top, { recursive: true, encoding: 'utf8' }).sort()
      return paths.map((path) => `${host} ${place}/${path} ${contentOf(join(top, path))}`)
    }),
  )
  const records = await fetchRecords(pool.host('xs1').root)
  return [...files, JSON.stringify(records, undefined, 1)].join('\n')
}

function contentOf(path: string): string {
  try {
    return `-> ${readlinkSync(path)}`
  } catch {
    try {
      return readFileSync(path, 'latin1')
    } catch {
      return ''
    }
  }
}

const inject = (row: number, host?: string, variant?: string) => injectFault({ root: pool.root, row, host, variant })
const clear = () => clearFaults(pool.root)
const verify = (text: string) => `SSL_VERIFY_ERROR Pre-verification error: ${text}`
const NAME = 'SSL_VERIFY_ERROR Subject checks failed'
const CONFIGURATION = 'INTERNAL_ERROR Connection failed: configuration failed.'
const NO_ISSUER = verify('unable to get local issuer certificate')
const NO_CRL = verify('unable to get certificate CRL')

test('a healthy pool: every host verifies', async () => {
  expect(await askAll()).toEqual(['ok', 'ok', 'ok'])
  expect(await clear()).toEqual({ cleared: [] })
})

const rows: [row: number, affected: string, said: string][] = [
  [3, 'xs1 xs2 xs3', verify('certificate has expired')],
  [5, 'xs1', verify('certificate is not yet valid')],
  [8, 'xs1 xs2 xs3', NAME],
  [10, 'xs1 xs2 xs3', NAME],
  [11, 'xs1 xs2 xs3', NAME],
  [12, '', ''],
  [13, '', ''],
  [21, 'xs1 xs2 xs3', verify('unable to get issuer certificate')],
  [22, 'xs1 xs2 xs3', CONFIGURATION],
  [23, 'xs1 xs2 xs3', NO_ISSUER],
  [27, 'xs1 xs2 xs3', 'SSL_VERIFY_ERROR Certificate not found in local repository'],
  [28, 'xs3', CONFIGURATION],
  [29, 'xs3', CONFIGURATION],
  [30, 'xs3', CONFIGURATION],
  [31, 'xs1 xs2 xs3', NO_ISSUER],
  [32, 'xs1 xs2 xs3', CONFIGURATION],
  [33, '', ''],
  [34, 'xs1 xs2 xs3', CONFIGURATION],
  [35, 'xs1 xs2 xs3', CONFIGURATION],
  [36, '', ''],
  [37, 'xs1 xs2 xs3', CONFIGURATION],
  [38, 'xs1 xs2 xs3', NO_ISSUER],
  [39, '', ''],
  [59, 'xs1 xs2 xs3', verify('CRL has expired')],
  [60, 'xs1 xs2 xs3', verify('CRL is not yet valid')],
  [61, 'xs1 xs2 xs3', NO_CRL],
  [62, 'xs1 xs2 xs3', NO_CRL],
  [63, 'xs1 xs2 xs3', verify('CRL signature failure')],
  [64, 'xs1 xs2 xs3', NO_CRL],
  [68, 'xs1', 'WLB_UNKNOWN_HOST'],
  [70, 'xs1', 'WLB_UNKNOWN_HOST'],
  [72, '', ''],
  [73, 'xs1 xs2 xs3', CONFIGURATION],
  [77, 'xs1 xs2 xs3', 'WLB_NOT_INITIALIZED'],
  [78, '', ''],
  [79, 'xs3', NO_ISSUER],
  [80, '', ''],
]

itSamples(rows, 4, 'row %i: on "%s" %s', async (row, affected, said) => {
  expect(await inject(row)).toMatchObject({ already: false, fault: { row } })
  expect(await picture()).not.toBe(untouched)
  expect(await askAll()).toEqual(HOSTS.map((host) => (affected.includes(host) ? said : 'ok')))
  expect(await clear()).toEqual({ cleared: [row] })
  expect(await picture()).toBe(untouched)
})

test('every row of the pool stands in the table above, or needs another certificate', () => {
  expect([...POOL_FAULTS.keys()].sort((one, other) => one - other)).toEqual(
    [...rows.map(([row]) => row), 9].sort((one, other) => one - other),
  )
  expect(listFaults().every(({ what }) => what !== '')).toBe(true)
})

const hosts: [row: number, host: string, said: string][] = [
  [5, 'xs2', verify('certificate is not yet valid')],
  [22, 'xs2', CONFIGURATION],
  [28, 'xs2', CONFIGURATION],
  [61, 'xs2', NO_CRL],
  [68, 'xs3', 'WLB_UNKNOWN_HOST'],
  [70, 'xs3', 'WLB_UNKNOWN_HOST'],
]
itSamples(hosts, 3, 'row %i on %s alone: the others do not notice', async (row, host, said) => {
  await inject(row, host)
  expect(await askAll()).toEqual(HOSTS.map((name) => (name === host ? said : 'ok')))
  await clear()
  expect(await picture()).toBe(untouched)
})

describe('several', () => {
  test('are taken back together, whatever one did to the other; twice is already so', async () => {
    for (const [row, host] of [[5], [63], [28, 'xs2'], [22], [27], [72]] as const) await inject(row, host)
    expect(await inject(63)).toMatchObject({ already: true })
    expect(await clear()).toEqual({ cleared: [5, 63, 28, 22, 27, 72] })
    expect(await picture()).toBe(untouched)
    expect(await askAll()).toEqual(['ok', 'ok', 'ok'])
  })

  test('outlive the hosts', async () => {
    await inject(5)
    await inject(80)
    await pool.fault('kill', 'xs1')
    await expect(clear()).rejects.toMatchObject({ code: 'LAB_COORDINATOR_DOWN' })
    await pool.fault('start', 'xs1')
    session = String(await pool.raw('xs1', 'session.login_with_password', 'root', ''))
    expect(await ask('xs1')).toBe(verify('certificate is not yet valid'))
    await clear()
    expect(await askAll()).toEqual(['ok', 'ok', 'ok'])
    untouched = await picture() // a host that was killed has lost its guests
  })
})

test('a program that died in the middle left enough to take everything back', async () => {
  const records = await fetchRecords(pool.host('xs1').root)
  if (!records) throw new Error('no coordinator')
  const lab = { root: pool.root, hosts: pool.document.hosts, coordinator: pool.host('xs1') }
  const entry = { id: 1, row: 22, side: 'pool', state: 'begun' } as const
  await copyAside(lab, records, ['stores', 'records'], copyFolder(pool.root, entry))
  await writeEntries(pool.root, [entry])
  rmSync(pool.path('xs2', 'etc/stunnel/certs'), { recursive: true })
  expect(await ask('xs1')).toBe('ok')
  expect(await inject(22)).toMatchObject({ already: false })
  expect(await clear()).toEqual({ cleared: [22] })
  expect(await picture()).toBe(untouched)
  expect(existsSync(join(pool.root, 'lab/faults'))).toBe(false)
})

const refused: [row: number, host: string | undefined, variant: string | undefined, code: string][] = [
  [99, undefined, undefined, 'LAB_FAULT_ROW_UNKNOWN'],
  [9, undefined, undefined, 'LAB_FAULT_CERTIFICATE_UNFIT'],
  [28, 'xs1', undefined, 'LAB_FAULT_HOST_UNFIT'],
  [72, 'xs2', undefined, 'LAB_FAULT_HOST_UNFIT'],
  [22, 'xs9', undefined, 'LAB_HOST_UNKNOWN'],
  [77, undefined, 'broken', 'LAB_FAULT_VARIANT_UNKNOWN'],
]
it.each(refused)('row %i on %s as %s: %s, and nothing has changed', async (row, host, variant, code) => {
  await expect(inject(row, host, variant)).rejects.toMatchObject({ code })
  expect(await clear()).toEqual({ cleared: [] })
  expect(await picture()).toBe(untouched)
})

describe('what only some rows show', () => {
  const outcome = (method: string, ...params: (string | boolean)[]) => pool.outcome('xs1', method, ...params)
  const certificates = () => pool.call('xs1', 'Certificate.get_all_records_where', 'field "type"="ca"')

  const cases: [row: number, variant: string | undefined, method: string, params: string[], said: string][] = [
    [29, undefined, 'pool.install_ca_certificate', ['root.pem', 'ROOT'], 'CERTIFICATE_ALREADY_EXISTS root.pem'],
    [31, undefined, 'pool.install_ca_certificate', ['root.pem', 'ROOT'], 'CERTIFICATE_ALREADY_EXISTS root.pem'],
    [78, undefined, 'pool.install_ca_certificate', ['other.pem', 'ROOT'], 'CERTIFICATE_LIBRARY_CORRUPT'],
    [77, 'paused', 'pool.retrieve_wlb_recommendations', [], 'WLB_DISABLED'],
    [77, 'not-connected', 'pool.retrieve_wlb_configuration', [], 'WLB_NOT_INITIALIZED'],
    [77, 'no-licence', 'pool.retrieve_wlb_configuration', [], 'LICENSE_RESTRICTION WLB'],
    [
      27,
      undefined,
      'pool.uninstall_trusted_certificate',
      ['SELF', 'X'],
      'MESSAGE_METHOD_UNKNOWN pool.uninstall_trusted_certificate',
    ],
  ]
  it.each(cases)('row %i %s: %s %j says %s', async (row, variant, method, params, said) => {
    await inject(row, undefined, variant)
    expect(await outcome(method, ...params.map((word) => ({ ROOT: rootPem, SELF: self })[word] ?? word))).toBe(said)
    await clear()
    expect(await picture()).toBe(untouched)
  })

  test('the host answers with its own time', async () => {
    await inject(5)
    const time = await pool.call('xs1', 'host.get_servertime', await pool.ref('xs1'))
    const { address, plainPort } = pool.host('xs1')
    const date = await new Promise<string>((resolve) => {
      get(`http://${address}:${plainPort}/nothing`, (response) => resolve(response.resume().headers.date ?? ''))
    })
    const twoDaysAgo = new Date(Date.now() - 2 * 86_400_000)
    expect(String(time).slice(0, 8)).toBe(twoDaysAgo.toISOString().slice(0, 10).replaceAll('-', ''))
    expect(Math.abs(new Date(date).getTime() - twoDaysAgo.getTime())).toBeLessThan(3_600_000)
    await clear()
  })

  test('an old pool’s records have no such fields, an upgraded one’s are empty', async () => {
    await inject(80)
    const [upgraded] = Object.values(await certificates())
    expect(upgraded).toMatchObject({ name: 'root.pem', fingerprint_sha256: '', fingerprint_sha1: '' })
    await inject(27)
    const [old] = Object.values(await certificates())
    expect(Object.keys(old)).toEqual(expect.arrayContaining(['fingerprint', 'name', 'not_after']))
    expect(old).not.toHaveProperty('fingerprint_sha256')
    expect(old).not.toHaveProperty('purpose')
    expect(await pool.call('xs1', 'host.get_software_version', await pool.ref('xs1'))).toMatchObject({ xapi: '24.11' })
    await clear()
  })
})
