/**
 * The appliance's side of the catalogue, row by row, as two hosts of one pool see it: the coordinator connects with our own client,
 * the member with stunnel where it is installed. Each is asked for diagnostics, and its task says what became of it.
 */
import { readFileSync, statSync } from 'node:fs'
import { get } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openLog } from '../../src/config/index.js'
import { readStatus } from '../../src/identity/index.js'
import { APPLIANCE_FAULTS, serveFromAuthority } from '../../src/lab/faults/appliance-faults.js'
import { layoutOf, readSettings, writeSettings } from '../../src/lab/host/host-files.js'
import { labDown, labFault, labUp } from '../../src/lab/index.js'
import { hostRoot } from '../../src/lab/launcher/lab-file.js'
import { FAULTLESS } from '../../src/lab/stand-in/behaviour.js'
import { clearStandIn } from '../../src/lab/stand-in/stand-in.js'
import { readState, standInLayout, writeState } from '../../src/lab/stand-in/stand-in-files.js'
import { serve } from '../../src/server/index.js'
import { connectXenApi, type XenApiClient } from '../../src/xapi/index.js'
import { run } from '../cli/program.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { itSamples } from '../sample.js'
import { HOSTNAME, PASSWORD, startAppliance, type TestAppliance, USER_NAME } from '../server/test-appliance.js'
import { buildHostProgram, buildStandInProgram } from './lab-program.js'

const hostProgram = buildHostProgram()
const standInProgram = buildStandInProgram()
const stunnel = requirePart('stunnel')

const silent = openLog({ write: () => {} })

let appliance: TestAppliance
let hosts: readonly { readonly name: string; readonly address: string; readonly plainPort: number }[]
let api: XenApiClient
let session = ''

beforeAll(async () => {
  appliance = await startAppliance()
  const { root } = appliance
  const addHosts = [{ name: HOSTNAME, address: OWN_ADDRESS }]
  const { document } = await labUp({ root, hosts: 2, addHosts, hostProgram, refusalDelayMs: 1 })
  hosts = document.hosts
  if (stunnel) {
    const layout = layoutOf(document.hosts[1]?.root ?? '')
    await labFault({ root, action: 'stop', host: 'xs2', hostProgram })
    await writeSettings(layout, { ...(await readSettings(layout)), tlsClient: 'stunnel' })
    await labFault({ root, action: 'start', host: 'xs2', hostProgram })
  }
  const [first] = document.hosts
  if (!first) throw new Error('a lab has a host')
  const trust = { kind: 'first-use' } as const
  api = await connectXenApi({ address: first.address, port: first.tlsPort, trust, timeoutMs: 30_000 })
  session = String(await api.call('session.login_with_password', 'root', document.password, '2.21', 'test'))
  const [pool] = Object.values(Object(await api.call('pool.get_all', session)))
  await api.call('pool.set_other_config', session, String(pool), { wlb_reports_timeout: '5' })
  const pem = readFileSync(appliance.paths.certificate, 'utf8')
  await api.call('pool.install_ca_certificate', session, 'wlb.pem', pem)
  const url = `${HOSTNAME}:${appliance.port}`
  await api.call('pool.initialize_wlb', session, url, USER_NAME, PASSWORD, 'root', document.password)
  await api.call('pool.set_wlb_verify_cert', session, String(pool), true)
})
afterAll(async () => {
  await clearStandIn(appliance.root)
  api?.close()
  await labDown(appliance.root)
  await appliance.remove()
})

const order = () => ({ root: appliance.root, now: new Date(), program: standInProgram })
const inject = async (...rows: number[]) => {
  for (const row of rows) await APPLIANCE_FAULTS.get(row)?.inject(order())
}

/** What the host answers, then what its task says: `200 openwlb diagnostics`, or `500 SSL_VERIFY_ERROR ...`. */
async function diagnose({ address, plainPort }: (typeof hosts)[number]): Promise<string> {
  const task = String(await api.call('task.create', session, 'diagnostics', ''))
  const query = `session_id=${session}&task_id=${task}`
  const said = await new Promise<string>((resolve, reject) => {
    get(`http://${address}:${plainPort}/wlb_diagnostics?${query}`, { agent: false }, async (response) => {
      let text = ''
      for await (const piece of response.setEncoding('utf8')) text += piece
      resolve(`${response.statusCode} ${response.statusCode === 200 ? text.slice(0, 19) : ''}`.trim())
    }).on('error', reject)
  })
  const record = Object(await api.call('task.get_record', session, task))
  await api.call('task.destroy', session, task)
  return [said, ...(record.status === 'failure' ? record.error_info : [])].join(' ')
}

const ACCEPTED = '200 openwlb diagnostics'
const verify = (text: string) => `500 SSL_VERIFY_ERROR Pre-verification error: ${text}`

/** Nothing is wrong any more, and everything still in place: the next row comes sooner than after `clear`. */
async function forget(): Promise<void> {
  const layout = standInLayout(appliance.root)
  await writeState(layout, { ...(await readState(layout)), behaviour: FAULTLESS })
}

test('before anything is wrong both hosts are served', async () => {
  expect(await Promise.all(hosts.map(diagnose))).toEqual([ACCEPTED, ACCEPTED])
})

/** `xe` as it is typed on that host. */
const xe = (host: string, ...args: string[]) => run('xe', args, { XE_ROOT: hostRoot(appliance.root, host) })

test.each(['xs1', 'xs2'])('xe pool-retrieve-wlb-diagnostics on %s', async (host) => {
  const shown = await xe(host, 'pool-retrieve-wlb-diagnostics')
  expect(shown).toEqual({
    stdout: expect.stringMatching(/^openwlb diagnostics: .*\n(.+: .+\n)+/),
    stderr: '',
    exitCode: 0,
  })
  const file = join(appliance.root, `${host}.txt`)
  const saved = await xe(host, 'pool-retrieve-wlb-diagnostics', `filename=${file}`)
  expect(saved).toEqual({ stdout: 'WLB diagnostics download succeeded\n', stderr: '', exitCode: 0 })
  expect(readFileSync(file, 'utf8')).toContain('certificate subject: CN=wlb.lab.internal\n')
})

test('xe pool-retrieve-wlb-diagnostics on a member that cannot verify: its own error, and the coordinator is served', async () => {
  await labFault({ root: appliance.root, action: 'corrupt-bundle', host: 'xs2', hostProgram })
  const [good, bad] = await Promise.all(['xs1', 'xs2'].map((host) => xe(host, 'pool-retrieve-wlb-diagnostics')))
  await api.call('pool.certificate_sync', session)
  expect(good?.exitCode).toBe(0)
  expect(bad).toEqual({ stdout: '', stderr: expect.stringContaining('configuration failed'), exitCode: 1 })
})

test('a session nobody has opened is refused, and its task says so', async () => {
  const task = String(await api.call('task.create', session, 'diagnostics', ''))
  const [host] = hosts
  const query = `session_id=OpaqueRef:nobody&task_id=${task}`
  const status = await new Promise((resolve, reject) => {
    get(`http://${host?.address}:${host?.plainPort}/wlb_diagnostics?${query}`, { agent: false }, (response) => {
      resolve(response.resume().statusCode)
    }).on('error', reject)
  })
  const { error_info } = Object(await api.call('task.get_record', session, task))
  expect([status, error_info]).toEqual([401, ['SESSION_AUTHENTICATION_FAILED']])
})

describe('one row, as both hosts see it', () => {
  const cases: [row: number, cause: string, outcome: string][] = [
    [1, 'leaf expired', verify('certificate has expired')],
    [2, 'intermediate expired', verify('certificate has expired')],
    [4, 'leaf not valid yet', verify('certificate is not yet valid')],
    [6, 'another common name, no SAN', '500 SSL_VERIFY_ERROR Subject checks failed'],
    [7, 'the right common name, another SAN', '500 SSL_VERIFY_ERROR Subject checks failed'],
    [14, 'a wildcard one level too high', '500 SSL_VERIFY_ERROR Subject checks failed'],
    [15, 'intermediate not sent', verify('unable to get local issuer certificate')],
    [16, 'leaf, root, intermediate', ACCEPTED],
    [17, 'root first in the file', ACCEPTED],
    [18, 'blocks joined in the file', ACCEPTED],
    [19, 'root not installed', verify('self-signed certificate in certificate chain')],
    [20, 'the root has a new key', verify('certificate signature failure')],
    [24, 'self-signed, not installed', verify('self-signed certificate')],
    [25, 'self-signed, made anew', verify('self-signed certificate')],
    [26, 'self-signed without authority flags, installed', ACCEPTED],
    [40, 'the key of another', ACCEPTED],
    [41, 'the key encrypted', ACCEPTED],
    [42, 'the key readable by others', ACCEPTED],
    [43, 'leaf RSA 1024', verify('EE certificate key too weak')],
    [44, 'intermediate RSA 1024', verify('CA certificate key too weak')],
    [45, 'leaf signed with SHA-1', verify('CA signature digest algorithm too weak')],
    [46, 'ECDSA key', '500 WLB_CONNECTION_RESET'],
    [47, 'TLS 1.3 only', '500 WLB_CONNECTION_RESET'],
    [48, 'TLS 1.1 at most', '500 WLB_CONNECTION_RESET'],
    [49, 'neither of the two suites', '500 WLB_CONNECTION_RESET'],
    [50, 'not the one curve', '500 WLB_CONNECTION_RESET'],
    [51, 'a client certificate demanded', '500 WLB_CONNECTION_RESET'],
    [52, 'EKU without serverAuth', verify('unsuitable certificate purpose')],
    [53, 'keyUsage keyCertSign only', verify('unsuitable certificate purpose')],
    [54, 'intermediate without keyCertSign', verify('invalid CA certificate')],
    [55, 'intermediate CA:FALSE', verify('invalid CA certificate')],
    [56, 'path too long', verify('path length constraint exceeded')],
    [57, 'name constraints', verify('permitted subtree violation')],
    [58, 'revoked', verify('certificate revoked')],
    [65, 'nobody listens', '500 WLB_CONNECTION_REFUSED'],
    [66, 'silence', '500 WLB_TIMEOUT 5.'],
    [67, 'plain HTTP', '500 WLB_CONNECTION_RESET'],
    [69, 'another machine', verify('self-signed certificate in certificate chain')],
    [71, 'the old certificate is still served', verify('certificate has expired')],
    [74, 'a proxy signs anew', verify('unable to get local issuer certificate')],
  ]
  itSamples(cases, 4, 'row %i, %s: %s', async (row, _cause, outcome) => {
    await inject(row)
    const seen = await Promise.all(hosts.map(diagnose))
    await forget()
    expect(seen).toEqual([outcome, outcome])
  })

  test('the table and the faults have the same rows', () => {
    expect([...APPLIANCE_FAULTS.keys()]).toEqual([...cases.map(([row]) => row), 75])
  })
})

test('a certificate for the full name, and row 75, the password was changed', async () => {
  await serveFromAuthority(order(), 0)
  expect(await Promise.all(hosts.map(diagnose))).toEqual([ACCEPTED, ACCEPTED])
  await inject(75)
  const refused = '500 WLB_AUTHENTICATION_FAILED'
  expect(await Promise.all(hosts.map(diagnose))).toEqual([refused, refused])
  await clearStandIn(appliance.root)
})

describe('several rows at once', () => {
  const cases: [rows: number[], outcome: string][] = [
    [[1, 65], '500 WLB_CONNECTION_REFUSED'],
    [[4, 46], '500 WLB_CONNECTION_RESET'],
    [[1, 6], verify('certificate has expired')],
    [[58, 1], verify('certificate revoked')],
    [[1, 75], verify('certificate has expired')],
    [[40, 1], verify('certificate has expired')],
  ]
  itSamples(cases, 3, 'rows %j: %s', async (rows, outcome) => {
    await inject(...rows)
    const seen = await Promise.all(hosts.map(diagnose))
    await forget()
    expect(seen).toEqual([outcome, outcome])
  })
})

/** Everything a fault may change, on either side. */
async function describeStage() {
  const { certificate, key, settings } = appliance.paths
  const { listener } = await readStatus(appliance.root)
  return {
    files: [certificate, key, settings].map((path) => [readFileSync(path, 'utf8'), statSync(path).mode & 0o777]),
    listener: [listener.address, listener.port, 'fingerprintSha256' in listener && listener.fingerprintSha256],
    certificates: await certificatesOfPool(),
    crls: await api.call('pool.crl_list', session),
    outcomes: await Promise.all(hosts.map(diagnose)),
  }
}

async function certificatesOfPool(): Promise<unknown[]> {
  const records = Object.values(Object(await api.call('Certificate.get_all_records', session)))
  return records.map((record) => Object(record).name).filter((name) => name !== '')
}

describe('cleared, everything is as it was', () => {
  let before: Awaited<ReturnType<typeof describeStage>>
  beforeAll(async () => {
    await clearStandIn(appliance.root)
    before = await describeStage()
  })

  const cases: [rows: number[]][] = [[[1, 25, 58]], [[42, 65]], [[71, 75]]]
  itSamples(cases, 3, 'after rows %j', async (rows) => {
    await inject(...rows)
    await clearStandIn(appliance.root)
    expect(await describeStage()).toEqual(before)
  })

  test('though the stand-in died, or there was nothing wrong at all', async () => {
    await inject(1)
    process.kill(Number(readFileSync(standInLayout(appliance.root).pidFile, 'utf8')), 'SIGKILL')
    await clearStandIn(appliance.root)
    await clearStandIn(appliance.root)
    expect(await describeStage()).toEqual(before)
  })

  test('though the appliance was started again meanwhile, which cannot have its port', { tags: 'long' }, async () => {
    const { root } = appliance
    await inject(1)
    await appliance.close()
    await expect(serve({ root, log: silent })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
    await expect(inject(2)).rejects.toMatchObject({ code: 'LAB_STAND_IN_FAILED' })
    await clearStandIn(root)
    const again = await serve({ root, log: silent })
    try {
      expect(await describeStage()).toEqual(before)
    } finally {
      await again.close()
    }
  })
})
