/** What `wlb trust plan` and `apply` begin with: observe, find out who vouches for the certificates, plan. Nothing is changed. */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { paths } from '../../config/index.js'
import { readCertificateFiles } from '../../identity/index.js'
import { type NamedBytes, readContainers } from '../../x509/index.js'
import type { PoolSession, WlbAddress } from '../../xapi/index.js'
import type { Connection } from '../connection/connection.js'
import { observe } from '../connection/observe.js'
import { proveHosts } from '../connection/prove.js'
import { fail } from '../errors.js'
import { decideTrust, type GoalKind, type Trusted } from '../plan/decide-trust.js'
import { type Material, readMaterial } from '../plan/material.js'
import { makePlan, type Plan } from '../plan/plan.js'
import type { SshReach } from '../remote/replace-over-ssh.js'
import { type JournalRecord, readKnownCertificates, readLastRun } from './journal-records.js'
import type { StepContext } from './steps/step.js'

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
  readonly poolUser: StepContext['poolUser']
  /** Where this user's journals are kept. */
  readonly home: string
  /** The fingerprint the appliance states over another channel; asked only where no other voucher exists. */
  readonly statedFingerprint?: () => Promise<string | undefined>
  /** For what is to be done on an appliance elsewhere. */
  readonly ssh?: SshReach
  /** Asks a person to compare; without one, the caller raises an error. */
  readonly askFingerprint: (seen: string, leaf: X509Certificate) => Promise<boolean>
}

export interface Prepared {
  readonly connection: Connection
  readonly plan: Plan
  /** Who vouched for the certificates. */
  readonly trusted: Trusted
}

/**
 * Observes and plans; changes nothing.
 *
 * @throws what `readMaterial`, `decideTrust` and `observe` throw; NOTHING_TO_RESUME; NOT_VOUCHED where a person said no.
 */
export async function preparePlan(session: PoolSession, request: TrustRequest): Promise<Prepared> {
  const given = readMaterial(request.files) // before anything else: a key among the files ends it here
  const connection = await observeConnection(session, request)
  const last = request.resume ? await readLastRun(connection.pool.uuid, request.home) : undefined
  const resumed = resumeWith(request, given, last)
  const [trusted, proofs] = await Promise.all([vouch(connection, request, resumed), proveHosts(session, connection)])
  const { wlbUserName, wlbPassword, allowDown, poolUser } = request
  const goal = {
    kind: resumed.goal,
    name: resumed.name,
    allowDown,
    wlbUserName,
    hasWlbPassword: wlbPassword !== undefined,
    poolUserName: poolUser.userName,
  }
  return { connection, plan: makePlan(connection, proofs, goal, trusted, resumed.given), trusted }
}

/** What is needed to observe a connection. */
export type ObserveRequest = Pick<TrustRequest, 'appliance' | 'applianceRoot' | 'home'>

export async function observeConnection(
  session: PoolSession,
  { appliance, applianceRoot, home }: ObserveRequest,
): Promise<Connection> {
  return observe(session, { appliance, applianceRoot, known: await readKnownCertificates(home), now: new Date() })
}

interface Resumed {
  readonly goal: GoalKind
  readonly given: Material
  readonly name: string | undefined
  /** From the journal, not from files. */
  readonly isStored: boolean
}

/** Options that were given count; the others are taken from the interrupted run. */
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

/** Reads the certificate of an appliance on this machine from its files, which need not be trusted over the network. */
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
