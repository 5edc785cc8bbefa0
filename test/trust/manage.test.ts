/**
 * Another appliance's pair replaced over a real sshd, served by a real stunnel: to the end, cut at every step, with a service
 * that does not come up again. What is in place and what is served are looked at each time.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { awaitServed, type InstallStep, judgeFiles } from '../../src/identity/index.js'
import type { SshConnection } from '../../src/ssh/index.js'
import {
  digestsOf,
  planReplacement,
  type ReplacementPlan,
  replaceOverSsh,
  restoreOverSsh,
} from '../../src/trust/index.js'
import { placeWithKeys } from '../../src/trust/remote/replace-over-ssh.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { itSamples } from '../sample.js'
import { daysFromNow, type Issued, issue, issueAuthority } from '../x509/test-authority.js'
import { leafFor, type ManagedAppliance, makeAppliance, NAME, pairIn } from './managed-appliance.js'
import { connectTo, type Sshd, startSshd } from './sshd.js'

const program = requirePart('sshd')
const stunnel = requirePart('stunnel')
const isComplete = program !== undefined && stunnel !== undefined

let sshd: Sshd
let appliance: ManagedAppliance
let ssh: SshConnection
let pairs: Readonly<Record<'old' | 'new' | 'other', Issued>>
beforeAll(async () => {
  pairs = { old: await leafFor('old'), new: await leafFor('new'), other: await leafFor('other') }
  if (!isComplete) return
  sshd = await startSshd(program)
  appliance = await makeAppliance(sshd.folder, stunnel)
})
afterAll(async () => {
  appliance?.stop()
  await sshd?.stop()
})

type Name = keyof typeof pairs
const PROOF_MS = 5_000

const plan = (wanted: Name, more: { restartCommand?: string; over?: SshConnection } = {}): Promise<ReplacementPlan> => {
  const { certificatePem, privateKeyPem, certificate } = pairs[wanted]
  return planReplacement(more.over ?? ssh, {
    identity: { certificatePem, privateKeyPem },
    leaf: certificate,
    endpoint: { address: OWN_ADDRESS, port: appliance.port, serverName: NAME, timeoutMs: 2_000 },
    applianceRoot: appliance.root,
    restartCommand: more.restartCommand ?? appliance.reloadCommand,
  })
}

/** The end of it, or the error's code. */
async function carryOut(
  planned: ReplacementPlan,
  onStep: (step: InstallStep) => void | Promise<void> = () => {},
  proofMs = PROOF_MS,
): Promise<string> {
  try {
    return await replaceOverSsh(ssh, planned, { proofMs, onStep })
  } catch (error) {
    if (error instanceof WlbError) return error.code
    throw error
  }
}

/** In place, kept, served, and whether anything was left behind. */
async function look(): Promise<string> {
  const { certificate, key, originalCertificate, originalKey } = appliance.place
  const served = await appliance.served()
  const name = Object.entries(pairs).find(([, one]) => one.certificate.fingerprint256 === served)?.[0] ?? 'nothing'
  const left = appliance.files().filter((file) => /_new|openwlb/.test(file))
  const kept = pairIn(originalCertificate, originalKey, pairs)
  return `${pairIn(certificate, key, pairs)}, kept ${kept}, served ${name}${left.length > 0 ? `, left ${left.join(' ')}` : ''}`
}

/** As a network does it: the other side's process of this session is gone, without a word. */
async function cut(): Promise<void> {
  await ssh.run('kill -9 $PPID').catch(() => {})
}

describe.skipIf(!isComplete)('an appliance over SSH (needs openssh-server, stunnel4)', () => {
  beforeEach(async () => {
    for (const file of appliance.files()) {
      if (file.includes('_orig')) renameSync(join(appliance.place.certificateFolder, file), join(sshd.folder, file))
    }
    if ((await look()) !== 'old, kept none, served old') appliance.serve(pairs.old)
    await awaitServed(
      { address: OWN_ADDRESS, port: appliance.port, timeoutMs: 2_000 },
      pairs.old.certificate.fingerprint256,
      10_000,
    )
    ssh = await connectTo(sshd)
  })
  afterEach(() => ssh.close())

  it('to its end: the pair before kept, the key for root alone, nothing left behind; again, nothing is done', async () => {
    writeFileSync(appliance.place.key, pairs.old.privateKeyPem)
    const planned = await plan('new', { restartCommand: appliance.restartCommand })
    const steps: string[] = []
    expect(await carryOut(planned, ({ id }) => void steps.push(id))).toBe('installed')
    expect(steps.join(', ')).toBe(
      'note, back up, upload certificate, upload key, check, move, protect, restart, prove, finish',
    )
    expect(await look()).toBe('new, kept old, served new')
    expect([appliance.place.certificate, appliance.place.key].map((file) => statSync(file).mode & 0o777)).toEqual([
      0o644, 0o600,
    ])
    const again = await plan('new')
    expect([again.steps, await carryOut(again)]).toEqual([[], 'already so'])
  })

  it('a pair that somebody kept as _orig before is set aside, not written over', async () => {
    const { originalCertificate, originalKey } = appliance.place
    writeFileSync(originalCertificate, 'first')
    writeFileSync(originalKey, 'first key')
    writeFileSync(`${originalCertificate}.1`, 'older')
    expect(await carryOut(await plan('new'))).toBe('installed')
    expect(await look()).toBe('new, kept old, served new')
    const kept = [`${originalCertificate}.1`, `${originalCertificate}.2`, `${originalKey}.2`]
    expect(kept.map((file) => readFileSync(file, 'utf8'))).toEqual(['older', 'first', 'first key'])
  })

  const cuts: [at: InstallStep['id'], left: string, repair: string][] = [
    ['note', 'old, kept none, served old', 'none'],
    ['back up', 'old, kept none, served old, left .openwlb-install', 'nothing was moved'],
    ['upload certificate', 'old, kept old, served old, left .openwlb-install', 'nothing was moved'],
    ['upload key', 'old, kept old, served old, left .openwlb-install server.pem_new', 'nothing was moved'],
    ['check', 'old, kept old, served old, left .openwlb-install server.key_new server.pem_new', 'nothing was moved'],
    ['move', 'old, kept old, served old, left .openwlb-install server.key_new server.pem_new', 'nothing was moved'],
    ['protect', 'new, kept old, served old, left .openwlb-install', 'go on'],
    ['restart', 'new, kept old, served old, left .openwlb-install', 'go on'],
    ['finish', 'new, kept old, served new, left .openwlb-install', 'go on'],
  ]
  itSamples(cuts, 3, 'cut before "%s": %s; the next attempt finds: %s', async (at, left, repair) => {
    const first = await carryOut(await plan('new'), ({ id }) => (id === at ? cut() : undefined))
    expect([first, await look()]).toEqual(['MANAGE_INTERRUPTED', left])
    ssh = await connectTo(sshd)
    const planned = await plan('new')
    expect([planned.repair ?? 'none', await carryOut(planned)]).toEqual([repair, 'installed'])
    expect(await look()).toBe('new, kept old, served new')
  })

  const halves: [wanted: Name, end: string][] = [
    ['new', 'new, kept old, served new'],
    ['other', 'other, kept old, served other'],
  ]
  it.each(halves)(
    'cut between the two moves, then "%s" is wanted: the old pair is put back first',
    async (wanted, end) => {
      const { certificate, key } = appliance.place
      await carryOut(await plan('new'), async ({ id }) => {
        if (id !== 'move') return
        await cut()
        renameSync(`${certificate}_new`, certificate)
      })
      expect(pairIn(certificate, key, pairs)).toBe('others')
      ssh = await connectTo(sshd)
      const planned = await plan(wanted)
      expect([planned.repair, await carryOut(planned), await look()]).toEqual(['put back', 'installed', end])
    },
  )

  it('cut between the two moves, and what was kept is gone: said, and nothing is touched', async () => {
    const { certificate, originalKey } = appliance.place
    await carryOut(await plan('new'), async ({ id }) => {
      if (id !== 'move') return
      await cut()
      renameSync(`${certificate}_new`, certificate)
    })
    renameSync(originalKey, join(sshd.folder, 'gone'))
    ssh = await connectTo(sshd)
    await expect(plan('other')).rejects.toMatchObject({ code: 'MANAGE_NOT_REPAIRABLE' })
    rmSyncIfThere(join(appliance.place.certificateFolder, '.openwlb-install'), `${appliance.place.key}_new`)
  })

  const restarts: [what: string, outcome: string, end: string, command: () => string][] = [
    ['it is not restarted at all', 'MANAGE_ROLLED_BACK', 'old, kept old, served old', () => 'true'],
    [
      'it does not start with the new pair',
      'MANAGE_ROLLED_BACK',
      'old, kept old, served old',
      () => `p='${appliance.place.certificate}'; cmp -s "$p" "$p"_orig || exit 1; ${appliance.reloadCommand}`,
    ],
    [
      'it stops, and does not start again',
      'MANAGE_NOT_PROVED',
      'old, kept old, served nothing',
      () => `${appliance.restartCommand.replace(/;.*/, '')}; exit 1`,
    ],
    [
      'it starts, and stays in the foreground',
      'installed',
      'new, kept old, served new',
      () => `${appliance.reloadCommand}; sleep 1`,
    ],
  ]
  it.each(restarts)('%s: %s: %s', async (_what, outcome, end, command) => {
    const proofMs = outcome === 'installed' ? PROOF_MS : 600
    expect(await carryOut(await plan('new', { restartCommand: command() }), undefined, proofMs)).toBe(outcome)
    expect(await look()).toBe(end)
  })

  it("the pair before is put back, from wherever the way there or the way back was cut; nobody else's is touched", {
    tags: 'long',
  }, async () => {
    const planned = await plan('new')
    const restore = (onStep: (step: InstallStep) => void | Promise<void> = () => {}) =>
      restoreOverSsh(
        ssh,
        {
          before: digestsOf(pairs.old),
          replacedBy: digestsOf(pairs.new),
          endpoint: planned.request.endpoint,
          servedBefore: pairs.old.certificate.fingerprint256,
          applianceRoot: appliance.root,
          restartCommand: appliance.reloadCommand,
        },
        { proofMs: PROOF_MS, onStep },
      ).catch((error: unknown) => (error instanceof WlbError ? error.code : Promise.reject(error)))
    expect([await restore(), await look()]).toEqual(['already so', 'old, kept none, served old'])

    for (const at of ['upload key', 'protect', 'finish']) {
      await carryOut(await plan('new'), ({ id }) => (id === at ? cut() : undefined))
      ssh = await connectTo(sshd)
      expect([await restore(), await look()], `there: ${at}`).toEqual(['restored', 'old, kept old, served old'])
    }
    await carryOut(await plan('new'))
    for (const at of ['note', 'move', 'protect', 'restart', 'finish']) {
      const said = await restore(({ id }) => (id === at ? cut() : undefined))
      expect(said, `back: ${at}`).toBe('RESTORE_INTERRUPTED')
      ssh = await connectTo(sshd)
    }
    expect([await restore(), await look()]).toEqual(['restored', 'old, kept old, served old'])

    await carryOut(await plan('other'))
    expect([await restore(), await look()]).toEqual(['another pair', 'other, kept old, served other'])
    await carryOut(await plan('new')) // which sets the old pair aside
    expect([await restore(), await look()]).toEqual(['RESTORE_NOT_KEPT', 'new, kept other, served new'])
  })

  it('the files are new and the service was not restarted: it is, and nothing is copied', async () => {
    const { certificate, key } = appliance.place
    writeFileSync(certificate, pairs.new.certificatePem)
    writeFileSync(key, pairs.new.privateKeyPem)
    const planned = await plan('new')
    expect(planned.steps.map(({ id }) => id).join(', ')).toBe('note, protect, restart, prove, finish')
    expect([await carryOut(planned), await look()]).toEqual(['installed', 'new, kept none, served new'])
  })

  it('two at once: the one that began later goes on, the other stops', async () => {
    const other = await connectTo(sshd)
    const first = await carryOut(await plan('new'), async ({ id }) => {
      if (id !== 'upload key') return
      await replaceOverSsh(other, await plan('other', { over: other }), { proofMs: PROOF_MS })
    })
    other.close()
    expect([first, await look()]).toEqual(['MANAGE_OVERTAKEN', 'other, kept old, served other'])
  })

  it('a step that fails: everything as it was, and the command and its last words are told', async () => {
    const inTheWay = `${appliance.place.key}_new`
    const steps: string[] = []
    const said = await carryOut(await plan('new'), ({ id }) => {
      steps.push(id)
      if (id === 'upload key') mkdirSync(inTheWay)
    })
    rmdirSync(inTheWay)
    expect([said, steps.at(-1)]).toEqual(['SSH_COMMAND_FAILED', 'upload key'])
    expect(await look()).toBe('old, kept old, served old')
  })

  it('the key travels on standard input, never in a command', async () => {
    const planned = await plan('new')
    const commands = planned.steps.map(({ command }) => command).join('\n')
    expect(commands).not.toContain('PRIVATE KEY')
    expect(planned.steps.filter(({ reads }) => reads === 'key').map(({ id }) => id)).toEqual(['upload key'])
  })
})

function rmSyncIfThere(...files: readonly string[]): void {
  for (const file of files) if (existsSync(file)) renameSync(file, join(sshd.folder, 'taken away'))
}

describe('files for an appliance elsewhere', () => {
  const cases: [
    what: string,
    outcome: string,
    given: () => Promise<{ files: string[]; key?: string; name?: string }>,
  ][] = [
    [
      'chain in any order, key beside it',
      'leaf root',
      async () => ({ files: [await rootPem(), await leafPem()], key: await keyPem() }),
    ],
    [
      'the key among the files',
      'leaf root',
      async () => ({ files: [await keyPem(), await leafPem(), await rootPem()] }),
    ],
    ['no key', 'USAGE_NEEDS_KEY', async () => ({ files: [await leafPem(), await rootPem()] })],
    [
      'another key',
      'CERTIFICATE_KEY_MISMATCH',
      async () => ({ files: [await leafPem(), await rootPem()], key: pairs.other.privateKeyPem }),
    ],
    ['authorities only', 'LEAF_NOT_GIVEN', async () => ({ files: [await rootPem()], key: await keyPem() })],
    [
      'another name',
      'CERTIFICATE_REFUSED',
      async () => ({ files: [await leafPem(), await rootPem()], key: await keyPem(), name: 'wlb2' }),
    ],
    [
      'expired',
      'CERTIFICATE_REFUSED',
      async () => ({ files: [(await expired()).certificatePem], key: (await expired()).privateKeyPem }),
    ],
    ['no issuer', 'CHAIN_INCOMPLETE', async () => ({ files: [await leafPem()], key: await keyPem() })],
  ]
  const root = () => issueAuthority({ subject: 'Example Root' })
  const rootPem = async () => (await root()).certificatePem
  const leafPem = async () => (await leafFor('signed', await root())).certificatePem
  const keyPem = async () => (await leafFor('signed')).privateKeyPem
  const expired = () => issue({ subject: NAME, notBefore: daysFromNow(-9), notAfter: daysFromNow(-2) })

  it.each(cases)('%s: %s', async (_what, outcome, given) => {
    const { files, key, name = NAME } = await given()
    const folder = mkdtempSync(join(tmpdir(), 'openwlb-managed-'))
    const write = (content: string, index: number) => {
      const file = join(folder, `${index}.pem`)
      writeFileSync(file, content)
      return file
    }
    const keyFile = key === undefined ? undefined : write(key, 99)
    const question = { files: files.map(write), keyFile, name, port: 8012, now: new Date() }
    const said = await judgeFiles(
      question,
      placeWithKeys(question, async () => undefined),
    ).then(
      ({ served }) => served.map(({ subject }) => (subject === `CN=${NAME}` ? 'leaf' : 'root')).join(' '),
      (error: unknown) => (error instanceof WlbError ? error.code : String(error)),
    )
    rmSync(folder, { recursive: true })
    expect(said).toBe(outcome)
  })
})
