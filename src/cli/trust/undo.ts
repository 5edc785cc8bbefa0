/** `wlb trust undo`: what the last run did, taken back in reverse. */
import { makeStep, openEntries, readPoolNow, undoLast } from '../../trust/index.js'
import { printOutcome } from './apply.js'
import type { UndoFlags } from './commands.js'
import { withPoolSession } from './open-pool.js'
import { withSshReach } from './open-ssh.js'
import { refusalsWhole, toType } from './plan.js'
import { describeStep } from './plan-text.js'
import { hearStop } from './safe-stop.js'
import { readUndoRequest } from './trust-request.js'

export async function trustUndo(root: string, flags: UndoFlags): Promise<void> {
  const stop = hearStop(toType('undo', root, flags))
  await refusalsWhole(flags, root, () =>
    withSshReach(flags, (ssh) =>
      withPoolSession(flags, async (session, choice) => {
        const { otherPoolsReady = false } = flags
        const request = { ...(await readUndoRequest(root, flags, choice)), ssh, otherPoolsReady }
        const pool = await readPoolNow(session)
        const outcome = await undoLast(
          session,
          request,
          pool,
          async (journal) => {
            const { poolUser, allowDown, wlbPassword } = request
            const unseen = async () => Promise.reject(new Error('nothing is observed to say what a step is'))
            const world = { session, observe: unseen, poolUser, allowDown, wlbPassword, ssh }
            const entries = openEntries(journal).reverse()
            if (!flags.json) {
              process.stdout.write(`Of ${journal.last?.startedAt}, to be taken back:\n`)
              for (const { order } of entries) process.stdout.write(`  ${makeStep(order, world).title}\n`)
              const lost = entries.filter(({ order }) => order.kind === 'uninstall' && order.pem === null)
              for (const { order } of lost) {
                process.stdout.write(
                  `  cannot be brought back, its bytes are not known: ${makeStep(order, world).title}\n`,
                )
              }
            }
            return stop.confirm(`Take it back on ${pool.name}?`, 'wlb trust undo', flags.yes ?? false)
          },
          {
            signal: stop.signal,
            onWait: (what) => void process.stderr.write(`waiting: ${what}\n`),
            onStep: (step) => void (flags.json || process.stdout.write(`${describeStep(step)}\n`)),
          },
        )
        if (outcome) printOutcome(outcome, undefined, flags, root, 'undo')
      }),
    ),
  )
}
