/** Renews a certificate in one pool: observe, make or read the new certificate, plan, carry out, or resume. */
import type { X509Certificate } from 'node:crypto'
import type { ServedIdentity } from '../../tls/index.js'
import { formatWlbAddress, type PoolSession, parseWlbAddress } from '../../xapi/index.js'
import type { Connection, HostVerdict } from '../connection/connection.js'
import { judgeHosts, servedBy, withoutProofs } from '../connection/predict.js'
import { proveHosts } from '../connection/prove.js'
import { fail } from '../errors.js'
import type { SshReach } from '../remote/replace-over-ssh.js'
import type { TrustOutcome } from '../run/apply.js'
import { stepContextOf, withJournal } from '../run/apply.js'
import type { Journal } from '../run/journal.js'
import { type JournalRequest, readOpenRuns } from '../run/journal-records.js'
import { type ObserveRequest, observeConnection } from '../run/prepare.js'
import { type RunOptions, runSteps } from '../run/run-steps.js'
import { refuseRefused, refuseSilent } from '../run/steps/proof-steps.js'
import type { StepContext, StepOrder } from '../run/steps/step.js'
import type { NextIdentity } from './next-identity.js'
import { placeOf } from './places/over-ssh.js'
import type { FoundIdentity, GivenFiles, IdentityOrder, IdentityPlace } from './places/place.js'
import { planRenewal, type RenewalPlan } from './renewal-plan.js'

export interface RenewRequest extends Omit<ObserveRequest, 'applianceRoot'> {
  /** Where the appliance is. */
  readonly place: IdentityPlace
  /** Where it may be on another machine: the journal of a renewal that was cut short knows which. */
  readonly ssh?: SshReach
  /** Of an authority; none for a new self-signed certificate, or to resume. */
  readonly given: GivenFiles
  /** A new host name; the pool is connected by it in the end. */
  readonly name: string | undefined
  readonly wlbUserName: string | undefined
  readonly wlbPassword: string | undefined
  readonly poolUser: StepContext['poolUser']
  /** The operator has made the other pools of this appliance trust the new certificate. */
  readonly otherPoolsReady: boolean
  /** Uuids of the pools that an appliance does it in by itself; then only what hosts say themselves counts. */
  readonly together?: readonly string[]
  readonly now: Date
}

/** What is about to be done, for a person to read. */
export interface PreparedRenewal {
  readonly connection: Connection
  readonly orders: readonly StepOrder[]
  readonly verdicts: readonly HostVerdict[]
  readonly notes: readonly string[]
  /** Whether it resumes an interrupted renewal. */
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
    const open = openRenewal(journal)
    const place = open ? goOnAt(open.identity, request) : request.place
    const observing = { ...request, applianceRoot: place.localRoot }
    const connection = await observeConnection(session, observing)
    if (open) refuseAlone(pool.uuid, open, request)
    const prepared = open ? await resume(connection, open, place, request) : await prepare(session, connection, request)
    if (!(await isMeant(prepared.shown))) {
      if (!open) await place.drop(prepared.order)
      return undefined
    }
    let hosts = withoutProofs(connection, prepared.shown.verdicts)
    const context: StepContext = {
      ...stepContextOf(session, { ...observing, allowDown: false }),
      identity: prepared.identity,
      onVerdicts: (verdicts) => {
        hosts = verdicts
      },
    }
    journal.begin('renew', prepared.request, request.now)
    const outcome = await runSteps(prepared.shown.orders, context, journal, options)
    if (outcome.ended === 'done') await place.drop(prepared.order)
    return { ...outcome, hosts }
  })
}

export interface Prepared {
  readonly shown: PreparedRenewal
  readonly order: IdentityOrder
  /** Undefined where its place has it, or serves it. */
  readonly identity: ServedIdentity | undefined
  readonly request: JournalRequest
}

interface OpenRenewal {
  readonly request: JournalRequest
  readonly orders: readonly StepOrder[]
  readonly identity: IdentityOrder
}

function openRenewal({ last }: Journal): OpenRenewal | undefined {
  if (last?.state !== 'open') return undefined
  const { request } = last
  const orders = request?.renewal?.orders ?? []
  const identity = orders.find((order) => order.kind === 'identity')
  if (!request || !identity) throw fail('ANOTHER_RUN_OPEN', { run: `wlb trust ${last.by}` })
  return { request, orders, identity }
}

/** @throws ANOTHER_RUN_OPEN where the appliance that was named is another one. */
function goOnAt(order: IdentityOrder, { place, ssh }: RenewRequest): IdentityPlace {
  if (!place.mayGoOn(order))
    throw fail('ANOTHER_RUN_OPEN', { run: 'wlb trust renew', place: order.over?.target ?? order.root })
  return placeOf(order, ssh)
}

/** A renewal that an appliance runs in all its pools cannot be finished in one of them alone. @throws RENEW_OTHER_POOLS */
function refuseAlone(uuid: string, { request }: OpenRenewal, { otherPoolsReady }: RenewRequest): void {
  const others = (request.renewal?.together ?? []).filter((one) => one !== uuid)
  if (others.length > 0 && !otherPoolsReady) throw fail('RENEW_OTHER_POOLS', { pools: others.join(', ') })
}

async function resume(
  connection: Connection,
  { request, orders, identity: order }: OpenRenewal,
  place: IdentityPlace,
  { given }: RenewRequest,
): Promise<Prepared> {
  const identity = await place.again(order, given)
  const verdicts = judgeHosts(connection, [])
  const shown = { connection, orders, verdicts, notes: [], isResumed: true, leaf: undefined }
  return { shown, order, identity, request }
}

/** Plans it, and keeps what is to be served; the pool is not changed. @throws as `renew` */
export async function prepare(session: PoolSession, connection: Connection, request: RenewRequest): Promise<Prepared> {
  const { place, given, now, wlbUserName } = request
  const { pool, appliance } = connection
  const found = await place.find(connection)
  const [inPlace] = servedBy(appliance)
  if (!inPlace) throw fail('RENEW_NEEDS_APPLIANCE', { appliance: formatWlbAddress(appliance) })
  const currentName = parseWlbAddress(pool.wlbUrl)?.host
  if (currentName === undefined || !pool.verifies) throw fail('RENEW_NOT_VERIFYING', { pool: pool.name })
  const proofs = await proveHosts(session, connection)
  const verdicts = judgeHosts(connection, proofs)
  if (request.together) {
    refuseRefused(verdicts)
    refuseSilent(verdicts)
  }
  const isProved = verdicts.every(({ verdict }) => verdict === 'accepted')

  const name = request.name ?? currentName
  const question = { ...given, name, currentName, port: appliance.port, now }
  const next = await place.next(question, found, inPlace)
  const [leaf] = next.chain
  if (leaf?.fingerprint256 === inPlace.fingerprint256)
    throw fail('RENEW_NOTHING_NEW', { fingerprintSha256: inPlace.fingerprint256 })
  await tidy(request)
  const order = await place.keep(next, found, { appliance, leaf: inPlace })
  try {
    const wish = { next, identity: order, name, isProved, wlbUserName }
    const plan = planRenewal(connection, wish)
    const others = refuseForOthers(pool.uuid, plan, found, request)
    const shown = { connection, ...plan, notes: [...plan.notes, ...others], isResumed: false, leaf }
    const kept = requestOf(connection, plan, next, name)
    return { shown, order, identity: next.identity, request: withOthers(kept, request) }
  } catch (error) {
    await place.drop(order)
    throw error
  }
}

/** Removes staged pairs that no journal names; a journal that cannot be read may name any, so then none is removed. */
async function tidy({ place, home, now }: RenewRequest): Promise<void> {
  const runs = await readOpenRuns(home).catch(() => undefined)
  if (!runs) return
  const orders = runs.flatMap(({ request }) => request?.renewal?.orders ?? [])
  await place.tidy(orders, now)
}

function withOthers(kept: JournalRequest, { together }: RenewRequest): JournalRequest {
  if (!together || !kept.renewal) return kept
  return { ...kept, renewal: { ...kept.renewal, together: [...together] } }
}

/** Other pools matter only where hosts have to trust something new. @returns notes */
function refuseForOthers(
  uuid: string,
  { orders }: RenewalPlan,
  { pools }: FoundIdentity,
  { otherPoolsReady }: RenewRequest,
): readonly string[] {
  if (otherPoolsReady || !orders.some(({ kind }) => kind === 'install')) return []
  if (!pools) return ['other pools of this appliance, which cannot be seen from here, would refuse the new certificate']
  const others = pools.filter((one) => one !== uuid)
  if (others.length > 0) throw fail('RENEW_OTHER_POOLS', { pools: others.join(', ') })
  return []
}

function requestOf(
  { appliance }: Connection,
  { orders }: RenewalPlan,
  { how, candidates }: NextIdentity,
  name: string,
): JournalRequest {
  return {
    goal: how === 'self-signed' ? 'self-signed' : 'ca',
    certificates: candidates.map(String),
    crls: [],
    appliance: formatWlbAddress(appliance),
    name,
    renewal: { orders: [...orders] },
  }
}
