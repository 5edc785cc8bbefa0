/**
 * Does in all pools of an appliance what `wlb trust renew` does in one (docs/renewal.md). Before the exchange, the new anchor is
 * installed everywhere and every host proves the old certificate; after it, every host proves the new one, or the old one is
 * put back; then the old anchor is removed. Steps, journals and undo are those of a renewal.
 */

import { WlbError } from '../../base/error.js'
import { shell } from '../../base/text/quote-word.js'
import { type AnchorOutcome, type Blocker, dropStaged, listIdentities, settleObtained } from '../../identity/index.js'
import { explainRefusal, formatWlbAddress } from '../../xapi/index.js'
import { readLastRun } from '../run/journal-records.js'
import { openEntries, runPart, type StepReport } from '../run/run-steps.js'
import type { StepOrder } from '../run/steps/step.js'
import {
  type AnchorPool,
  type AnchorRequest,
  closeAnchorPool,
  identityOf,
  isOwnRun,
  isStagedUsable,
  openAnchorPool,
  prepareAnchorPool,
} from './anchor-pool.js'

export interface AnchorOptions {
  /** Stops between two steps. */
  readonly signal?: AbortSignal
  readonly onStep?: (pool: string, step: StepReport) => void
}

/** Whether a run of the appliance in `root` was cut short in one of these pools, or could not be finished; reads the journals only. */
export async function isAnchorUnfinished(
  uuids: readonly string[],
  { root, home }: Pick<AnchorRequest, 'root' | 'home'>,
): Promise<boolean> {
  for (const uuid of uuids) {
    const last = await readLastRun(uuid, home)
    if (last && isOwnRun(last, root)) return true
  }
  return false
}

/** Installs the anchor, or resumes an interrupted run. Expected refusals are returned; what is thrown is a defect. */
export async function installAnchor(request: AnchorRequest, options: AnchorOptions = {}): Promise<AnchorOutcome> {
  const pools: AnchorPool[] = []
  const isSwitched = await isExchanged(request)
  const at = { pool: '' }
  let isBegun = false
  try {
    for (const member of request.members) {
      at.pool = member.name
      const pool = await openAnchorPool(member, request)
      if (pool) pools.push(pool)
    }
    if (pools.length === 0) return { state: 'not needed' }
    const { root } = request
    if (!isSwitched) {
      isBegun = pools.some(({ orders }) => orders !== undefined)
      await prepareAll(pools, request, at)
    }
    // a pool that registered after the exchange knows only the new certificate
    const concerned = pools.filter(({ orders }) => orders !== undefined)
    isBegun = true
    at.pool = ''
    for (const { journal } of concerned) await journal.keep()
    if (!isSwitched) {
      const ended = await runInAll(concerned, beforeExchange, options)
      if (ended) return ended
    }
    if (!concerned.some(hasRemovalBegun)) {
      const ended = await runInAll(concerned, exchange, options)
      if (ended) return ended
    }
    await settleObtained(root)
    return await removeOldAnchor(concerned, options)
  } catch (caught) {
    const error = explainRefusal(caught, 'bring the new anchor')
    if (!(error instanceof WlbError)) throw error
    const because = await explain(error, at.pool, request)
    return isSwitched ? { state: 'served', unfinished: because } : { state: 'held', because, isBegun }
  } finally {
    for (const pool of pools) await closeAnchorPool(pool)
  }
}

/** Prepares all pools before any is changed, and all for the same certificate. */
async function prepareAll(pools: readonly AnchorPool[], { now }: AnchorRequest, at: { pool: string }): Promise<void> {
  const prepareOne = async (pool: AnchorPool) => {
    at.pool = pool.uuid
    await prepareAnchorPool(pool)
  }
  for (const pool of pools) {
    const order = identityOf(pool)
    if (order && !(await isStagedUsable(order, now))) await forget(pool)
  }
  const fresh = pools.filter(({ orders }) => orders === undefined)
  for (const pool of fresh) await prepareOne(pool)
  const wanted = identityOf(fresh[0] ?? pools[0] ?? { orders: [] })?.staged
  for (const pool of pools.filter((one) => identityOf(one)?.staged !== wanted)) {
    await forget(pool)
    await prepareOne(pool)
  }
}

/** Keeps what was installed for a certificate that is no longer usable; the journal still names it as ours. */
async function forget(pool: AnchorPool): Promise<void> {
  await pool.journal.settle('done')
  pool.orders = undefined
}

type Part = (orders: readonly StepOrder[]) => readonly StepOrder[]

const beforeExchange: Part = (orders) => orders.slice(0, exchangeAt(orders))
const exchange: Part = (orders) => orders.slice(exchangeAt(orders), provedAt(orders) + 1)
const afterwards: Part = (orders) => orders.slice(provedAt(orders) + 1)

function exchangeAt(orders: readonly StepOrder[]): number {
  return orders.findIndex(({ kind }) => kind === 'identity')
}

/** The first proof after the exchange. */
function provedAt(orders: readonly StepOrder[]): number {
  const at = exchangeAt(orders)
  return at + orders.slice(at).findIndex(({ kind }) => kind === 'prove')
}

/** Whether removing the old anchor has begun: then the exchange is not taken back. */
function hasRemovalBegun({ journal }: AnchorPool): boolean {
  return openEntries(journal).some(({ order }) => order.kind === 'uninstall')
}

/** Runs a part in one pool after the other; undefined where all succeeded. */
async function runInAll(
  pools: readonly AnchorPool[],
  part: Part,
  options: AnchorOptions,
): Promise<AnchorOutcome | undefined> {
  for (const pool of pools) {
    const { ended, failure } = await runOne(pool, part, options)
    if (ended === 'interrupted') return { state: 'interrupted' }
    if (failure) return { state: 'held', because: blockerOf(failure, pool.uuid), isBegun: true }
  }
  return undefined
}

/** Removes the old anchor once the new certificate is proved; a pool that fails does not stop the others. */
async function removeOldAnchor(pools: readonly AnchorPool[], options: AnchorOptions): Promise<AnchorOutcome> {
  let unfinished: Blocker | undefined
  for (const pool of pools) {
    const { ended, failure } = await runOne(pool, afterwards, options)
    if (ended === 'interrupted') return { state: 'interrupted' }
    if (failure) unfinished ??= blockerOf(failure, pool.uuid)
    else await pool.journal.settle('done')
  }
  if (unfinished) return { state: 'served', unfinished }
  for (const order of pools.flatMap((pool) => identityOf(pool) ?? [])) await dropStaged(order.root, order.staged)
  return { state: 'served' }
}

function runOne({ uuid, orders = [], context, journal }: AnchorPool, part: Part, { signal, onStep }: AnchorOptions) {
  return runPart(part(orders), context, journal, {
    signal,
    onStep: (step) => onStep?.(uuid, step),
  })
}

/** Whether an interrupted run has already put its certificate in place. */
async function isExchanged({ root, home, members }: AnchorRequest): Promise<boolean> {
  const serving = (await listIdentities(root)).find(({ isInPlace }) => isInPlace)?.id
  for (const { name } of members) {
    const last = await readLastRun(name, home)
    if (!last || !isOwnRun(last, root)) continue
    if (last.request?.renewal?.orders.some((order) => order.kind === 'identity' && order.staged === serving))
      return true
  }
  return false
}

function blockerOf({ code, message, remedy }: WlbError, pool: string): Blocker {
  return { pool, code, message, remedy }
}

async function explain(error: WlbError, pool: string, { members }: AnchorRequest): Promise<Blocker> {
  const access = await members
    .find(({ name }) => name === pool)
    ?.access()
    .catch(() => undefined)
  const remedy = access
    ? roleRemedy(error, `https://${formatWlbAddress({ host: access.address, port: access.port })}`, members.length)
    : error.remedy
  return { ...blockerOf(error, pool), remedy }
}

/** The remedy where the appliance's user may not change the pool: with one pool an operator can renew; with more, the appliance needs other credentials. */
function roleRemedy({ code, remedy }: WlbError, address: string, pools: number): string {
  if (code !== 'RBAC_PERMISSION_DENIED' && code !== 'POOL_CREDENTIALS_REFUSED') return remedy
  return pools === 1
    ? shell`wlb trust renew --pool ${address} --username USER --password-file FILE`
    : 'xe pool-initialize-wlb wlb_url=... wlb_username=... wlb_password=... xenserver_username=USER xenserver_password=...'
}
