/** Certificates exchanged under a client that never stops connecting: every connection verifies, or the exchange is taken back. */

import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { startSteadyClient } from '../../src/cli/demo/steady-client.js'
import { connectSsh, renderSshTarget, type SshConnection } from '../../src/ssh/index.js'
import type { SshReach } from '../../src/trust/index.js'
import {
  type IdentityPlace,
  placeHere,
  placeOverSsh,
  readPoolNow,
  renew,
  type StepReport,
} from '../../src/trust/index.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../x509/test-authority.js'
import { type ManagedAppliance, makeAppliance } from './managed-appliance.js'
import { requestTo, type Sshd, startSshd } from './sshd.js'
import { asFiles, describeOutcome, HOSTNAME, LEGACY, PASSWORD, readPair, useTrustStage } from './stage.js'

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
  readonly place?: IdentityPlace
  readonly ssh?: SshReach
  readonly onStep?: (step: StepReport) => void | Promise<void>
  readonly stopAfter?: string
  /** The answer to the question. */
  readonly isMeant?: boolean
}

/** `steps | hosts | how it ended`, or the code of why it was not begun. */
async function renewNow({
  onStep,
  stopAfter,
  files = [],
  keyFile,
  isMeant = true,
  ...wish
}: Wish = {}): Promise<string> {
  const session = await stage.open()
  const stop = new AbortController()
  try {
    const { appliance, home, poolUser } = stage.request()
    const outcome = await renew(
      session,
      {
        appliance,
        home,
        poolUser,
        place: placeHere(stage.appliance.root),
        now: new Date(),
        given: { files, keyFile, passphrase: undefined },
        name: undefined,
        wlbUserName: undefined,
        wlbPassword: undefined,
        otherPoolsReady: false,
        ...wish,
      },
      await readPoolNow(session),
      async () => isMeant,
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
    subject: names[0] ?? HOSTNAME,
    issuer: by,
    dnsNames: names,
    keyLabel: change.label ?? 'renewed',
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
    address: OWN_ADDRESS,
    port: stage.appliancePort ?? stage.appliance.port,
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
        if (id === 'prove-old') forgetNewAnchor('xs2', selfSigned[0])
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
function forgetNewAnchor(host: string, kept: string): void {
  const names = stage.pool.files(host, LEGACY).split(' ')
  for (const name of names.filter((one) => one !== 'wlb.pem')) rmSync(stage.pool.path(host, `${LEGACY}/${name}`))
  writeFileSync(stage.pool.path(host, 'etc/stunnel/xapi-stunnel-ca-bundle.pem'), kept)
}

const stopAndGoOn = async (id: string) => {
  expect(await renewNow({ stopAfter: id })).toMatch(/\| interrupted$/)
  expect(await stage.verdicts()).toBe('accepted accepted accepted')
  const made = serves().fingerprint256
  expect(await renewNow()).toMatch(/\| all accepted host \| done$/)
  if (id === 'identity') expect(serves().fingerprint256, 'the same certificate, not a third one').toBe(made)
}
const stopped = 'stopped after %s: every host verifies, and the next call ends it'
it.each(['identity'])(stopped, stopAndGoOn)
it.each(['install-self-signed', 'prove-new', 'uninstall', 'sync-last'])(stopped, { tags: 'long' }, stopAndGoOn)

test('keys of renewals killed before they wrote anything down are dropped; not those that an open journal of another pool names', async () => {
  const staged = join(stage.appliance.root, 'var/lib/openwlb/staged')
  const leave = (name: string, ageDays: number) => {
    mkdirSync(join(staged, name), { recursive: true })
    utimesSync(join(staged, name), daysFromNow(-ageDays), daysFromNow(-ageDays))
  }
  leave('aaaaaaaaaaaa', 2)
  leave('.writing-bbbbbbbbbbbb', 2)
  leave('cccccccccccc', 0) // whose renewal may still be asking
  leave('dddddddddddd', 2)
  const identity = { id: 'identity', kind: 'identity', root: stage.appliance.root, staged: 'dddddddddddd' }
  const renewal = { orders: [{ ...identity, before: 'e', how: 'install' }] }
  const request = { goal: 'ca', certificates: [], crls: [], appliance: '', name: '', renewal }
  const pool = { uuid: 'a1b2c3d4-0000-4000-8000-000000000000', name: 'another pool' }
  const record = { version: 1, pool, by: 'renew', startedAt: '', state: 'open', request, entries: [] }
  mkdirSync(join(stage.home, 'journals', pool.uuid), { recursive: true })
  const journal = join(stage.home, 'journals', pool.uuid, '000001.json')
  const asked = async () => renewNow({ ...(await given([HOSTNAME], root, { label: 'renewed-3' })), isMeant: false })

  writeFileSync(journal, 'half')
  expect(await asked()).toBe('not meant')
  expect(readdirSync(staged), 'a journal that cannot be read may name anything').toHaveLength(4)
  writeFileSync(journal, JSON.stringify(record))
  expect(await asked()).toBe('not meant')
  expect(readdirSync(staged).sort()).toEqual(['cccccccccccc', 'dddddddddddd'])
  for (const left of [journal, staged]) rmSync(left, { recursive: true })
})

test('an apply that was cut short is not mixed with a renewal', async () => {
  await stage.reset({ verifies: true, connectedTo: HOSTNAME })
  expect(await stage.applyUntil('install-self-signed')).toMatch(/interrupted$/)
  expect(await renewNow()).toBe('ANOTHER_RUN_OPEN')
})

const sshdProgram = requirePart('sshd')
const stunnel = requirePart('stunnel')

describe.skipIf(sshdProgram === undefined || stunnel === undefined)(
  'an appliance elsewhere, over SSH (needs openssh-server, stunnel4)',
  () => {
    let sshd: Sshd
    let elsewhere: ManagedAppliance
    let old: Issued
    beforeAll(async () => {
      sshd = await startSshd(sshdProgram ?? '')
      elsewhere = await makeAppliance(sshd.folder, stunnel ?? '', stage.appliance.port)
      old = await issue({ subject: HOSTNAME, dnsNames: [HOSTNAME], keyLabel: 'elsewhere' })
      elsewhere.serve(old)
      stage.appliancePort = elsewhere.port
      await stage.reset({ verifies: false, connectedTo: HOSTNAME })
      expect(await stage.apply({ files: asFiles({ 'wlb.pem': old.certificatePem }) })).toMatch(/\| done$/)
    })
    afterAll(async () => {
      for (const made of await Promise.allSettled(connections)) if (made.status === 'fulfilled') made.value.close()
      elsewhere?.stop()
      await sshd?.stop()
    })

    const connections: Promise<SshConnection>[] = []
    /** As if the host's key had been this one. */
    const reach = (hostKey = sshd.hostKeys[0]): SshReach => {
      let connection: Promise<SshConnection> | undefined
      const connect = () => {
        const request = requestTo(sshd)
        writeFileSync(request.knownHosts.own, `[${OWN_ADDRESS}]:${sshd.target.port} ${hostKey}\n`)
        const made = connectSsh(request)
        connections.push(made)
        return made
      }
      return {
        connect: () => {
          connection ??= connect()
          return connection
        },
        restartCommand: undefined,
        proofMs: 5_000,
      }
    }
    const overSsh = (ssh = reach(), root = elsewhere.root): Wish => {
      const where = { target: renderSshTarget(sshd.target), root, restartCommand: elsewhere.reloadCommand }
      return { ssh, place: placeOverSsh(where, ssh) }
    }

    /** What is served, and the files there. */
    const there = async () => {
      const served = await elsewhere.served()
      const name = { [old.certificate.fingerprint256]: 'old', [offered().fingerprint256]: 'given' }[served] ?? served
      return `${name}; ${elsewhere.files().join(' ')}`
    }
    const offered = () => new X509Certificate(readFileSync(join(folder(), 'signed_cert.pem')))
    const PAIR = 'server.key server.pem'
    const KEPT = 'server.key server.key_orig server.pem server.pem_orig'

    const refusedOverSsh: [why: string, code: string, wish: () => Promise<Wish>][] = [
      [
        'the host key has changed',
        'SSH_HOST_KEY_CHANGED',
        async () => ({
          ...(await given([HOSTNAME], root)),
          ...overSsh(reach(readFileSync(`${sshd.key}.pub`, 'utf8'))),
        }),
      ],
      ['no file is given: no key is made there', 'RENEW_NEEDS_FILES', async () => overSsh()],
      [
        'the key is not given',
        'RENEW_NEEDS_KEY',
        async () => ({ files: (await given([HOSTNAME], root)).files ?? [], ...overSsh() }),
      ],
      [
        'the key is that of another certificate',
        'CERTIFICATE_KEY_MISMATCH',
        async () => {
          const wish = await given([HOSTNAME], root)
          writeFileSync(wish.keyFile ?? '', old.privateKeyPem)
          return { ...wish, ...overSsh() }
        },
      ],
      [
        'on that machine lies something else than what is served',
        'RENEW_OTHER_APPLIANCE',
        async () => {
          const wrong = join(sshd.folder, 'another')
          mkdirSync(join(wrong, 'etc/ssl/certs'), { recursive: true })
          writeFileSync(join(wrong, 'etc/ssl/certs/server.pem'), root.certificatePem)
          return { ...(await given([HOSTNAME], root)), ...overSsh(reach(), wrong) }
        },
      ],
    ]
    it.each(refusedOverSsh)('refused before anything is changed: %s: %s', async (_why, code, wish) => {
      await given([HOSTNAME], root)
      const before = [await stage.state(), await there()]
      expect(await renewNow(await wish())).toBe(code)
      expect([await stage.state(), await there()]).toEqual(before)
      expect(before[1]).toBe(`old; ${PAIR}`)
    })

    test('to its end and taken back; the key is in no journal, and the hosts verify all the while', async () => {
      const wish = await given([HOSTNAME], root, { label: 'over-ssh' })
      const { outcome, verified, failures } = await underLoad(() => renewNow({ ...wish, ...overSsh() }))
      expect([outcome, failures.filter(isRefusal)]).toEqual([
        `install-root done, list done, sync done, ${PROVED}, uninstall done, sync-last done, prove-last done, ask done | ${ALL}`,
        [],
      ])
      expect(verified).toBeGreaterThan(10)
      expect(await there()).toBe(`given; ${KEPT}`)
      expect(statSync(elsewhere.place.key).mode & 0o777).toBe(0o600)
      const [, line = ''] = readFileSync(wish.keyFile ?? '', 'utf8').split('\n')
      const written = readdirSync(stage.home, { recursive: true, encoding: 'utf8', withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
      expect(written.length).toBeGreaterThan(0)
      expect(written.filter((text) => text.includes(line) || text.includes('PRIVATE KEY'))).toEqual([])

      const stranger = readFileSync(`${sshd.key}.pub`, 'utf8')
      expect(await stage.undo({ ssh: reach(stranger) }), 'what it needs stays').toBe(
        'uninstall undone, identity failed',
      )
      expect([await stage.verdicts(), await there()]).toEqual(['accepted accepted accepted', `given; ${KEPT}`])
      expect(await stage.undo({ ssh: reach() })).toBe('identity undone, install-root undone, sync done')
      expect([await stage.state(), await there()]).toEqual([`wlb.pem; verify true; ${HOSTNAME}`, `old; ${KEPT}`])
    })

    test('a host that refuses the new certificate: the pair before is back; the same command goes on', {
      tags: 'long',
    }, async () => {
      const wish = await given([HOSTNAME], root, { label: 'over-ssh' })
      const said = await renewNow({
        ...wish,
        ...overSsh(),
        onStep: ({ id }) => {
          if (id === 'prove-old') forgetNewAnchor('xs2', old.certificatePem)
        },
      })
      expect(said).toMatch(/identity undone, prove-new failed \| .* \| failed \| HOSTS_REFUSE$/)
      expect([await stage.verdicts(), await there()]).toEqual(['accepted accepted accepted', `old; ${KEPT}`])
      await stage.pool.call('xs1', 'pool.certificate_sync')
      const elsewhereYet = {
        ...overSsh(),
        place: placeOverSsh({ target: 'root@wlb', root: '/', restartCommand: '' }, reach()),
      }
      expect([await renewNow(overSsh()), await renewNow({ ...wish, ...elsewhereYet })]).toEqual([
        'RENEW_NEEDS_KEY',
        'ANOTHER_RUN_OPEN',
      ])
      expect(await renewNow({ ...wish, ...overSsh() })).toMatch(
        /identity done, prove-new done, uninstall done.*\| done$/,
      )
      expect(await there()).toBe(`given; ${KEPT}`)
    })

    test('kill -9 in the middle of the exchange: every host verifies, and the same command ends it; and undo', {
      tags: 'long',
    }, async () => {
      const { files = [], keyFile = '' } = await given([HOSTNAME], other, { label: 'killed' })
      const before = await elsewhere.served()
      const pidFile = join(sshd.folder, 'wlb.pid')
      const ssh = [
        '--ssh-key',
        sshd.key,
        '--ssh-fingerprint',
        sshd.fingerprint,
        '--ssh-known-hosts',
        `${pidFile}.hosts`,
      ]
      const { user, host, port } = sshd.target
      const place = ['--ssh', `${user}@${host}:${port}`, '--manage', '--appliance-root', elsewhere.root]
      const words = ['renew', ...files, '--key', keyFile, ...place, ...ssh, '--restart-command']
      const note = (pid: number) => writeFileSync(pidFile, String(pid))

      const killed = await wlb([...words, `kill -9 "$(cat ${pidFile})"; exit 1`], note)
      expect(killed.exitCode).toBeNull()
      expect(elsewhere.files()).toContain('.openwlb-install')
      expect([await stage.verdicts(), await elsewhere.served()]).toEqual(['accepted accepted accepted', before])

      const ended = await wlb([...words, elsewhere.reloadCommand])
      expect([ended.exitCode, JSON.parse(ended.stdout)]).toMatchObject([0, { ok: true }])
      expect([await stage.verdicts(), await there()]).toEqual([
        'accepted accepted accepted',
        expect.stringMatching(/^given; (server\.(key|pem)(_orig(\.1)?)? ?)+$/),
      ])
      expect(killed.said + ended.said).not.toContain('PRIVATE KEY')

      const undone = await wlb(['undo', ...ssh, '--restart-command', elsewhere.reloadCommand])
      expect([undone.exitCode, await stage.verdicts(), await elsewhere.served()]).toEqual([
        0,
        'accepted accepted accepted',
        before,
      ])
    })

    test('over SSH nothing is exchanged without --manage: exit 2', async () => {
      const { stdout, exitCode } = await wlb(['renew', 'a.pem', '--ssh', 'root@wlb.example.com'])
      expect([exitCode, stdout]).toEqual([2, expect.stringContaining('USAGE_NEEDS_MANAGE')])
    })

    /** What a stunnel does to connections that wait while it is told to reload is not a host that does not verify. */
    function isRefusal(failure: string): boolean {
      return !/"kind":"(reset|refused)"|"indicator":"Connection refused"/.test(failure)
    }

    /** As an operator runs it; the exit code is null where it was killed. */
    async function wlb(words: readonly string[], onStart: (pid: number) => void = () => {}) {
      const { address, tlsPort } = stage.pool.host('xs1')
      const passwordFile = join(sshd.folder, 'pool-password')
      writeFileSync(passwordFile, `${stage.pool.document.password}\n`)
      const pool = ['--pool', `https://${address}:${tlsPort}`, '--pool-insecure', '--password-file', passwordFile]
      const appliance = ['--appliance', `${OWN_ADDRESS}:${elsewhere.port}`, '--yes', '--json']
      const args = [
        '--liftoff-only',
        join(import.meta.dirname, '../../dist/wlb.js'),
        'trust',
        ...words,
        ...pool,
        ...appliance,
      ]
      const env = { ...process.env, XDG_CONFIG_HOME: stage.configHome, SSH_AUTH_SOCK: '' }
      const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
      onStart(child.pid ?? 0)
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (piece: Buffer) => {
        stdout += piece
      })
      child.stderr.on('data', (piece: Buffer) => {
        stderr += piece
      })
      const [exitCode]: (number | null)[] = await once(child, 'close')
      return { exitCode, stdout, said: stdout + stderr }
    }
  },
)
