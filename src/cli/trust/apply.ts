/** `wlb trust apply` and `wlb trust undo`: the plan is shown, confirmed once, and carried out step by step. */
import { visible, visibleCommand, visibleLine } from '../../base/text/printable.js'
import type { IdentityRecord } from '../../identity/index.js'
import {
  applyPlan,
  findForeignIdentity,
  makeStep,
  openEntries,
  outcomeDocument,
  type Plan,
  readPoolNow,
  type TrustOutcome,
  undoLast,
} from '../../trust/index.js'
import { stopOnInterrupt } from '../terminal/ask.js'
import { EXIT, inRoot, printError, printJson, printNote, printText } from '../terminal/print.js'
import type { TypedCall } from '../terminal/typed-call.js'
import type { ApplyFlags, UndoFlags } from './commands.js'
import { remember, withPoolSession } from './open-pool.js'
import { withSshReach } from './open-ssh.js'
import {
  describePlan,
  describeStep,
  renderHosts,
  reportPlanned,
  type TypedHere,
  toType,
  trustPlan,
  withErrorDocument,
} from './plan.js'
import { readTrustRequest, readUndoRequest } from './trust-request.js'

export async function trustApply(
  root: string,
  files: readonly string[],
  flags: ApplyFlags,
  call: TypedCall,
): Promise<void> {
  if (flags.dryRun) return trustPlan(root, files, flags, call)
  const typed = { root, call }
  const stop = stopOnInterrupt(toType('apply --resume', typed, flags))
  await withErrorDocument(flags, typed, () =>
    withPoolSession('trust apply', flags, async (session, choice) => {
      const request = await readTrustRequest(root, files, flags, choice)
      const pool = await readPoolNow(session)
      await remember(flags, session, choice, pool) // before Ctrl-C: the command that resumes names this pool
      const outcome = await applyPlan(
        session,
        request,
        pool,
        async (prepared) => {
          const { poolUser, allowDown, wlbPassword } = request
          const world = { session, observe: async () => prepared.connection, poolUser, allowDown, wlbPassword }
          const steps = reportPlanned(prepared, world)
          if (steps.every(({ state }) => state === 'already')) return true
          if (!flags.json && !stop.signal.aborted) printText(`${describePlan(visible(prepared), visible(steps))}\n\n`)
          return stop.confirm(`Carry it out on ${pool.name}?`, { command: 'wlb trust apply', yes: flags.yes })
        },
        {
          signal: stop.signal,
          onStep: (step) => void (flags.json || printText(`${describeStep(visible(step))}\n`)),
        },
      )
      if (!outcome) return
      printOutcome(outcome, outcome.plan, flags, typed, 'apply')
    }),
  )
}

type Verb = 'apply' | 'undo' | 'renew'

export function printOutcome(
  outcome: TrustOutcome,
  plan: Plan | undefined,
  flags: UndoFlags,
  typed: TypedHere,
  verb: Verb,
  goOn = verb === 'apply' ? 'apply --resume' : verb,
  isResumed = false,
  /** What was not the run's to take back, in a sentence. */
  stays = '',
): void {
  const { ended, hosts, failure } = outcome
  const isRefused = verb !== 'undo' && hosts.some(({ verdict }) => verdict === 'refused')
  const ok = ended === 'done' && !isRefused
  process.exitCode = ok ? EXIT.done : ended === 'interrupted' ? EXIT.interrupted : EXIT.no
  if (failure) printError(failure, 'text', typed)
  if (flags.json) {
    printJson(outcomeDocument(outcome, ok, plan))
    return
  }
  printText(
    `\n${renderHosts(hosts)}\n\n${lastLine(outcome, verb, goOn, (words) => toType(words, typed, flags, isResumed), stays)}\n`,
  )
}

function lastLine(
  { ended, reports, left, hosts }: TrustOutcome,
  verb: Verb,
  words: string,
  type: (words: string) => string,
  stays: string,
): string {
  const goOn = type(words)
  if (ended === 'interrupted') {
    const steps = `${reports.length} of ${reports.length + left.length} steps`
    const back = verb === 'undo' ? '' : `\nOr take it back:  ${type('undo')}`
    return `Stopped as asked, with ${steps} behind it. Go on:  ${goOn}${back}`
  }
  if (verb === 'undo') {
    if (ended === 'failed') return `Not all of it could be taken back. Once mended:  ${goOn}`
    if (reports.length === 0) return 'There is nothing to take back.'
    return stays === '' ? 'As it was before.' : `The pool is as it was before.\n${visibleLine(stays)}`
  }
  if (ended === 'failed') return `Stopped. Go on:  ${goOn}\nOr take it back:  ${type('undo')}`
  if (reports.every(({ state }) => state === 'already')) return 'Nothing was left to do.'
  const isProved = hosts.every(({ proof, verdict }) => proof === 'host' && verdict === 'accepted')
  const result = isProved ? 'Every host verifies, by its own word.' : 'Done; what is predicted is not proved yet.'
  return `${result} To take it back:  ${type('undo')}`
}

export async function trustUndo(root: string, flags: UndoFlags, call: TypedCall): Promise<void> {
  const typed = { root, call }
  const stop = stopOnInterrupt(toType('undo', typed, flags))
  await withErrorDocument(flags, typed, () =>
    withSshReach(flags, (ssh) =>
      withPoolSession('trust undo', flags, async (session, choice) => {
        const { otherPoolsReady = false } = flags
        const request = { ...(await readUndoRequest(root, flags, choice)), ssh, otherPoolsReady }
        const pool = await readPoolNow(session)
        let stays = ''
        const outcome = await undoLast(
          session,
          request,
          pool,
          async (journal) => {
            const foreign = await findForeignIdentity(root, journal.last)
            stays = foreign ? describeForeign(foreign, root) : ''
            const { poolUser, allowDown, wlbPassword } = request
            const unseen = async () => Promise.reject(new Error('nothing is observed to say what a step is'))
            const world = { session, observe: unseen, poolUser, allowDown, wlbPassword, ssh }
            const entries = openEntries(journal).reverse()
            if (!flags.json) {
              printText(`Of ${journal.last?.startedAt}, to be taken back:\n`)
              for (const { order } of entries) printText(`  ${visibleLine(makeStep(order, world).title)}\n`)
              const lost = entries.filter(({ order }) => order.kind === 'uninstall' && order.pem === null)
              for (const { order } of lost) {
                printText(
                  `  cannot be brought back, its bytes are not known: ${visibleLine(makeStep(order, world).title)}\n`,
                )
              }
            }
            if (!flags.json && stays !== '') printText(`  ${visibleLine(stays)}\n`)
            return stop.confirm(`Take it back on ${pool.name}?`, { command: 'wlb trust undo', yes: flags.yes })
          },
          {
            signal: stop.signal,
            onWait: (what) => printNote(`waiting: ${visibleLine(what)}\n`),
            onStep: (step) => void (flags.json || printText(`${describeStep(visible(step))}\n`)),
          },
        )
        if (outcome) printOutcome(outcome, undefined, flags, typed, 'undo', 'undo', false, stays)
      }),
    ),
  )
}

function describeForeign({ subject, installedAt, how }: IdentityRecord, root: string): string {
  const back = visibleCommand(inRoot('wlb cert history', root))
  const what = visibleLine(`${subject ?? 'it'} came at ${installedAt} (${how})`)
  return `The certificate of the appliance stays: ${what}, not by that run. What was before:  ${back}`
}
