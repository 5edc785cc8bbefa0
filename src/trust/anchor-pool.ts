/**
 * One of the pools that an appliance brings a new anchor to by itself: opened with the credentials it gave when it registered,
 * looked at, prepared as `wlb trust renew` prepares, and locked all the while. Whatever is in the way names the pool.
 */
import { X509Certificate } from 'node:crypto'
import { readStaged } from '../appliance/index.js'
import { WlbError } from '../error.js'
import { look, worldOf } from './apply.js'
import { poolPaused, roleMissing, undoCutShort } from './bring-refusal.js'
import type { FleetMember } from './fleet.js'
import { type Journal, type JournalRecord, openJournal } from './journal.js'
import { placeHere } from './places/here.js'
import { explainRefusal } from './pool-refused.js'
import { openPool, type PoolSession } from './pool-session.js'
import { prepare, type RenewRequest } from './renew.js'
import { applyCutShort, renewalCutShort } from './renewal-refusal.js'
import { makeStep } from './steps/make-step.js'
import { readPoolNow } from './steps/pool-now.js'
import type { OrderOf, StepOrder, World } from './steps/step.js'
import { formatWlbAddress } from './wlb-address.js'

export interface BringRequest {
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
  readonly world: World
  readonly request: RenewRequest
  /** What was decided; undefined where nothing is yet. */
  orders: readonly StepOrder[] | undefined
}

/**
 * Undefined where the pool would not refuse anything: it is not connected, or does not verify.
 *
 * @throws ANOTHER_RUN_OPEN, WLB_PAUSED, TRUST_BUSY and what reaching the pool throws; `pool` among the facts.
 */
export async function openAnchorPool(member: FleetMember, bring: BringRequest): Promise<AnchorPool | undefined> {
  const { root, home, members, now } = bring
  const access = await member.access()
  const at = `https://${formatWlbAddress({ host: access.address, port: access.port })}`
  return inPool(member.name, async () => {
    const session = await openPool(access).catch((error: unknown) => {
      const isRefused = error instanceof WlbError && error.code === 'POOL_CREDENTIALS_REFUSED'
      throw isRefused ? roleMissing(error, at, members.length) : error
    })
    try {
      const pool = await readPoolNow(session)
      const journal = await openJournal(pool, home)
      try {
        const orders = findOwn(journal, root)
        if (!orders && (!pool.verifies || pool.wlbUrl === '')) {
          await closeAnchorPool({ session, journal })
          return undefined
        }
        if (!pool.wlbEnabled) throw poolPaused(pool.uuid)
        const { userName, password } = access
        const request: RenewRequest = {
          ...{ place: placeHere(root), home, now, otherPoolsReady: true, name: undefined },
          ...{ appliance: member.appliance, wlbUserName: undefined, wlbPassword: undefined },
          given: { files: [], keyFile: undefined, passphrase: undefined },
          poolUser: { userName, password },
          together: members.map(({ name }) => name),
        }
        const world = {
          ...(await worldOf(session, { ...request, applianceRoot: root, allowDown: false })),
          isUnattended: true,
        }
        return { uuid: member.name, session, journal, world, request, orders }
      } catch (error) {
        await journal.close()
        throw error
      }
    } catch (error) {
      await session.close()
      throw error
    }
  })
}

/** Plans what nobody has decided yet. The pool's stores are made equal, which asks whether we may change them. */
export async function prepareAnchorPool(pool: AnchorPool, { members }: BringRequest): Promise<void> {
  const { session, world, request, journal } = pool
  await inPool(pool.uuid, async () => {
    const sync = makeStep({ id: 'sync', kind: 'sync', isDue: true }, world)
    await sync.do().catch((error: unknown) => {
      const explained = explainRefusal(error, sync.title)
      const isRefused = explained instanceof WlbError && explained.code === 'RBAC_PERMISSION_DENIED'
      const at = `https://${formatWlbAddress({ host: session.address, port: session.port })}`
      throw isRefused ? roleMissing(explained, at, members.length) : explained
    })
    const connection = await look(session, { ...request, applianceRoot: request.place.localRoot })
    const prepared = await prepare(session, connection, request)
    pool.orders = prepared.shown.orders
    journal.begin('renew', prepared.request, request.now)
  })
}

/** A run of ours that was cut short. @throws ANOTHER_RUN_OPEN where it was somebody else's */
function findOwn({ last }: Journal, root: string): readonly StepOrder[] | undefined {
  if (last?.state === 'undoing') throw undoCutShort(last.by)
  if (last?.state !== 'open') return undefined
  if (isOwnRun(last, root)) return last.request?.renewal?.orders
  throw last.request?.renewal ? renewalCutShort(last.by) : applyCutShort(last.by)
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

/** Whether what was decided to be served is still there, and of any use. */
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

/** Every refusal says which pool it was. */
async function inPool<T>(uuid: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (caught) {
    const error = explainRefusal(caught, 'bring the new anchor')
    if (!(error instanceof WlbError)) throw error
    const { code, message, facts, remedy } = error
    throw new WlbError(code, message, { ...facts, pool: uuid }, remedy, error)
  }
}
