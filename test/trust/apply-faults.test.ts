/**
 * What happens to plans while they are carried out: kills, losses, strangers; a proxy before the pool brings it about.
 *
 * @module-tag long
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { openPool } from '../../src/xapi/index.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { type Fate, type PoolProxy, type Rule, startProxy } from './proxy.js'
import { startSshd } from './sshd.js'
import { HOSTNAME, PASSWORD, useTrustStage } from './stage.js'

const sshdProgram = requirePart('sshd')
const stage = useTrustStage('node')
const PASS: Rule = () => 'pass'
let proxy: PoolProxy
beforeAll(async () => {
  proxy = await startProxy(stage.pool)
  stage.port = proxy.port
  writeFileSync(join(stage.folder, 'pool-password'), `${stage.pool.document.password}\n`)
  writeFileSync(join(stage.folder, 'wlb-password'), `${PASSWORD}\n`)
})
afterAll(() => proxy.close())
beforeEach(async () => {
  proxy.rule = PASS
  stage.timeoutMs = 10_000
  stage.coordinator = 'xs1'
})
afterEach(() => {
  proxy.rule = PASS
  stage.user = undefined
})

/** The rule for the first request of that method; the others pass. Proofs count once the flag was set: some are asked for a plan. */
function atFirst(method: string, fate: () => Fate | Promise<Fate>): Rule {
  let [isOver, isBegun] = [false, method !== PROOF]
  return ({ method: asked }) => {
    isBegun ||= asked === FLAG
    if (isOver || !isBegun || asked !== method) return 'pass'
    isOver = true
    return fate()
  }
}

const INSTALL = 'pool.certificate_install'
const SYNC = 'pool.certificate_sync'
const FLAG = 'pool.set_wlb_verify_cert'
const CONNECT = 'pool.initialize_wlb'
const PROOF = '/wlb_diagnostics'
const ASK = 'pool.retrieve_wlb_configuration'

const BY_ADDRESS = { verifies: false, connectedTo: OWN_ADDRESS }
const BEFORE = `-; verify false; ${OWN_ADDRESS}`
const GOAL = `wlb.pem; verify true; ${HOSTNAME}`
const withPassword = { wlbPassword: PASSWORD }

/** `wlb` as an operator runs it, through the proxy; its exit code, or null where it was killed. */
async function wlb(words: readonly string[], onStart: (pid: number) => void = () => {}) {
  const { address } = stage.pool.host('xs1')
  const pool = ['--pool', `https://${address}:${proxy.port}`, '--pool-insecure']
  const files = ['--password-file', join(stage.folder, 'pool-password')]
  const wlbPassword = words[0] === 'plan' ? [] : ['--wlb-password-file', join(stage.folder, 'wlb-password')]
  const program = join(import.meta.dirname, '../../dist/wlb.js')
  const args = [program, '--root', stage.appliance.root, 'trust', ...words, ...pool, ...files, ...wlbPassword]
  const appliance = words[0] === 'undo' ? [] : ['--appliance', `${OWN_ADDRESS}:${stage.appliance.port}`]
  const env = { ...process.env, XDG_CONFIG_HOME: stage.configHome }
  const child = spawn(process.execPath, [...args, ...appliance], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  onStart(child.pid ?? 0)
  let stdout = ''
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece
  })
  child.stderr.resume()
  const [exitCode]: (number | null)[] = await once(child, 'close')
  return { stdout, exitCode }
}

describe('kill -9 at every step', () => {
  const points: [at: string, isDone: boolean][] = [
    [INSTALL, false],
    [FLAG, true],
  ]
  const otherPoints: [at: string, isDone: boolean][] = [
    [INSTALL, true],
    [SYNC, false],
    [SYNC, true],
    [FLAG, false],
    [CONNECT, false],
    [CONNECT, true],
    [PROOF, false],
    [ASK, true],
  ]
  const killApply = async (at: string, isDone: boolean) => {
    await stage.reset(BY_ADDRESS)
    let pid = 0
    proxy.rule = atFirst(at, () => {
      process.kill(pid, 'SIGKILL')
      return isDone ? 'pass' : 'cut'
    })
    const { exitCode } = await wlb(['apply', '--goal', 'self-signed', '--yes', '--json'], (started) => {
      pid = started
    })
    expect(exitCode).toBeNull()
    proxy.rule = PASS
    if (!isDone) {
      // that a whole run can be taken back is shown elsewhere
      expect(await stage.apply({ resume: true, goal: undefined, ...withPassword })).toMatch(
        /all accepted host \| done$/,
      )
      return expect(await stage.state()).toBe(GOAL)
    }
    await stage.undo(withPassword)
    expect(await stage.state()).toBe(BEFORE)
  }
  it.each(points)('of apply: %s, carried out by the pool: %s', killApply)
  it.each(otherPoints)('of apply: %s, carried out by the pool: %s', { tags: 'long' }, killApply)

  const UNINSTALL = 'pool.uninstall_ca_certificate'
  /** Three hosts are asked four times: before anything, with the new anchor, with the new certificate, without the old anchor. */
  const exchanges: [at: string, nth: number, isDone: boolean][] = [
    [INSTALL, 1, true],
    [PROOF, 4, false],
    [PROOF, 7, false],
    [UNINSTALL, 1, true],
  ]
  const options = { tags: 'long', timeout: 240_000 }
  test('of a renewal: every host verifies after each, and the same command ends it', options, async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    await stage.apply()
    for (const [at, nth, isDone] of exchanges) {
      let [pid, count] = [0, 0]
      proxy.rule = ({ method }) => {
        if (method !== at || ++count !== nth) return 'pass'
        process.kill(pid, 'SIGKILL')
        return isDone ? 'pass' : 'cut'
      }
      const killed = await wlb(['renew', '--yes', '--json'], (started) => {
        pid = started
      })
      proxy.rule = PASS
      const where = `${at} ${nth}`
      expect(killed.exitCode, where).toBeNull()
      expect(await stage.verdicts(), where).toBe('accepted accepted accepted')
      const { exitCode, stdout } = await wlb(['renew', '--yes', '--json'])
      expect(exitCode, `${where}: ${stdout}`).toBe(0)
    }
    expect(await stage.verdicts()).toBe('accepted accepted accepted')
  })

  const backwards: [at: string, isDone: boolean][] = [
    [CONNECT, false],
    [UNINSTALL, true],
  ]
  it.each(backwards)('of undo: %s, carried out by the pool: %s', async (at, isDone) => {
    await stage.reset(BY_ADDRESS)
    expect(await stage.apply(withPassword)).toMatch(/done$/)
    let pid = 0
    proxy.rule = atFirst(at, () => {
      process.kill(pid, 'SIGKILL')
      return isDone ? 'pass' : 'cut'
    })
    await wlb(['undo', '--yes'], (started) => {
      pid = started
    })
    proxy.rule = PASS
    await stage.undo(withPassword)
    expect(await stage.state()).toBe(BEFORE)
  })
})

describe('a host goes down', () => {
  const steps: [at: string, outcome: RegExp][] = [
    [INSTALL, /^install-self-signed failed \| .* \| failed \| HOST_OFFLINE$/],
    [SYNC, /sync failed \| .* \| failed \| HOST_OFFLINE$/],
    [FLAG, /verification undone, prove failed \| .* \| failed \| HOSTS_DOWN$/],
  ]
  it.each(steps)('at %s: the run ends there, and goes on when it is back', async (at, outcome) => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    proxy.rule = atFirst(at, async (): Promise<Fate> => {
      await stage.pool.fault('kill', 'xs3')
      return 'pass'
    })
    const said = [await stage.apply(), await stage.plan()]
    await stage.pool.fault('start', 'xs3')
    expect(said[0]).toMatch(outcome)
    expect(said[1]).toMatch(/HOSTS_DOWN$/)
    expect(await stage.apply({ resume: true, goal: undefined })).toMatch(/all accepted host \| done$/)
    expect(await stage.state()).toBe(GOAL)
  })

  test('before: refused, or left behind until it is back', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    await stage.pool.fault('stop', 'xs3')
    const said = [await stage.apply(), await stage.apply({ allowDown: true })]
    await stage.pool.fault('start', 'xs3')
    expect(said[0]).toBe('HOSTS_DOWN')
    expect(said[1]).toMatch(
      /^install-self-signed done, .*prove done, .*xs1 accepted host, xs2 accepted host, xs3 .* predicted \| done$/,
    )
    await stage.pool.fault('start', 'xs3')
    expect(await stage.apply(), 'the file without a record').toMatch(
      /^install-self-signed done.*all accepted host \| done$/,
    )
    expect(await stage.state()).toBe(GOAL)
  })
})

describe('what the pool answers', () => {
  const invalid = { refusal: ['SESSION_INVALID', 'OpaqueRef:gone'] } as const
  const survived: [what: string, at: string, fate: Fate][] = [
    ['the session has expired', INSTALL, invalid],
    ['the answer is lost', INSTALL, 'cut after'],
    ['the answer is no JSON', FLAG, 'garble'],
    ['the answer breaks off', 'Certificate.get_all_records', 'half'],
    ['the answer is no JSON', 'pool.get_all_records', 'garble'],
  ]
  it.each(survived)('%s at %s: it goes on', async (_, at, fate) => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    proxy.rule = atFirst(at, () => fate)
    expect(await stage.apply()).toMatch(/all accepted host \| done$/)
    expect(await stage.state()).toBe(GOAL)
  })

  /** The answer that never comes is given up by the asker, and dropped when the test is over. */
  let giveUp: (fate: Fate) => void = () => {}
  const never = () =>
    new Promise<Fate>((resolve) => {
      giveUp = resolve
    })
  const stopped: [what: string, at: string, patienceMs: number, fate: () => Fate | Promise<Fate>, outcome: RegExp][] = [
    ['nothing, ever', INSTALL, 3_000, never, /^install-self-signed failed \|.*API_TIMEOUT$/],
    ['the connection ends', SYNC, 10_000, () => 'cut', /list done, sync failed \|.*API_UNREACHABLE$/],
    ['no JSON', SYNC, 10_000, () => 'garble', /list done, sync failed \|.*RPC_MALFORMED$/],
  ]
  it.each(stopped)('%s at %s: it stops, and goes on when it is told to', async (_, at, patienceMs, fate, outcome) => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    stage.timeoutMs = patienceMs
    proxy.rule = ({ method }) => (method === at ? fate() : 'pass')
    const said = await stage.apply()
    giveUp('cut')
    proxy.rule = PASS
    stage.timeoutMs = 10_000
    expect(said).toMatch(outcome)
    expect(await stage.apply({ resume: true, goal: undefined })).toMatch(/all accepted host \| done$/)
  })

  test('a role that may only look: the plan is made, and an apply says which role is needed', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    const { reader } = stage.pool.document
    if (!reader) throw new Error('the lab has a reader')
    const as = { poolUser: { userName: reader.username, password: reader.password } }
    stage.user = as.poolUser
    expect(await stage.plan(as)).toMatch(/^install-self-signed planned.*all accepted predicted$/)
    expect(await stage.apply(as)).toMatch(/^install-self-signed failed \|.*RBAC_PERMISSION_DENIED$/)
    expect(await stage.state()).toBe(`-; verify false; ${HOSTNAME}`)
  })
})

describe('somebody else', () => {
  test('makes another host coordinator between two steps: it is followed', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    proxy.rule = atFirst(SYNC, async (): Promise<Fate> => {
      await stage.pool.call('xs1', 'pool.designate_new_master', await stage.pool.ref('xs2'))
      stage.coordinator = 'xs2'
      return 'pass'
    })
    expect(await stage.apply()).toMatch(/all accepted host \| done$/)
    expect(await stage.state()).toBe(GOAL)
    await stage.pool.call('xs2', 'pool.designate_new_master', await stage.pool.ref('xs1', 'xs2'))
  })

  test('switches verification off while the hosts are asked: what they said does not count', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    proxy.rule = atFirst(PROOF, async (): Promise<Fate> => {
      await stage.verify(false)
      return 'pass'
    })
    expect(await stage.apply()).toMatch(/verification undone, prove failed .* VERIFICATION_SWITCHED_OFF$/)
    expect(await stage.state()).toBe(`wlb.pem; verify false; ${HOSTNAME}`)
  })

  test('applies at the same time: the second is told of the first', async () => {
    await stage.reset({ verifies: false, connectedTo: HOSTNAME })
    const second: string[] = []
    proxy.rule = atFirst(SYNC, async (): Promise<Fate> => {
      second.push(await stage.apply(), await stage.undo())
      const { stdout, exitCode } = await wlb(['apply', '--goal', 'self-signed', '--yes', '--json'])
      const { error } = JSON.parse(stdout)
      expect(error.facts.pid).toBe(process.pid)
      second.push(`${error.code} ${exitCode}`)
      return 'pass'
    })
    expect(await stage.apply()).toMatch(/all accepted host \| done$/)
    expect(second).toEqual(['TRUST_BUSY', 'TRUST_BUSY', 'TRUST_BUSY 1'])
  })
})

describe('the contract for scripts', () => {
  test('plan, apply, apply again, undo', async () => {
    await stage.reset(BY_ADDRESS)
    const run = async (...words: string[]) => {
      const { stdout, exitCode } = await wlb([...words, '--json'])
      const { ok, steps, hosts } = JSON.parse(stdout)
      const states = new Set(steps.map(({ state }: { state: string }) => state))
      for (const step of steps) expect(step.command).toMatch(/^xe /)
      const proofs = new Set(hosts.map(({ verdict, proof }: Record<string, string>) => `${verdict} ${proof}`))
      return `${exitCode} ${ok}: ${[...states].join(' ')}; ${hosts.length} ${[...proofs].join(' ')}`
    }
    expect(await run('plan', '--goal', 'self-signed')).toBe('0 true: planned; 3 accepted predicted')
    expect(await run('apply', '--goal', 'self-signed', '--yes')).toBe('0 true: done; 3 accepted host')
    expect(await run('apply', '--goal', 'self-signed', '--yes')).toBe('0 true: already; 3 accepted host')
    expect(await run('undo', '--yes')).toMatch(/^0 true: undone done; 3 /)
    expect(await stage.state()).toBe(BEFORE)
  })

  const wrong: [words: string[], code: string][] = [
    [['apply', '--yes'], 'USAGE_NEEDS_GOAL'],
    [['apply', '--goal', 'self-signed'], 'USAGE_NEEDS_YES'],
    [['apply', '--goal', 'self-signed', '--yes', '--root', '/nonexistent'], 'USAGE_NEEDS_FINGERPRINT'],
  ]
  it.each(wrong)('%j exits 2 with %s', async (words, code) => {
    await stage.reset(BY_ADDRESS)
    const { stdout, exitCode } = await wlb([...words, '--json'])
    expect(exitCode).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, steps: [], error: { code } })
  })

  test.skipIf(sshdProgram === undefined)(
    'an appliance elsewhere says over SSH which certificate it has (needs sshd)',
    async () => {
      await stage.reset(BY_ADDRESS)
      const sshd = await startSshd(sshdProgram ?? '')
      const { user, host, port } = sshd.target
      const ssh = ['--ssh', `${user}@${host}:${port}`, '--ssh-key', sshd.key, '--ssh-fingerprint', sshd.fingerprint]
      const words = ['plan', '--goal', 'self-signed', '--json', '--root', '/nonexistent', ...ssh]
      const { stdout, exitCode } = await wlb([...words, '--appliance-root', stage.appliance.root])
      await sshd.stop()
      expect([exitCode, JSON.parse(stdout).ok]).toEqual([0, true])
    },
  )

  test('a member given instead of the coordinator is named', async () => {
    const { address } = stage.pool.host('xs2')
    const access = {
      address,
      port: proxy.port,
      userName: 'root',
      password: '',
      trust: { kind: 'none' },
      timeoutMs: 5_000,
    } as const
    await expect(openPool(access)).rejects.toMatchObject({ code: 'POOL_MEMBER_GIVEN' })
  })
})
