/** `wlb trust plan`: what would be done, and what every host would say; nothing is changed. */

import { WlbError } from '../../base/error.js'
import { quoteWord } from '../../base/quote-word.js'
import {
  makeStep,
  type Prepared,
  planDocument,
  preparePlan,
  refusalDocument,
  report,
  type StepReport,
  type World,
} from '../../trust/index.js'
import { formatWlbAddress } from '../../xapi/index.js'
import { inRoot, printError, printJson } from '../print.js'
import type { CredentialFlags, PlanFlags } from './commands.js'
import { remember, withPoolSession } from './open-pool.js'
import { describePlan } from './plan-text.js'
import { readTrustRequest } from './trust-request.js'

export async function trustPlan(root: string, files: readonly string[], flags: PlanFlags): Promise<void> {
  await refusalsWhole(flags, root, () =>
    withPoolSession(flags, async (session, choice) => {
      const request = await readTrustRequest(root, files, flags, choice)
      const prepared = await preparePlan(session, request)
      await remember(flags, session, choice, prepared.connection.pool)
      const { poolUser, allowDown, wlbPassword } = request
      const world: World = { session, observe: async () => prepared.connection, poolUser, allowDown, wlbPassword }
      printPlan(prepared, reportPlanned(prepared, world), flags, root)
    }),
  )
}

export function reportPlanned({ plan }: Prepared, world: World): readonly StepReport[] {
  return plan.steps.map(({ order, state }) => report(makeStep(order, world), state))
}

export function printPlan(prepared: Prepared, steps: readonly StepReport[], flags: PlanFlags, root: string): void {
  const { plan } = prepared
  const [obstacle] = plan.obstacles
  if (flags.json) printJson(planDocument(plan, steps))
  else process.stdout.write(`${describePlan(prepared, steps)}\n`)
  if (obstacle) process.exitCode = printError(obstacle, 'text', root)
  else if (!flags.json) process.stdout.write(`\n${lastLine(steps, root, flags)}\n`)
}

function lastLine(steps: readonly StepReport[], root: string, flags: PlanFlags): string {
  if (steps.every(({ state }) => state === 'already')) return 'Nothing is left to do.'
  return `To carry it out:  ${toType(`apply${flags.goal ? ` --goal ${flags.goal}` : ' --resume'}`, root, flags)}`
}

/** For the same pool: what is not remembered of it has to be typed again. */
export function toType(words: string, root: string, flags: CredentialFlags): string {
  const { pool, poolInsecure, username, passwordFile, appliance, wlbPasswordFile } = flags
  const forgotten = poolInsecure
    ? [
        ['--username', username],
        ['--password-file', passwordFile],
        ['--pool-insecure', ''],
        ['--appliance', appliance && formatWlbAddress(appliance)],
      ]
    : []
  const typed = [['--pool', pool], ...forgotten, ['--wlb-password-file', wlbPasswordFile]]
  const options = typed.flatMap(([flag, value]) =>
    value === undefined ? [] : [` ${flag}`, ...(value === '' ? [] : [` ${quoteWord(value)}`])],
  )
  return inRoot(`wlb trust ${words}${options.join('')}`, root)
}

/** With `--json` a refusal has the shape of every other answer, so that a script reads `ok` and nothing else. */
export async function refusalsWhole(
  { json = false }: { readonly json?: boolean },
  root: string,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!json || !(error instanceof WlbError)) throw error
    process.exitCode = printError(error, 'text', root)
    printJson(refusalDocument(error))
  }
}
