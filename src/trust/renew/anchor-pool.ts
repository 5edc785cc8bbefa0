/**
 * One of the pools in which an appliance installs a new anchor by itself: opened with the credentials it gave when it
 * registered, prepared as `wlb trust renew` prepares, and locked throughout.
 */
import { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { readStaged } from '../../identity/index.js'
import { openPool, type PoolSession } from '../../xapi/index.js'
import type { FleetMember } from '../connection/fleet.js'
import { fail } from '../errors.js'
import { stepContextOf } from '../run/apply.js'
import { type Journal, openJournal } from '../run/journal.js'
import type { JournalRecord } from '../run/journal-records.js'
import { observeConnection } from '../run/prepare.js'
import { makeStep } from '../run/steps/make-step.js'
import { readPoolNow } from '../run/steps/pool-state.js'
import type { OrderOf, StepContext, StepOrder } from '../run/steps/step.js'
import { placeHere } from './places/here.js'
import { prepare, type RenewRequest } from './renew.js'

export interface AnchorRequest {
  readonly root: string
  /** Where journals are kept. */
  readonly home: string
  /** The pools that have registered; `name` is the uuid. */
  readonly members: readonly FleetMember[]
  readonly now: Date
}

export interface AnchorPool {
  readonly uuid: string
  readonly session: PoolSession
  readonly journal: Journal
  readonly context: StepContext
  readonly request: RenewRequest
  /** What was decided; undefined where nothing is yet. */
  orders: readonly StepOrder[] | undefined
}

/**
 * Undefined where the pool would not refuse anything: it is not connected, or does not verify.
 *
 * @throws ANOTHER_RUN_OPEN, WLB_PAUSED, TRUST_BUSY and what reaching the pool throws.
 */
export async function openAnchorPool(member: FleetMember, bring: AnchorRequest): Promise<AnchorPool | undefined> {
  const { root, home, members, now } = bring
  const access = await member.access()
  const session = await openPool(access)
  try {
    const pool = await readPoolNow(session)
    const journal = await openJournal(pool, home)
    try {
      const orders = findOwn(journal, root)
      if (!orders && (!pool.verifies || pool.wlbUrl === '')) {
        await closeAnchorPool({ session, journal })
        return undefined
      }
      if (!pool.wlbEnabled) throw fail('WLB_PAUSED', { pool: pool.uuid })
      const { userName, password } = access
      const request: RenewRequest = {
        place: placeHere(root),
        home,
        now,
        otherPoolsReady: true,
        name: undefined,
        appliance: member.appliance,
        wlbUserName: undefined,
        wlbPassword: undefined,
        given: { files: [], keyFile: undefined, passphrase: undefined },
        poolUser: { userName, password },
        together: members.map(({ name }) => name),
      }
      const context = stepContextOf(session, { ...request, applianceRoot: root, allowDown: false })
      return { uuid: member.name, session, journal, context: { ...context, isUnattended: true }, request, orders }
    } catch (error) {
      await journal.close()
      throw error
    }
  } catch (error) {
    await session.close()
    throw error
  }
}

/** Plans where no plan exists yet. The pool is synchronised first, which also tests whether our role may change it. */
export async function prepareAnchorPool(pool: AnchorPool): Promise<void> {
  const { session, context, request, journal } = pool
  await makeStep({ id: 'sync', kind: 'sync', isDue: true }, context).do()
  const connection = await observeConnection(session, { ...request, applianceRoot: request.place.localRoot })
  const prepared = await prepare(session, connection, request)
  pool.orders = prepared.shown.orders
  journal.begin('renew', prepared.request, request.now)
}

/** A run of this appliance that was interrupted. @throws ANOTHER_RUN_OPEN where it was another's */
function findOwn({ last }: Journal, root: string): readonly StepOrder[] | undefined {
  if (last?.state === 'undoing') throw fail('ANOTHER_RUN_OPEN', { run: 'wlb trust undo' })
  if (last?.state !== 'open') return undefined
  if (isOwnRun(last, root)) return last.request?.renewal?.orders
  throw fail('ANOTHER_RUN_OPEN', { run: `wlb trust ${last.by}` })
}

export function isOwnRun({ state, request }: JournalRecord, root: string): boolean {
  const { orders = [], together } = request?.renewal ?? {}
  return (
    state === 'open' && together !== undefined && orders.some((one) => one.kind === 'identity' && one.root === root)
  )
}

export function identityOf({ orders = [] }: Pick<AnchorPool, 'orders'>): OrderOf<'identity'> | undefined {
  return orders.find((order) => order.kind === 'identity')
}

/** Whether the staged certificate still exists and is within its dates. */
export async function isStagedUsable({ root, staged }: OrderOf<'identity'>, now: Date): Promise<boolean> {
  try {
    const { certificatePem } = await readStaged(root, staged)
    return new Date(new X509Certificate(certificatePem).validTo) > now
  } catch (error) {
    if (error instanceof WlbError) return false
    throw error
  }
}

export async function closeAnchorPool({ session, journal }: Pick<AnchorPool, 'session' | 'journal'>): Promise<void> {
  await journal.close()
  await session.close()
}
