/** `wlb trust plan`, and how plans, steps and hosts are shown by it, by `apply`, `undo` and `renew`. */

import { WlbError } from '../../base/error.js'
import { counted } from '../../base/text/counted.js'
import { visible, visibleCommand } from '../../base/text/printable.js'
import {
  type HostVerdict,
  makeStep,
  type Prepared,
  planDocument,
  preparePlan,
  refusalDocument,
  report,
  type StepContext,
  type StepReport,
} from '../../trust/index.js'
import { asTyped, inRoot, printError, printJson, printText, renderFacts, renderTable } from '../terminal/print.js'
import { repeatTyped, type TypedCall } from '../terminal/typed-call.js'
import type { CredentialFlags, PlanFlags } from './commands.js'
import { remember, withPoolSession } from './open-pool.js'
import { readTrustRequest } from './trust-request.js'

export async function trustPlan(
  root: string,
  files: readonly string[],
  flags: PlanFlags,
  call: TypedCall,
): Promise<void> {
  await withErrorDocument(flags, { root, call }, () =>
    withPoolSession('trust plan', flags, async (session, choice) => {
      const request = await readTrustRequest(root, files, flags, choice)
      const prepared = await preparePlan(session, request)
      await remember(flags, session, choice, prepared.connection.pool)
      const { poolUser, allowDown, wlbPassword } = request
      const context: StepContext = {
        session,
        observe: async () => prepared.connection,
        poolUser,
        allowDown,
        wlbPassword,
      }
      printPlan(prepared, reportPlanned(prepared, context), flags, { root, call })
    }),
  )
}

export function reportPlanned({ plan }: Prepared, context: StepContext): readonly StepReport[] {
  return plan.steps.map(({ order, state }) => report(makeStep(order, context), state))
}

function printPlan(prepared: Prepared, steps: readonly StepReport[], flags: PlanFlags, typed: TypedHere): void {
  const { plan } = prepared
  const [obstacle] = plan.obstacles
  if (flags.json) printJson(planDocument(plan, steps))
  else printText(`${describePlan(visible(prepared), visible(steps))}\n`)
  if (obstacle) process.exitCode = printError(obstacle, 'text', typed)
  else if (!flags.json) printText(`\n${lastLine(steps, typed, flags)}\n`)
}

/** The folder the command works in, and all that was typed. */
export interface TypedHere {
  readonly root: string
  readonly call: TypedCall
}

function lastLine(steps: readonly StepReport[], typed: TypedHere, flags: PlanFlags): string {
  if (steps.every(({ state }) => state === 'already')) return 'Nothing is left to do.'
  return `To carry it out:  ${toType(`apply${flags.goal ? '' : ' --resume'}`, typed, flags)}`
}

/** A command for the same pool, which is remembered by its name unless anybody could have answered for it. */
export function toType(
  words: string,
  { root, call }: TypedHere,
  { poolInsecure }: CredentialFlags,
  isResumed = false,
): string {
  const memory = { isRemembered: !poolInsecure, isResumed }
  return visibleCommand(inRoot(repeatTyped(`wlb trust ${words}`, call, memory), root))
}

/** With `--json` an error is printed in the shape of every other answer, so that a script only reads `ok`. */
export async function withErrorDocument(
  { json = false }: { readonly json?: boolean },
  typed: TypedHere,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!json || !(error instanceof WlbError)) throw error
    process.exitCode = printError(error, 'text', typed)
    printJson(refusalDocument(error, asTyped(error.remedy, typed)))
  }
}

const VOUCHED = {
  files: 'the files given',
  fingerprint: 'the fingerprint given',
  pool: 'the pool, which has it installed',
  appliance: 'the appliance itself, asked on its own machine or over SSH',
  journal: 'the same as when the interrupted run began',
  person: 'you, who compared the fingerprints',
}

export function describePlan({ connection, plan, trusted }: Prepared, steps: readonly StepReport[]): string {
  const { pool, appliance, hosts } = connection
  const [coordinator] = hosts
  const [leaf] = trusted.candidates
  const identity = appliance.local?.identity
  const own = identity && 'fingerprintSha256' in identity ? identity.fingerprintSha256 : undefined
  const stated = trusted.stated ?? own
  const facts = renderFacts([
    ['pool', `${pool.name} (${pool.uuid}), ${counted(hosts.length, 'host')}`],
    ['coordinator', `${coordinator?.name} at ${coordinator?.address}`],
    ['appliance', `${plan.name}, asked at ${appliance.host}:${appliance.port}`],
    ['connected to', pool.wlbUrl || 'nothing yet'],
    ['vouched for by', VOUCHED[trusted.by]],
    ...(plan.goal === 'self-signed' && leaf ? [['seen from here', leaf.fingerprint256] as const] : []),
    ...(stated === undefined ? [] : [['it says itself', stated] as const]),
  ])
  const numbered = steps.map(({ title, command, state }, index) => {
    return `${String(index + 1).padStart(2)}. ${title}${state === 'already' ? ' (already so)' : ''}\n    # ${command}`
  })
  const byHand = plan.byHand.map(
    ({ title, command }) => ` -  by hand, or with --wlb-password-file FILE: ${title}\n    # ${command}`,
  )
  const notes = plan.notes.map((note) => `note: ${note}`)
  return [
    facts,
    [...numbered, ...byHand].join('\n'),
    ...(notes.length > 0 ? [notes.join('\n')] : []),
    renderHosts(plan.verdicts),
  ].join('\n\n')
}

export function renderHosts(hosts: readonly HostVerdict[]): string {
  const rows = hosts.map(({ host, verdict, proof, error, why }) => {
    const said = proof === 'host' ? 'said by the host' : 'predicted'
    return [host, verdict, said, error.length > 0 ? error.join(': ') : why]
  })
  return renderTable(['host', 'verdict', 'proof', ''], rows)
}

const SIGNS = { done: 'done', already: 'already so', failed: 'FAILED', undone: 'undone', planned: 'to do' }

export function describeStep({ title, state, error }: StepReport): string {
  const lines = [`${SIGNS[state].padEnd(10)}  ${title}`]
  if (error) lines.push(`            ${error.message} [${error.code}]`)
  return lines.join('\n')
}
