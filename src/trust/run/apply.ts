/** Carries a plan out on a pool, or takes the last run back, one process at a time. */
import type { PoolSession } from '../../xapi/index.js'
import type { HostVerdict } from '../connection/connection.js'
import { judgeHosts, withoutProofs } from '../connection/predict.js'
import { proveHosts } from '../connection/prove.js'
import { fail } from '../errors.js'
import type { Plan } from '../plan/plan.js'
import { type Journal, openJournal } from './journal.js'
import { readLastRun } from './journal-records.js'
import { type ObserveRequest, observeConnection, type Prepared, preparePlan, type TrustRequest } from './prepare.js'
import { openEntries, type RunOptions, type RunOutcome, runSteps, undoSteps } from './run-steps.js'
import type { StepContext } from './steps/step.js'

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
    const context: StepContext = {
      ...stepContextOf(session, request),
      onVerdicts: (verdicts) => {
        hosts = verdicts
      },
    }
    journal.begin('apply', plan.request, new Date())
    const outcome = await runSteps(
      plan.steps.map(({ order }) => order),
      context,
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
    const context = stepContextOf(session, request)
    const outcome = await undoSteps(context, journal, options)
    const connection = await context.observe()
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

/** What the steps of a run need. */
export function stepContextOf(
  session: PoolSession,
  request: ObserveRequest & Pick<TrustRequest, 'allowDown' | 'poolUser' | 'wlbPassword' | 'ssh'>,
): StepContext {
  const { allowDown, poolUser, wlbPassword, ssh } = request
  return { session, observe: () => observeConnection(session, request), allowDown, poolUser, wlbPassword, ssh }
}
