/** The whole of `wlb trust renew` but the words: look, make or read the new certificate, plan, carry out, or go on with it. */
import type { X509Certificate } from 'node:crypto'
import { dropStaged, listIdentities, stageIdentity } from '../appliance/index.js'
import type { Looking, TrustOutcome } from './apply.js'
import { look, withJournal, worldOf } from './apply.js'
import type { Connection, HostVerdict } from './connection.js'
import type { Journal, JournalRequest } from './journal.js'
import { makeNextIdentity, type NextIdentity } from './next-identity.js'
import { servedBy } from './observe.js'
import type { PoolSession } from './pool-session.js'
import { proveHosts } from './prove.js'
import { planRenewal, type RenewalPlan } from './renewal-plan.js'
import { applyCutShort, needsAppliance, notConnected, otherPools, sameIdentity } from './renewal-refusal.js'
import { type RunOptions, runSteps } from './run-steps.js'
import type { StepOrder, World } from './steps/step.js'
import { judgeHosts, unasked } from './verdicts.js'
import { formatWlbAddress, parseWlbAddress } from './wlb-address.js'

export interface RenewRequest extends Omit<Looking, 'applianceRoot'> {
  /** The folder of the appliance. */
  readonly root: string
  /** Of an authority; none for a new self-signed certificate, or to go on with what was cut short. */
  readonly files: readonly string[]
  readonly keyFile?: string
  readonly passphrase?: string
  /** A new host name; the pool is connected by it in the end. */
  readonly name: string | undefined
  readonly wlbUserName: string | undefined
  readonly wlbPassword: string | undefined
  readonly poolUser: World['poolUser']
  /** The operator has made the other pools of this appliance trust the new certificate. */
  readonly otherPoolsReady: boolean
  readonly now: Date
}

/** What is about to be done, for a person to read. */
export interface PreparedRenewal {
  readonly connection: Connection
  readonly orders: readonly StepOrder[]
  readonly verdicts: readonly HostVerdict[]
  readonly notes: readonly string[]
  /** Goes on with one that was cut short. */
  readonly isResumed: boolean
  /** To be served; undefined where it was made before. */
  readonly leaf: X509Certificate | undefined
}

/**
 * Exchanges the certificate, one process at a time. Where a host refuses on the way, the phase it refused in is taken back.
 *
 * @throws TRUST_BUSY, RENEW_*, ANOTHER_RUN_OPEN, NEXT_CERTIFICATE_REFUSED, and what `observe` and `makeNextIdentity`
 * throw: then nothing was changed.
 */
export async function renew(
  session: PoolSession,
  request: RenewRequest,
  pool: { readonly uuid: string; readonly name: string },
  isMeant: (prepared: PreparedRenewal) => Promise<boolean>,
  options: RunOptions,
): Promise<TrustOutcome | undefined> {
  return withJournal(pool, request.home, async (journal) => {
    const looking = { ...request, applianceRoot: request.root }
    const connection = await look(session, looking)
    const open = openRenewal(journal)
    const prepared = open ? resume(connection, open) : await prepare(session, connection, request)
    if (!(await isMeant(prepared.shown))) {
      if (!open) await dropStaged(request.root, prepared.staged)
      return undefined
    }
    let hosts = unasked(connection, prepared.shown.verdicts)
    const world: World = {
      ...(await worldOf(session, { ...looking, allowDown: false })),
      onVerdicts: (verdicts) => {
        hosts = verdicts
      },
    }
    journal.begin('renew', prepared.request, request.now)
    const outcome = await runSteps(prepared.shown.orders, world, journal, options)
    if (outcome.ended === 'done') await dropStaged(request.root, prepared.staged)
    return { ...outcome, hosts }
  })
}

interface Prepared {
  readonly shown: PreparedRenewal
  readonly staged: string
  readonly request: JournalRequest
}

function openRenewal({ last }: Journal): JournalRequest | undefined {
  if (last?.state !== 'open') return undefined
  if (!last.request?.renewal) throw applyCutShort(last.by)
  return last.request
}

function resume(connection: Connection, request: JournalRequest): Prepared {
  const { staged = '', orders = [] } = request.renewal ?? {}
  const verdicts = judgeHosts(connection, [])
  const shown = { connection, orders, verdicts, notes: [], isResumed: true, leaf: undefined }
  return { shown, staged, request }
}

async function prepare(session: PoolSession, connection: Connection, request: RenewRequest): Promise<Prepared> {
  const { root, files, keyFile, passphrase, now, wlbUserName } = request
  const { pool, appliance } = connection
  const place = formatWlbAddress(appliance)
  const [inPlace] = servedBy(appliance)
  const before = (await listIdentities(root)).find(({ isInPlace }) => isInPlace)
  if (!appliance.local || !inPlace || !before) throw needsAppliance(place)
  const currentName = parseWlbAddress(pool.wlbUrl)?.host
  if (currentName === undefined || !pool.verifies) throw notConnected(pool.name)
  const proofs = await proveHosts(session, connection)
  const isProved = judgeHosts(connection, proofs).every(({ verdict }) => verdict === 'accepted')

  const name = request.name ?? currentName
  const next = await makeNextIdentity(
    {
      ...{ root, files, name, currentName, now },
      ...(keyFile !== undefined && { keyFile }),
      ...(passphrase !== undefined && { passphrase }),
    },
    inPlace,
  )
  const [leaf] = next.chain
  if (leaf?.fingerprint256 === inPlace.fingerprint256) throw sameIdentity(inPlace.fingerprint256)
  const staged = await stageIdentity(root, next.identity)
  try {
    const wish = {
      next,
      staged,
      before: before.id,
      root,
      name,
      isProved,
      ...(wlbUserName !== undefined && { wlbUserName }),
    }
    const plan = planRenewal(connection, wish)
    refuseForOthers(connection, plan, request)
    const shown = { connection, ...plan, isResumed: false, leaf }
    return { shown, staged, request: requestOf(connection, plan, next, { root, staged, name }) }
  } catch (error) {
    await dropStaged(root, staged)
    throw error
  }
}

/** Only where hosts have to trust something new does it matter who else connects. */
function refuseForOthers(
  { pool, appliance }: Connection,
  { orders }: RenewalPlan,
  { otherPoolsReady }: RenewRequest,
): void {
  const others = (appliance.local?.pools ?? []).filter(({ uuid }) => uuid !== pool.uuid)
  const isNew = orders.some(({ kind }) => kind === 'install')
  if (isNew && others.length > 0 && !otherPoolsReady) throw otherPools(others.map(({ uuid }) => uuid))
}

function requestOf(
  { appliance }: Connection,
  { orders }: RenewalPlan,
  { how, candidates }: NextIdentity,
  { root, staged, name }: { readonly root: string; readonly staged: string; readonly name: string },
): JournalRequest {
  return {
    goal: how === 'install' ? 'ca' : 'self-signed',
    certificates: candidates.map(String),
    crls: [],
    appliance: formatWlbAddress(appliance),
    name,
    renewal: { root, staged, orders: [...orders] },
  }
}
