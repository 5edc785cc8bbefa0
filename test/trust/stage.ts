/** A pool of three, an appliance and an authority, put back to a known state before each test; and what was done, in words. */
import { X509Certificate } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import {
  applyPlan,
  judgeHosts,
  observe,
  preparePlan,
  proveHosts,
  readPoolNow,
  type StepReport,
  type TrustOutcome,
  type TrustRequest,
  undoLast,
} from '../../src/trust/index.js'
import { isApiSet, openPool, type PoolSession } from '../../src/xapi/index.js'
import { buildHostProgram } from '../lab/lab-program.js'
import { TestPool } from '../lab/test-pool.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { HOSTNAME, PASSWORD, startAppliance, type TestAppliance, USER_NAME } from '../server/test-appliance.js'
import { type Issued, issue, issueAuthority } from '../x509/test-authority.js'

export { HOSTNAME, PASSWORD }
export const LEGACY = 'etc/stunnel/certs'
const HOSTS = ['xs1', 'xs2', 'xs3']

export interface PoolState {
  readonly verifies: boolean
  /** Host part of wlb_url; not connected where there is none. */
  readonly connectedTo?: string
}

export class TrustStage {
  readonly pool: TestPool
  readonly folder = mkdtempSync(join(tmpdir(), 'openwlb-trust-'))
  #appliance: TestAppliance | undefined
  #home = 0
  /** Of the journals of this user. */
  configHome = join(this.folder, 'config-0')
  get home(): string {
    return join(this.configHome, 'openwlb')
  }

  /** The proxy's, or the hosts' own. */
  port: number | undefined
  /** Of what the pool connects to, where it is not the appliance's own. */
  appliancePort: number | undefined

  /** Who asks, where that is not root. */
  user: TrustRequest['poolUser'] | undefined

  constructor(pool: TestPool) {
    this.pool = pool
  }

  get appliance(): TestAppliance {
    if (!this.#appliance) throw new Error('the appliance is started before the tests')
    return this.#appliance
  }

  async start(tlsClient: 'node' | 'stunnel'): Promise<void> {
    this.#appliance = await startAppliance()
    await this.pool.up({ hosts: 3, tlsClient, addHosts: [{ name: HOSTNAME, address: OWN_ADDRESS }] })
  }

  async remove(): Promise<void> {
    await this.pool.remove()
    await this.#appliance?.remove()
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** Nothing installed, nothing in the journal, `xs1` coordinator. */
  async reset({ verifies, connectedTo }: PoolState): Promise<void> {
    this.configHome = join(this.folder, `config-${++this.#home}`)
    const names = async (method: string) => {
      const answer = await this.pool.call('xs1', method)
      return isApiSet(answer) ? answer.map(String) : []
    }
    for (const name of new Set([
      ...(await names('pool.certificate_list')),
      ...this.pool.files('xs1', LEGACY).split(' '),
    ]))
      if (name !== '') await this.pool.outcome('xs1', 'pool.uninstall_ca_certificate', name)
    for (const name of await names('pool.crl_list')) await this.pool.call('xs1', 'pool.crl_uninstall', name)
    await this.pool.outcome('xs1', 'pool.deconfigure_wlb')
    await this.verify(false)
    if (connectedTo !== undefined) await this.connect(connectedTo)
    await this.verify(verifies)
  }

  async connect(name: string): Promise<void> {
    const { username, password } = this.pool.document
    const url = `${name}:${this.appliancePort ?? this.appliance.port}`
    await this.pool.call('xs1', 'pool.initialize_wlb', url, USER_NAME, PASSWORD, username, password)
  }

  async verify(value: boolean): Promise<void> {
    const [ref] = Object.values(await this.pool.call('xs1', 'pool.get_all'))
    await this.pool.call('xs1', 'pool.set_wlb_verify_cert', String(ref), value)
  }

  async uuid(): Promise<string> {
    const [record] = Object.values(await this.pool.call('xs1', 'pool.get_all_records'))
    return String(Object(record).uuid)
  }

  /** In place now. */
  certificate(): X509Certificate {
    return new X509Certificate(readFileSync(this.appliance.paths.certificate))
  }

  /** Another certificate for the appliance, in service when this returns. */
  async serve(certificatePem: string, privateKeyPem: string): Promise<void> {
    writeFileSync(this.appliance.paths.key, privateKeyPem, { mode: 0o600 })
    writeFileSync(this.appliance.paths.certificate, certificatePem)
    await this.appliance.reload()
  }

  async open(): Promise<PoolSession> {
    const { address, tlsPort } = this.pool.host('xs1')
    const { username, password: own } = this.pool.document
    const { userName, password } = this.user ?? { userName: username, password: own }
    const trust = { kind: 'none' } as const
    return openPool({ address, port: this.port ?? tlsPort, userName, password, trust, timeoutMs: this.timeoutMs })
  }

  request(change: Partial<TrustRequest> = {}): TrustRequest {
    const { username: userName, password } = this.pool.document
    return {
      goal: 'self-signed',
      files: [],
      resume: false,
      appliance: { host: OWN_ADDRESS, port: this.appliancePort ?? this.appliance.port },
      applianceRoot: this.appliance.root,
      fingerprintSha256: undefined,
      name: undefined,
      allowDown: false,
      wlbUserName: undefined,
      wlbPassword: undefined,
      poolUser: { userName, password },
      home: this.home,
      askFingerprint: async () => false,
      ...change,
    }
  }

  /** What the plan says: `install-root planned, sync already | xs1 accepted predicted`; the obstacles' codes behind. */
  async plan(change: Partial<TrustRequest> = {}): Promise<string> {
    return this.#inWords(async (session) => {
      const { plan } = await preparePlan(session, this.request(change))
      const steps = plan.steps.map(({ order, state }) => `${order.id} ${state}`)
      return [steps.join(', '), describeHosts(plan), ...plan.obstacles.map(({ code }) => code)].join(' | ')
    })
  }

  /** With as much patience as `timeoutMs` says. */
  timeoutMs = 10_000

  async apply(change: Partial<TrustRequest> = {}, onStep?: (step: StepReport) => void): Promise<string> {
    return this.#inWords(async (session) => {
      const request = this.request(change)
      const pool = await readPoolNow(session)
      const outcome = await applyPlan(session, request, pool, async () => true, onStep ? { onStep } : {})
      return outcome ? describeOutcome(outcome) : 'not meant'
    })
  }

  async undo(change: Partial<TrustRequest> = {}): Promise<string> {
    return this.#inWords(async (session) => {
      const outcome = await undoLast(session, this.request(change), await readPoolNow(session), async () => true, {})
      return outcome ? (describeOutcome(outcome).split(' | ')[0] ?? '') : 'not meant'
    })
  }

  /** Certificates of each host's disk, the flag, and the host part of wlb_url. */
  async state(): Promise<string> {
    const [record] = Object.values(await this.pool.call(this.coordinator, 'pool.get_all_records'))
    const { wlb_verify_cert: flag, wlb_url: url } = { wlb_verify_cert: false, wlb_url: '', ...Object(record) }
    const stores = HOSTS.map((host) => this.pool.files(host, LEGACY) || '-')
    return `${[...new Set(stores)].join(' / ')}; verify ${flag}; ${String(url).split(':')[0] || 'not connected'}`
  }

  coordinator = 'xs1'

  /** What each host says when it is asked now. */
  async verdicts(): Promise<string> {
    const session = await this.open()
    try {
      const { appliance, applianceRoot } = this.request()
      const options = {
        now: new Date(),
        ...(appliance && { appliance }),
        ...(applianceRoot !== undefined && { applianceRoot }),
      }
      const connection = await observe(session, options)
      return judgeHosts(connection, await proveHosts(session, connection))
        .map(({ verdict }) => verdict)
        .join(' ')
    } finally {
      await session.close()
    }
  }

  /** Another name of the appliance, known on every host. */
  async resolve(name: string): Promise<void> {
    for (const host of HOSTS) appendFileSync(this.pool.path(host, 'etc/hosts'), `${OWN_ADDRESS}\t${name}\n`)
  }

  /** An apply that is interrupted after a step. */
  async applyUntil(id: string): Promise<string> {
    const stop = new AbortController()
    return this.#inWords(async (session) => {
      const options = { signal: stop.signal, onStep: (step: StepReport) => step.id === id && stop.abort() }
      const outcome = await applyPlan(session, this.request(), await readPoolNow(session), async () => true, options)
      return outcome ? describeOutcome(outcome) : 'not meant'
    })
  }

  async #inWords(work: (session: PoolSession) => Promise<string>): Promise<string> {
    const session = await this.open()
    try {
      return await work(session)
    } catch (error) {
      if (error instanceof WlbError) return error.code
      throw error
    } finally {
      await session.close()
    }
  }
}

export function describeOutcome({ ended, reports, hosts, failure }: TrustOutcome): string {
  const steps = reports.map(({ id, state }) => `${id} ${state}`).join(', ')
  return [steps, describeHosts({ verdicts: hosts }), ended, ...(failure ? [failure.code] : [])].join(' | ')
}

function describeHosts({ verdicts }: { readonly verdicts: TrustOutcome['hosts'] }): string {
  const said = verdicts.map(({ verdict, proof }) => `${verdict} ${proof}`)
  return new Set(said).size === 1
    ? `all ${said[0]}`
    : verdicts.map(({ host }, index) => `${host} ${said[index]}`).join(', ')
}

export function useTrustStage(tlsClient: 'node' | 'stunnel'): TrustStage {
  const stage = new TrustStage(new TestPool(buildHostProgram()))
  beforeAll(() => stage.start(tlsClient))
  afterAll(() => stage.remove())
  return stage
}

/** Files as an operator would name them. */
export function asFiles(files: Readonly<Record<string, string>>): TrustRequest['files'] {
  return Object.entries(files).map(([file, text]) => ({ file, bytes: Buffer.from(text) }))
}

export interface TestAuthority {
  readonly root: Issued
  readonly mid: Issued
  readonly leaf: Issued
  readonly chainPem: string
}

export async function makeAuthority(names: readonly string[] = [HOSTNAME]): Promise<TestAuthority> {
  const root = await issueAuthority({ subject: 'Example Root' })
  const mid = await issueAuthority({ subject: 'Example Issuing', issuer: root })
  const leaf = await issue({ subject: HOSTNAME, issuer: mid, dnsNames: names })
  return { root, mid, leaf, chainPem: leaf.certificatePem + mid.certificatePem + root.certificatePem }
}

/** The self-signed pair the appliance was set up with. */
export function readPair({ paths }: TestAppliance): readonly [certificatePem: string, privateKeyPem: string] {
  return [readFileSync(paths.certificate, 'utf8'), readFileSync(paths.key, 'utf8')]
}
