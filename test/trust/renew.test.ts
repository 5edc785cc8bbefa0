/** Certificates exchanged under a client that never stops connecting: every connection verifies, or the exchange is taken back. */
import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it, test } from 'vitest'
import { startSteadyClient } from '../../src/cli/demo/steady-client.js'
import { WlbError } from '../../src/error.js'
import { placeHere, readPoolNow, renew, type StepReport } from '../../src/trust/index.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../x509/test-authority.js'
import { describeOutcome, HOSTNAME, LEGACY, PASSWORD, readPair, useTrustStage } from './stage.js'

const stage = useTrustStage('node')
const NEW_NAME = 'wlb2.lab.internal'
let selfSigned: readonly [certificatePem: string, privateKeyPem: string]
let root: Issued
let other: Issued
const folder = () => join(stage.folder, 'given')

beforeAll(async () => {
  selfSigned = readPair(stage.appliance)
  root = await issueAuthority({ subject: 'Renewal Root' })
  other = await issueAuthority({ subject: 'Another Root' })
  await asSetUp()
})
/** The self-signed certificate of the set-up, trusted by every host. */
async function asSetUp(): Promise<void> {
  await stage.serve(...selfSigned)
  await stage.reset({ verifies: false, connectedTo: HOSTNAME })
  await stage.apply()
}

interface Wish {
  readonly files?: readonly string[]
  readonly keyFile?: string
  readonly name?: string
  readonly wlbPassword?: string
  readonly onStep?: (step: StepReport) => void | Promise<void>
  readonly stopAfter?: string
}

/** `steps | hosts | how it ended`, or the code of why it was not begun. */
async function renewNow({ onStep, stopAfter, files = [], keyFile, ...wish }: Wish = {}): Promise<string> {
  const session = await stage.open()
  const stop = new AbortController()
  try {
    const { appliance, home, poolUser } = stage.request()
    const outcome = await renew(
      session,
      {
        ...{ appliance, home, poolUser, place: placeHere(stage.appliance.root), now: new Date() },
        given: { files, keyFile, passphrase: undefined },
        ...{ name: undefined, wlbUserName: undefined, wlbPassword: undefined, otherPoolsReady: false },
        ...wish,
      },
      await readPoolNow(session),
      async () => true,
      {
        signal: stop.signal,
        onStep: (step) => {
          if (step.id === stopAfter) stop.abort()
          onStep?.(step)
        },
      },
    )
    return outcome ? describeOutcome(outcome) : 'not meant'
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  } finally {
    await session.close()
  }
}

/** As an authority sends it: a leaf for these names, its root, and the key that was made for it. */
async function given(
  names: readonly string[],
  by: Issued,
  change: { notAfter?: Date; label?: string } = {},
): Promise<Wish> {
  const leaf = await issue({
    ...{ subject: names[0] ?? HOSTNAME, issuer: by, dnsNames: names, keyLabel: change.label ?? 'renewed' },
    ...(change.notAfter && { notAfter: change.notAfter, notBefore: daysFromNow(-30) }),
  })
  rmSync(folder(), { recursive: true, force: true })
  mkdirSync(folder())
  const place = (name: string, text: string) => {
    writeFileSync(join(folder(), name), text)
    return join(folder(), name)
  }
  return {
    files: [place('signed_cert.pem', leaf.certificatePem), place('root_ca.pem', by.certificatePem)],
    keyFile: place('privatekey.pem', leaf.privateKeyPem),
  }
}

/** What the steady client found while `work` was done. */
async function underLoad(
  work: () => Promise<string>,
): Promise<{ outcome: string; verified: number; failures: readonly string[] }> {
  const client = startSteadyClient({
    hostRoot: stage.pool.host('xs3').root,
    name: HOSTNAME,
    address: '127.0.0.1',
    port: stage.appliance.port,
  })
  const outcome = await work()
  return { outcome, ...(await client.stop()) }
}

const ALL = 'all accepted host | done'
const PROVED = 'prove-old done, identity done, prove-new done'
const serves = () => new X509Certificate(readPair(stage.appliance)[0])

test('self-signed, made anew: new anchor, proof, exchange, proof, old anchor gone; and all of it taken back', async () => {
  const { outcome, verified, failures } = await underLoad(() => renewNow())
  expect(outcome).toBe(
    `install-self-signed done, list done, sync done, ${PROVED}, uninstall done, sync-last done, prove-last done, ask done | ${ALL}`,
  )
  expect(failures).toEqual([])
  expect(verified).toBeGreaterThan(20)
  expect(await stage.state()).toMatch(/^wlb-[0-9A-F]{8}\.pem; verify true/)
  expect(
    existsSync(join(stage.appliance.root, 'var/lib/openwlb/staged')) &&
      readdirSync(join(stage.appliance.root, 'var/lib/openwlb/staged')),
  ).toEqual([])

  expect(await stage.undo()).toBe('uninstall undone, identity undone, install-self-signed undone, sync done')
  expect(await stage.state()).toBe(`wlb.pem; verify true; ${HOSTNAME}`)
  expect(readPair(stage.appliance)[0]).toBe(selfSigned[0])
})

const refused: [why: string, wish: () => Promise<Wish> | Wish, code: string][] = [
  ['the new certificate lacks the name in use', () => given([NEW_NAME], root), 'CERTIFICATE_REFUSED'],
  [
    'it lacks the new name',
    async () => ({ ...(await given([HOSTNAME], root)), name: NEW_NAME }),
    'CERTIFICATE_REFUSED',
  ],
  [
    'it has the new name and not the old',
    async () => ({ ...(await given([NEW_NAME], root)), name: NEW_NAME }),
    'RENEW_NAME_GAP',
  ],
  ['it has expired', () => given([HOSTNAME], root, { notAfter: daysFromNow(-1) }), 'CERTIFICATE_REFUSED'],
  [
    'no key belongs to it',
    async () => ({ files: (await given([HOSTNAME], root, { label: 'lost' })).files ?? [] }),
    'CERTIFICATE_KEY_MISMATCH',
  ],
]

it.each(refused)('refused before anything is changed: %s', async (_, wish, code) => {
  const before = await stage.state()
  expect(await renewNow(await wish())).toBe(code)
  expect(await stage.state()).toBe(before)
  expect(readPair(stage.appliance)[0]).toBe(selfSigned[0])
})

test('a pool that does not verify has nothing to keep up', async () => {
  await stage.verify(false)
  expect(await renewNow()).toBe('RENEW_NOT_VERIFYING')
  await stage.verify(true)
})

test('from self-signed to an authority, to a new certificate of it, to another authority, and to a new name', async () => {
  const { failures } = await underLoad(async () => {
    expect(await renewNow(await given([HOSTNAME], root))).toBe(
      `install-root done, list done, sync done, ${PROVED}, uninstall done, sync-last done, prove-last done, ask done | ${ALL}`,
    )
    expect(await stage.state()).toBe(`root_ca.pem; verify true; ${HOSTNAME}`)
    expect(
      await renewNow(await given([HOSTNAME], root, { label: 'renewed-2' })),
      'the same root: the pool need not change',
    ).toBe(`list already, sync already, ${PROVED}, prove-last done, ask done | ${ALL}`)
    expect(await renewNow(await given([HOSTNAME], other))).toContain('uninstall done')
    expect(await stage.state()).toMatch(/^root_ca-[0-9A-F]{8}\.pem; verify true/)
    return ''
  })
  expect(failures).toEqual([])
  await stage.resolve(NEW_NAME)
  const wish = {
    ...(await given([NEW_NAME, HOSTNAME], other, { label: 'named' })),
    name: NEW_NAME,
    wlbPassword: PASSWORD,
  }
  expect(await renewNow(wish)).toBe(
    `list already, sync already, ${PROVED}, reconnect done, prove-name done, prove-last done, ask done | ${ALL}`,
  )
  expect(await stage.state()).toMatch(new RegExp(`; verify true; ${NEW_NAME}$`))
})

test('the certificate of an authority is renewed by that authority', async () => {
  expect(await renewNow()).toBe('RENEW_NEEDS_FILES')
})

test('a host that refuses the new certificate: the old one serves again, and every host verifies', async () => {
  await asSetUp()
  const { outcome, failures } = await underLoad(() =>
    renewNow({
      onStep: ({ id }) => {
        // somebody puts back, on one host, what was there before
        if (id === 'prove-old') forgetNewAnchor('xs2')
      },
    }),
  )
  expect(outcome).toMatch(/identity undone, prove-new failed \| .* \| failed \| HOSTS_REFUSE$/)
  expect(failures).toEqual([])
  expect(readPair(stage.appliance)[0]).toBe(selfSigned[0])
  await stage.pool.call('xs1', 'pool.certificate_sync')
  expect(await renewNow(), 'gone on with').toMatch(/identity done, prove-new done, uninstall done.*\| done$/)
})

/** As after a restore of that host from a backup. */
function forgetNewAnchor(host: string): void {
  const names = stage.pool.files(host, LEGACY).split(' ')
  for (const name of names.filter((one) => one !== 'wlb.pem')) rmSync(stage.pool.path(host, `${LEGACY}/${name}`))
  writeFileSync(stage.pool.path(host, 'etc/stunnel/xapi-stunnel-ca-bundle.pem'), selfSigned[0])
}

it.each(['install-self-signed', 'identity', 'prove-new', 'uninstall', 'sync-last'])(
  'stopped after %s: every host verifies, and the next call ends it',
  async (id) => {
    expect(await renewNow({ stopAfter: id })).toMatch(/\| interrupted$/)
    expect(await stage.verdicts()).toBe('accepted accepted accepted')
    const made = serves().fingerprint256
    expect(await renewNow()).toMatch(/\| all accepted host \| done$/)
    if (id === 'identity') expect(serves().fingerprint256, 'the same certificate, not a third one').toBe(made)
  },
)

test('an apply that was cut short is not mixed with a renewal', async () => {
  await stage.reset({ verifies: true, connectedTo: HOSTNAME })
  expect(await stage.applyUntil('install-self-signed')).toMatch(/interrupted$/)
  expect(await renewNow()).toBe('ANOTHER_RUN_OPEN')
})
