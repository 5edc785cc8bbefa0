/** Plans carried out on a pool of three whose hosts connect with stunnel, and taken back. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { run } from '../cli/program.js'
import { fillStore, recordedNames } from '../lab/strangers-pool.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { issueCrl } from '../x509/test-authority.js'
import {
  asFiles,
  HOSTNAME,
  LEGACY,
  makeAuthority,
  PASSWORD,
  readPair,
  type TestAuthority,
  useTrustStage,
} from './stage.js'

const stage = useTrustStage(requirePart('stunnel') ? 'stunnel' : 'node')
let selfSigned: readonly [certificatePem: string, privateKeyPem: string]
let authority: TestAuthority
beforeAll(async () => {
  selfSigned = readPair(stage.appliance)
  authority = await makeAuthority()
})

const BUNDLE = 'etc/stunnel/xapi-stunnel-ca-bundle.pem'
const SELF = 'install-self-signed done, list done, sync done'
const ALL = 'all accepted host | done'

describe('the self-signed certificate', () => {
  beforeEach(async () => {
    await stage.serve(...selfSigned)
  })

  test('a pool that is connected by name: installed, synchronised, switched on, proved', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    expect(await stage.apply()).toBe(`${SELF}, verification done, prove done, ask done | ${ALL}`)
    expect(await stage.state()).toBe(`wlb.pem; verify true; ${HOSTNAME}`)
    for (const host of ['xs1', 'xs2', 'xs3'])
      expect(await stage.pool.call(host, 'pool.certificate_list'), 'the same answer everywhere').toEqual(['wlb.pem'])
    expect(await stage.apply()).toMatch(/^(?:[a-z-]+ already(?:, )?)+ \| all accepted host \| done$/)
    expect(await stage.undo()).toBe('verification undone, install-self-signed undone, sync done')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
    expect(await stage.undo(), 'twice').toBe('')
  })

  test('by IP address: connected again by name, once verified', async () => {
    await stage.reset({ verifies: false, connectedTo: OWN_ADDRESS })
    expect(await stage.apply(), 'without the password').toBe(
      `${SELF}, reconnect failed | all accepted predicted | failed | RECONNECT_NEEDED`,
    )
    expect(await stage.state()).toBe(`wlb.pem; verify false; ${OWN_ADDRESS}`)
    expect(await stage.apply({ resume: true, goal: undefined, wlbPassword: PASSWORD })).toBe(
      'install-self-signed already, list done, sync done, verification done, reconnect done, prove done, ask done' +
        ` | ${ALL}`,
    )
    expect(await stage.state()).toBe(`wlb.pem; verify true; ${HOSTNAME}`)
    expect(await stage.undo({ wlbPassword: PASSWORD })).toBe(
      'reconnect undone, verification undone, install-self-signed undone, sync done',
    )
    expect(await stage.state()).toBe(`-; verify false; ${OWN_ADDRESS}`)
  })

  test('with verification on already and nothing connected: connected too, or left to the operator', async () => {
    await stage.reset({ verifies: true })
    expect(await stage.apply()).toBe(`${SELF}, verification already | all accepted predicted | done`)
    expect(await stage.verdicts(), 'status asks for the same name as the plan').toBe('accepted accepted accepted')
    expect(await stage.apply({ wlbPassword: PASSWORD })).toBe(
      'install-self-signed already, list done, sync done, verification already, connect done, prove done, ask done' +
        ` | ${ALL}`,
    )
    expect(await stage.undo()).toBe('connect undone, sync done')
    expect(await stage.state()).toBe('wlb.pem; verify true; not connected')
  })

  test('a private key in a file meant for the pool is copied nowhere', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    expect(await stage.apply({ files: asFiles({ 'wlb.pem': selfSigned.join('') }) })).toBe('PRIVATE_KEY_IN_TRUST_FILE')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })
})

describe('an authority', () => {
  const files = () => asFiles({ 'ca.pem': authority.mid.certificatePem + authority.root.certificatePem })
  const CHAIN = 'install-root done, install-intermediate done, list done, sync done'
  beforeEach(async () => {
    await stage.serve(authority.chainPem, authority.leaf.privateKeyPem)
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  })

  test('root and intermediate from one file, installed one by one', async () => {
    expect(await stage.apply({ goal: 'ca', files: files() })).toBe(
      `${CHAIN}, verification done, prove done, ask done | ${ALL}`,
    )
    expect(await stage.state()).toBe(`intermediate_ca.pem root_ca.pem; verify true; ${HOSTNAME}`)
    expect(await stage.apply({ goal: 'ca' }), 'what the pool holds needs no file').toContain('install-root already')
    expect(await stage.undo()).toBe('verification undone, install-intermediate undone, install-root undone, sync done')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })

  test('names that are taken by other certificates give way', async () => {
    await stage.pool.call('xs1', 'pool.install_ca_certificate', 'root_ca.pem', selfSigned[0])
    await stage.pool.call('xs1', 'pool.install_ca_certificate', 'odd..--name.pem', authority.mid.certificatePem)
    expect(await stage.apply({ goal: 'ca', files: files() })).toContain('install-intermediate already')
    const piece = authority.root.certificate.fingerprint256.replaceAll(':', '').slice(0, 8)
    expect(await stage.state()).toMatch(
      new RegExp(`^odd\\.\\.--name\\.pem root_ca-${piece}\\.pem root_ca\\.pem; verify true`),
    )
    await stage.undo()
    expect(await stage.state()).toBe(`odd..--name.pem root_ca.pem; verify false; ${HOSTNAME}`)
  })

  test('with a list of another issuer in the pool the list of this one is installed too', async () => {
    await stage.pool.call('xs1', 'pool.crl_install', 'other.pem', await issueCrl(authority.root))
    expect(await stage.apply({ goal: 'ca', files: files() })).toBe('CRL_NEEDED')
    const lists = asFiles({ 'mid.crl': await issueCrl(authority.mid) })
    expect(await stage.apply({ goal: 'ca', files: [...files(), ...lists] })).toMatch(
      /^install-root done, install-intermediate done, install-crl done, .* \| all accepted host \| done$/,
    )
    await stage.undo()
    expect(await stage.pool.call('xs1', 'pool.crl_list')).toEqual(['other.pem'])
  })

  test('what cannot verify is refused in the words of the pool, and nothing is installed', async () => {
    const said = stage.apply({ goal: 'ca', files: files(), name: 'other.lab.internal' })
    expect(await said).toBe('GOAL_CANNOT_VERIFY')
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })

  test('a host that refuses takes the flag back: the trial, and the sync that mends it', async () => {
    const breakStore = ({ id }: { readonly id: string }) => {
      if (id === 'sync') writeFileSync(stage.pool.path('xs3', BUNDLE), 'this is no certificate')
    }
    expect(await stage.apply({ goal: 'ca', files: files() }, breakStore)).toBe(
      `${CHAIN}, verification undone, prove failed | xs1 accepted host, xs2 accepted host, xs3 refused host | failed | HOSTS_REFUSE`,
    )
    expect(await stage.state()).toContain('verify false')
    expect(await stage.apply({ goal: 'ca', resume: true })).toContain(ALL)
    expect(await stage.state()).toContain('verify true')
  })
})

test('xen-api, watching, sees the certificate come and the flag change', async () => {
  await stage.serve(...selfSigned)
  await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  const { Xapi } = await import('xen-api')
  const { address, tlsPort } = stage.pool.host('xs1')
  const { username: user, password } = stage.pool.document
  const options = { auth: { user, password }, allowUnauthorized: true, transport: 'json-rpc', debounce: 1 }
  const xapi = new Xapi({ url: `https://${address}:${tlsPort}`, ...options })
  try {
    await xapi.connect()
    await xapi.objectsFetched
    const seen = new Set<string>()
    const note = (
      changed: Readonly<Record<string, { readonly $type?: string; readonly name?: string } | undefined>>,
    ) => {
      for (const record of Object.values(changed)) seen.add(`${record?.$type ?? ''} ${record?.name ?? ''}`.trim())
    }
    xapi.objects.on('add', note).on('update', note)
    expect(await stage.apply()).toMatch(/all accepted host \| done$/)
    await xapi.barrier()
    expect([...seen]).toEqual(expect.arrayContaining(['Certificate wlb.pem', 'pool', 'task']))
  } finally {
    await xapi.disconnect()
  }
  await stage.undo()
})

test('every host of the test has the same store in the end', () => {
  expect(new Set(['xs1', 'xs2', 'xs3'].map((host) => stage.pool.files(host, LEGACY))).size).toBe(1)
})

/** The program, as a script calls it. */
async function wlb(...words: string[]) {
  const { address, tlsPort } = stage.pool.host('xs1')
  const passwordFile = join(stage.folder, 'pw')
  writeFileSync(passwordFile, stage.pool.document.password)
  const pool = ['--pool', `https://${address}:${tlsPort}`, '--pool-insecure', '--password-file', passwordFile]
  const { stdout, exitCode } = await run('wlb', ['--root', stage.appliance.root, ...words, ...pool, '--json'])
  return { exitCode, said: JSON.parse(stdout) }
}

/** The last test: what it puts into the stores stays there. */
test('a pool of another person: 200 certificates under odd names, none of them touched or in the way', {
  tags: 'long',
}, async () => {
  await stage.serve(...selfSigned)
  await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  const before = await fillStore(stage.pool, 200)
  expect(await stage.apply()).toBe(`${SELF}, verification done, prove done, ask done | ${ALL}`)
  const { exitCode, said } = await wlb('trust', 'status')
  expect([exitCode, said.ok, said.installed.length]).toEqual([0, true, 201])
  const doctor = await wlb('doctor')
  const found = doctor.said.findings.map(({ code, evidence }: Record<string, string>) => `${code}: ${evidence}`)
  expect([doctor.exitCode, found]).toEqual([
    0,
    [expect.stringMatching(/^EXPIRES_SOON: wlb.pem, installed: [^,]*$/), expect.stringMatching(/^NOT_IN_USE/)],
  ])

  const added = (await recordedNames(stage.pool)).filter((name) => !before.has(name))
  expect(added).toEqual([expect.stringMatching(/^wlb-[0-9A-F]{8}\.pem$/)])
  for (const host of ['xs1', 'xs2', 'xs3']) {
    expect(new Set(stage.pool.fileNames(host, LEGACY))).toEqual(new Set([...before.keys(), ...added]))
    // a pool leaves out the last newline of what it copies
    for (const [name, pem] of before)
      expect(stage.pool.text(host, `${LEGACY}/${name}`).trimEnd(), `${host} ${name}`).toBe(pem.trimEnd())
  }
  expect(await stage.undo()).toBe('verification undone, install-self-signed undone, sync done')
  expect(new Set(await recordedNames(stage.pool))).toEqual(new Set(before.keys()))
})
