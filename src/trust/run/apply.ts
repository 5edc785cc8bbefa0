/**
 * The whole of `wlb trust plan`, `apply` and `undo` but the words: look, let somebody vouch, plan; then one process at a
 * time carries it out, or takes it back.
 */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { paths } from '../../config/index.js'
import { readCertificateFiles } from '../../identity/index.js'
import { type NamedBytes, readContainers } from '../../x509/index.js'
import type { PoolSession } from '../../xapi/pool/pool-session.js'
import type { WlbAddress } from '../../xapi/pool/wlb-address.js'
import type { Connection, HostVerdict } from '../connection/connection.js'
import { type ObserveOptions, observe } from '../connection/observe.js'
import { judgeHosts, withoutProofs } from '../connection/predict.js'
import { proveHosts } from '../connection/prove.js'
import { fail } from '../errors.js'
import { decideTrust, type GoalKind, type Trusted } from '../plan/decide-trust.js'
import { type Material, readMaterial } from '../plan/material.js'
import { makePlan, type Plan } from '../plan/plan.js'
import type { SshReach } from '../remote/replace-over-ssh.js'
import { type Journal, type JournalRecord, openJournal, readKnownCertificates, readLastRun } from './journal.js'
import { openEntries, type RunOptions, type RunOutcome, runSteps, undoSteps } from './run-steps.js'
import type { World } from './steps/step.js'

export interface TrustRequest {
  /** Undefined only with `resume`, which knows it from the journal. */
  readonly goal: GoalKind | undefined
  readonly files: readonly NamedBytes[]
  readonly resume: boolean
  readonly appliance: WlbAddress | undefined
  readonly applianceRoot: string | undefined
  readonly fingerprintSha256: string | undefined
  readonly name: string | undefined
  readonly allowDown: boolean
  readonly wlbUserName: string | undefined
  readonly wlbPassword: string | undefined
  readonly poolUser: World['poolUser']
  /** Where this user's journals are kept. */
  readonly home: string
  /** Of the appliance, as it says itself over another way than the one it is seen by; asked only where nobody else vouches. */
  readonly statedFingerprint?: () => Promise<string | undefined>
  /** For what is to be done on an appliance elsewhere. */
  readonly ssh?: SshReach
  /** A person compares; nobody there is an error of the caller's. */
  readonly askFingerprint: (seen: string, leaf: X509Certificate) => Promise<boolean>
}

export interface Prepared {
  readonly connection: Connection
  readonly plan: Plan
  /** Who said that these certificates are the right ones. */
  readonly trusted: Trusted
}

/**
 * Looks at everything and plans; changes nothing.
 *
 * @throws what `readMaterial`, `decideTrust` and `observe` throw; NOTHING_TO_RESUME; NOT_VOUCHED where a person said no.
 */
export async function preparePlan(session: PoolSession, request: TrustRequest): Promise<Prepared> {
  const given = readMaterial(request.files) // before anything else: a key among the files ends it here
  const connection = await look(session, request)
  const last = request.resume ? await readLastRun(connection.pool.uuid, request.home) : undefined
  const resumed = resumeWith(request, given, last)
  const [trusted, proofs] = await Promise.all([vouch(connection, request, resumed), proveHosts(session, connection)])
  const { wlbUserName, wlbPassword, allowDown, poolUser } = request
  const goal = {
    kind: resumed.goal,
    ...(resumed.name !== undefined && { name: resumed.name }),
    allowDown,
    ...(wlbUserName !== undefined && { wlbUserName }),
    hasWlbPassword: wlbPassword !== undefined,
    poolUserName: poolUser.userName,
  }
  return { connection, plan: makePlan(connection, proofs, goal, trusted, resumed.given), trusted }
}

export interface TrustOutcome extends RunOutcome {
  readonly hosts: readonly HostVerdict[]
}

/**
 * Carries a plan out, one process at a time. `prepare` is called with the pool's journal locked, so that what was planned
 * is what is there.
 *
 * @throws TRUST_BUSY, ANOTHER_RUN_OPEN, what `preparePlan` throws, and the plan's first obstacle.
 */
export async function applyPlan(
  session: PoolSession,
  request: TrustRequest,
  pool: { readonly uuid: string; readonly name: string },
  isMeant: (prepared: Prepared) => Promise<boolean>,
  options: RunOptions,
): Promise<(TrustOutcome & { readonly plan: Plan }) | undefined> {
  return withJournal(pool, request.home, async (journal) => {
    if (journal.last?.state === 'open' && journal.last.request?.renewal)
      throw fail('ANOTHER_RUN_OPEN', { run: `wlb trust ${journal.last.by}` })
    const prepared = await preparePlan(session, request)
    const { plan } = prepared
    const [obstacle] = plan.obstacles
    if (obstacle) throw obstacle
    if (!(await isMeant(prepared))) return undefined
    let hosts = withoutProofs(prepared.connection, plan.verdicts)
    const world: World = {
      ...(await worldOf(session, request)),
      onVerdicts: (verdicts) => {
        hosts = verdicts
      },
    }
    journal.begin('apply', plan.request, new Date())
    const outcome = await runSteps(
      plan.steps.map(({ order }) => order),
      world,
      journal,
      options,
    )
    return { ...outcome, hosts, plan }
  })
}

/**
 * Takes back what the last run that changed something did.
 *
 * @throws TRUST_BUSY, UNDO_OTHER_POOLS.
 */
export async function undoLast(
  session: PoolSession,
  request: UndoRequest,
  pool: { readonly uuid: string; readonly name: string },
  isMeant: (journal: Journal) => Promise<boolean>,
  options: RunOptions,
): Promise<TrustOutcome | undefined> {
  return withJournal(pool, request.home, async (journal) => {
    if (!request.otherPoolsReady) await refuseForOthers(journal, pool.uuid, request.home)
    if (openEntries(journal).length > 0 && !(await isMeant(journal))) return undefined
    const world = await worldOf(session, request)
    const outcome = await undoSteps(world, journal, options)
    const connection = await world.observe()
    return { ...outcome, hosts: judgeHosts(connection, await proveHosts(session, connection)) }
  })
}

export interface UndoRequest extends Omit<TrustRequest, 'goal' | 'files' | 'resume' | 'askFingerprint'> {
  /** The operator has made the other pools trust the certificate before. */
  readonly otherPoolsReady?: boolean
}

/** What an appliance did in all its pools: those that parted with the anchor before would refuse what is put back. */
async function refuseForOthers({ last }: Journal, uuid: string, home: string): Promise<void> {
  const others = (last?.request?.renewal?.together ?? []).filter((one) => one !== uuid)
  const parted: string[] = []
  for (const other of others) {
    const run = await readLastRun(other, home)
    const isTogether = run?.request?.renewal?.together !== undefined
    if (isTogether && openEntries({ last: run }).some(({ order }) => order.kind === 'uninstall')) parted.push(other)
  }
  if (parted.length > 0 && openEntries({ last }).length > 0)
    throw fail('UNDO_OTHER_POOLS', { pools: parted.join(', ') })
}

export async function withJournal<T>(
  pool: { readonly uuid: string; readonly name: string },
  home: string,
  work: (journal: Journal) => Promise<T>,
): Promise<T> {
  const journal = await openJournal(pool, home)
  try {
    return await work(journal)
  } finally {
    await journal.close()
  }
}

export type Looking = Pick<TrustRequest, 'appliance' | 'applianceRoot' | 'home'>

export async function look(session: PoolSession, { appliance, applianceRoot, home }: Looking): Promise<Connection> {
  const options: Omit<ObserveOptions, 'now'> = {
    known: await readKnownCertificates(home),
    ...(appliance && { appliance }),
    ...(applianceRoot !== undefined && { applianceRoot }),
  }
  return observe(session, { ...options, now: new Date() })
}

export async function worldOf(
  session: PoolSession,
  request: Looking & Pick<TrustRequest, 'allowDown' | 'poolUser' | 'wlbPassword' | 'ssh'>,
): Promise<World> {
  const { allowDown, poolUser, wlbPassword, ssh } = request
  return { session, observe: () => look(session, request), allowDown, poolUser, wlbPassword, ...(ssh && { ssh }) }
}

interface Resumed {
  readonly goal: GoalKind
  readonly given: Material
  readonly name: string | undefined
  /** From the journal, not from files. */
  readonly isStored: boolean
}

/** What was typed counts; what was not typed is as it was when the run was cut short. */
function resumeWith({ goal, name }: TrustRequest, given: Material, last: JournalRecord | undefined): Resumed {
  const before = last?.state === 'undone' ? undefined : last?.request
  const chosen = goal ?? before?.goal
  if (chosen === undefined) throw fail('NOTHING_TO_RESUME', { missing: '--goal' })
  if (!before || before.goal !== chosen || given.certificates.length > 0)
    return { goal: chosen, given, name, isStored: false }
  const stored = readMaterial([
    { file: 'the journal', bytes: Buffer.from([...before.certificates, ...before.crls].join('')) },
  ])
  return {
    goal: chosen,
    given: { ...stored, crls: [...stored.crls, ...given.crls] },
    name: name ?? before.name,
    isStored: true,
  }
}

async function vouch(
  connection: Connection,
  request: TrustRequest,
  { goal, given, isStored }: Resumed,
): Promise<Trusted> {
  const { local } = connection.appliance
  const own = local && 'fingerprintSha256' in local.identity ? local.identity.fingerprintSha256 : undefined
  const vouchers = {
    goal,
    given,
    local: local ? await readLocal(local.root) : [],
    fingerprintSha256: request.fingerprintSha256,
    statedFingerprint: own,
  }
  const first = decideTrust(connection, vouchers)
  if (first.kind === 'trusted') return isStored && first.by === 'files' ? { ...first, by: 'journal' } : first
  const statedFingerprint = await request.statedFingerprint?.()
  const second = statedFingerprint === undefined ? first : decideTrust(connection, { ...vouchers, statedFingerprint })
  if (second.kind === 'trusted') return second
  if (!(await request.askFingerprint(second.seen, second.leaf))) throw fail('NOT_VOUCHED', { seen: second.seen })
  return { kind: 'trusted', by: 'person', candidates: [second.leaf] }
}

/** The appliance on this machine is asked by its files: whoever may read its folder need not believe the network. */
async function readLocal(root: string): Promise<readonly X509Certificate[]> {
  try {
    return readContainers(await readCertificateFiles([paths(root).certificate])).certificates.map(
      (one) => one.certificate,
    )
  } catch (error) {
    if (error instanceof WlbError) return []
    throw error
  }
}
