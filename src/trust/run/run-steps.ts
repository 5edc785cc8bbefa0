/**
 * Carries out steps in order, and takes them back in reverse. Each is looked at before, written down, done, and looked at
 * again; the first that fails ends the run. A flag that this run switched on does not survive a failure behind it: it was
 * a trial (docs/trust.md, the trial).
 */

import { setTimeout as pause } from 'node:timers/promises'
import { WlbError } from '../../base/error.js'
import { explainRefusal } from '../../xapi/index.js'
import { fail } from '../errors.js'
import type { Journal } from './journal.js'
import type { JournalEntry } from './journal-records.js'
import { isChanging, makeStep } from './steps/make-step.js'
import type { Step, StepContext, StepOrder } from './steps/step.js'

export interface StepReport {
  readonly id: string
  readonly title: string
  readonly command: string
  readonly state: 'done' | 'already' | 'failed' | 'undone' | 'planned'
  /** Why it failed, or could not be taken back. */
  readonly error?: Pick<WlbError, 'code' | 'message' | 'facts' | 'remedy'>
}

export interface RunOptions {
  /** Stops between two steps, not while something is on trial: then once the hosts were asked. */
  readonly signal?: AbortSignal
  /** Called after each step. */
  readonly onStep?: (report: StepReport) => void
  /** Called with what is being waited for. */
  readonly onWait?: (what: string) => void
}

export interface RunOutcome {
  readonly ended: 'done' | 'failed' | 'interrupted'
  readonly reports: readonly StepReport[]
  /** Never begun. */
  readonly left: readonly StepReport[]
  readonly failure?: WlbError
}

/**
 * Runs them. `journal` was begun (`Journal.begin`); it is settled here.
 *
 * Expected failures are in the outcome; what is thrown is a defect.
 */
export async function runSteps(
  orders: readonly StepOrder[],
  context: StepContext,
  journal: Journal,
  options: RunOptions = {},
): Promise<RunOutcome> {
  const outcome = await runPart(orders, context, journal, options)
  if (outcome.ended === 'done') await journal.settle('done')
  return outcome
}

/** As `runSteps`, for a part of the orders: the journal stays open. */
export async function runPart(
  orders: readonly StepOrder[],
  context: StepContext,
  journal: Journal,
  { signal, onStep }: RunOptions = {},
): Promise<RunOutcome> {
  const reports: StepReport[] = []
  const steps = orders.map((order) => makeStep(order, context))
  const left = (from: number) => steps.slice(from).map((step) => report(step, 'planned'))
  for (const [index, step] of steps.entries()) {
    if (signal?.aborted && !isOnTrial(orders.slice(0, index), reports)) {
      return { ended: 'interrupted', reports, left: left(index) }
    }
    const ended = await runStep(step, journal)
    reports.push(ended.report)
    onStep?.(ended.report)
    if (!ended.failure) continue
    const taken = await takeBackTrial(orders.slice(0, index + 1), context, journal)
    for (const one of taken) onStep?.(one)
    const isTaken = ({ id }: StepReport) => taken.some((one) => one.id === id && one.state === 'undone')
    const seen = reports.map((one) =>
      isTaken(one) && one.state === 'done' ? { ...one, state: 'undone' as const } : one,
    )
    return { ended: 'failed', reports: seen, left: left(index + 1), failure: ended.failure }
  }
  return { ended: 'done', reports, left: [] }
}

async function runStep(step: Step, journal: Journal): Promise<{ report: StepReport; failure?: WlbError }> {
  const isKept = isChanging(step.order)
  try {
    if ((await step.check()) === 'holds') return { report: report(step, 'already') }
    if (isKept) await journal.write(step.order, 'doing')
    await step.do().catch(async (error: unknown) => {
      // the call may have succeeded although its response was lost
      const isDone = isKept && (await step.check().catch(() => undefined)) === 'holds'
      if (!isDone) throw error
    })
    if ((await step.check()) === 'open') throw fail('STEP_WITHOUT_EFFECT', { step: step.title, byHand: step.command })
    if (isKept) await journal.write(step.order, 'done')
    return { report: report(step, 'done') }
  } catch (error) {
    const failure = explain(error, step)
    if (isKept && isBegun(journal, step.order)) await journal.write(step.order, 'failed')
    return { report: report(step, 'failed', failure), failure }
  }
}

function isBegun({ last }: Journal, order: StepOrder): boolean {
  const text = JSON.stringify(order)
  return last?.entries.some((entry) => entry.state === 'doing' && JSON.stringify(entry.order) === text) ?? false
}

/** Whether such a step was done, and the hosts have not proved since that they verify. */
function isOnTrial(reached: readonly StepOrder[], reports: readonly StepReport[]): boolean {
  const proved = reached.findLastIndex(({ kind }) => kind === 'prove')
  return reached.some((order, index) => index > proved && canBreak(order) && reports[index]?.state === 'done')
}

/** Steps after which a host may no longer verify, or no longer connect. */
function canBreak(order: StepOrder): boolean {
  return order.kind === 'verification' ? order.value : order.kind === 'identity' || order.kind === 'uninstall'
}

/**
 * A flag switched on by this run, or by the one that was cut short before it; a certificate put into service, or an anchor
 * taken away, since the hosts last said that they verify.
 */
async function takeBackTrial(
  reached: readonly StepOrder[],
  context: StepContext,
  journal: Journal,
): Promise<StepReport[]> {
  const proved = reached.slice(0, -1).findLastIndex(({ kind }) => kind === 'prove')
  const onTrial = new Set(
    reached
      .filter((order, index) => index > proved && order.kind !== 'verification' && canBreak(order))
      .map((order) => JSON.stringify(order)),
  )
  const hasFlag = reached.some((order) => order.kind === 'verification' && order.value)
  const entries = openEntries(journal).filter(({ order }) =>
    order.kind === 'verification' ? hasFlag && order.value : onTrial.has(JSON.stringify(order)),
  )
  const reports: StepReport[] = []
  for (const entry of entries.reverse()) reports.push((await undoEntry(entry, context, journal)).report)
  return reports
}

/**
 * Takes back what the last run did, in reverse, and synchronises at the end. One that cannot be taken back does not keep
 * the others, unless it is the certificate in service; the journal stays open for it.
 */
export async function undoSteps(
  context: StepContext,
  journal: Journal,
  { signal, onStep, onWait = () => {} }: RunOptions = {},
): Promise<RunOutcome> {
  const reports: StepReport[] = []
  const entries = openEntries(journal).reverse()
  const writtenAt = new Date(journal.last?.writtenAt ?? 0)
  if (entries.length === 0) {
    if (journal.last?.state === 'open') await journal.settle('undone') // decided, and nothing was done
    return { ended: 'done', reports, left: [] }
  }
  await journal.settle('undoing')
  let failure: WlbError | undefined
  const left = (from: number) => entries.slice(from).map(({ order }) => report(makeStep(order, context), 'planned'))
  for (const [index, entry] of entries.entries()) {
    if (signal?.aborted) return { ended: 'interrupted', reports, left: left(index) }
    const ended = await undoEntry(entry, context, journal, (step) => awaitLanding(entry, step, writtenAt, onWait))
    reports.push(ended.report)
    onStep?.(ended.report)
    failure ??= ended.failure
    // what hosts need for the certificate that is still in service stays with them
    if (ended.failure && entry.order.kind === 'identity')
      return { ended: 'failed', reports, left: left(index + 1), failure: ended.failure }
  }
  if (failure) return { ended: 'failed', reports, left: [], failure }
  const synced = await runStep(makeStep({ id: 'sync', kind: 'sync', isDue: true }, context), journal)
  reports.push(synced.report)
  onStep?.(synced.report)
  if (synced.failure) return { ended: 'failed', reports, left: [], failure: synced.failure }
  await journal.settle('undone')
  return { ended: 'done', reports, left: [] }
}

/** What was begun and not taken back, in the order it was done. */
export function openEntries({ last }: Pick<Journal, 'last'>): JournalEntry[] {
  return (last?.entries ?? []).filter(({ state }) => state !== 'undone')
}

async function undoEntry(
  entry: JournalEntry,
  context: StepContext,
  journal: Journal,
  settled: (step: Step) => Promise<void> = async () => {},
): Promise<{ report: StepReport; failure?: WlbError }> {
  const step = makeStep(entry.order, context)
  try {
    await settled(step)
    await step.undo()
    await journal.write(entry.order, 'undone')
    return { report: report(step, 'undone') }
  } catch (error) {
    const failure = explain(error, step)
    return { report: report(step, 'failed', failure), failure }
  }
}

export function report({ id, title, command }: Step, state: StepReport['state'], error?: WlbError): StepReport {
  if (!error) return { id, title, command, state }
  const { code, message, facts, remedy } = error
  return { id, title, command, state, error: { code, message, facts, remedy } }
}

/** Unexpected errors are thrown as they are. */
function explain(error: unknown, { title }: Step): WlbError {
  const explained = explainRefusal(error, title)
  if (!(explained instanceof WlbError)) throw explained
  return explained.code === 'RBAC_PERMISSION_DENIED' ? roleNeeded(explained) : explained
}

function roleNeeded({ code, message, facts }: WlbError): WlbError {
  return new WlbError(
    code,
    message,
    { ...facts, needed: 'the role pool-operator, or pool-admin' },
    'wlb trust apply --username USER --password-file FILE',
  )
}

/** As long as a pool waits for its appliance. */
const LANDING_MS = 30_000
const LOOK_EVERY_MS = 200

/**
 * Waits for a connection that an interrupted run had begun, which the pool may still complete; an undo before that would
 * undo nothing. Other calls need no wait: the pool runs them one after the other. `writtenAt` is when it began, at the earliest.
 */
async function awaitLanding(
  { state, order }: JournalEntry,
  step: Step,
  writtenAt: Date,
  onWait: (what: string) => void,
): Promise<void> {
  if (state !== 'doing' || order.kind !== 'connect') return
  const end = writtenAt.getTime() + LANDING_MS
  let isTold = false
  while (Date.now() < end && (await step.check()) !== 'holds') {
    if (!isTold)
      onWait(
        `whether the pool still carries out what was cut short (${order.id}), until ${new Date(end).toISOString()}`,
      )
    isTold = true
    await pause(LOOK_EVERY_MS)
  }
}
