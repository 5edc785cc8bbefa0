/** `wlb trust renew`: the plan is shown, confirmed once, and carried out phase by phase. */

import { counted } from '../../base/text/counted.js'
import { visible } from '../../base/text/printable.js'
import { findRoute, renderSshTarget } from '../../ssh/index.js'
import {
  type IdentityPlace,
  makeStep,
  type PreparedRenewal,
  placeHere,
  placeOverSsh,
  RESTART_COMMAND,
  readPoolNow,
  renew,
  renewalDocument,
  report,
  type SshReach,
  type StepContext,
} from '../../trust/index.js'
import { describeCertificate } from '../../x509/index.js'
import { configFolder } from '../../xapi/index.js'
import { fail } from '../errors.js'
import { readSecretFile, sayOpening, stopOnInterrupt } from '../terminal/ask.js'
import { printJson, printText, renderFacts } from '../terminal/print.js'
import type { TypedCall } from '../terminal/typed-call.js'
import { printOutcome } from './apply.js'
import type { RenewFlags } from './commands.js'
import { remember, withPoolSession } from './open-pool.js'
import { withSshReach } from './open-ssh.js'
import { describeStep, renderHosts, type TypedHere, toType, withErrorDocument } from './plan.js'
import { readWlbPassword } from './trust-request.js'

/** @throws USAGE_NEEDS_MANAGE, USAGE_NEEDS_SSH, and what `renew` throws. */
export async function trustRenew(
  root: string,
  files: readonly string[],
  flags: RenewFlags,
  call: TypedCall,
): Promise<void> {
  const typed = { root, call }
  await withErrorDocument(flags, typed, () => withSshReach(flags, (ssh) => renewWith(ssh, typed, files, flags)))
}

async function placeFrom(flags: RenewFlags, root: string, reach: SshReach): Promise<IdentityPlace> {
  const { ssh, manage = false, dryRun = false, applianceRoot = '/', restartCommand = RESTART_COMMAND } = flags
  if (ssh === undefined) {
    if (manage) throw fail('USAGE_NEEDS_SSH', { missing: '--ssh' })
    return placeHere(root)
  }
  if (!manage && !dryRun) throw fail('USAGE_NEEDS_MANAGE', { ssh, missing: '--manage, or --dry-run' })
  const { destination } = await findRoute(ssh)
  // user and port as they are now: the journal keeps them
  return placeOverSsh({ target: renderSshTarget(destination.target), root: applianceRoot, restartCommand }, reach)
}

async function renewWith(ssh: SshReach, typed: TypedHere, files: readonly string[], flags: RenewFlags): Promise<void> {
  const { json = false } = flags
  const stop = stopOnInterrupt(toType('renew', typed, flags, isInJournal(flags)))
  const place = await placeFrom(flags, typed.root, ssh)
  await withPoolSession('trust renew', flags, async (session, choice) => {
    const pool = await readPoolNow(session)
    await remember(flags, session, choice, pool) // before Ctrl-C: the command that resumes names this pool
    const poolUser = { userName: choice.access.userName, password: choice.access.password }
    const wlbPassword = await readWlbPassword(flags.wlbPasswordFile)
    const passphrase = await readSecretFile(flags.passphraseFile)
    const request = {
      place,
      ssh,
      poolUser,
      wlbPassword,
      name: flags.name,
      wlbUserName: flags.wlbUsername,
      given: { files, keyFile: flags.key, passphrase, onSlow: sayOpening },
      appliance: choice.appliance,
      home: configFolder(),
      otherPoolsReady: flags.otherPoolsReady ?? false,
      now: new Date(),
    }
    const isMeant = async (prepared: PreparedRenewal) => {
      const steps = prepared.orders.map((order) => {
        const observe = async () => prepared.connection
        const context: StepContext = { session, observe, allowDown: false, poolUser, wlbPassword, ssh }
        return report(makeStep(order, context), 'planned')
      })
      if (flags.dryRun && json) printJson(renewalDocument(prepared, steps))
      if (!json && !stop.signal.aborted) printText(`${describeRenewal(visible(prepared), visible(steps))}\n\n`)
      if (flags.dryRun) return false
      return stop.confirm(`Exchange the certificate for ${pool.name}?`, { command: 'wlb trust renew', yes: flags.yes })
    }
    const outcome = await renew(session, request, pool, isMeant, {
      signal: stop.signal,
      onStep: (step) => void (json || printText(`${describeStep(visible(step))}\n`)),
    })
    if (!outcome) return
    printOutcome(outcome, undefined, flags, typed, 'renew', 'renew', isInJournal(flags))
  })
}

/** What was begun here goes on without the files; over SSH it needs them and the key again. */
function isInJournal({ ssh }: RenewFlags): boolean {
  return ssh === undefined
}

function describeRenewal(prepared: PreparedRenewal, steps: readonly { title: string; command: string }[]): string {
  const { connection, leaf, notes, verdicts, isResumed } = prepared
  const { pool, appliance } = connection
  const next = leaf && describeCertificate(leaf)
  return [
    ...(isResumed ? ['Going on with the renewal that was cut short.'] : []),
    renderFacts([
      ['pool', `${pool.name} (${pool.uuid}), ${counted(connection.hosts.length, 'host')}`],
      ['appliance', `${appliance.name}, asked at ${appliance.host}:${appliance.port}`],
      ...(next ? [['new certificate', `${next.subject}, until ${next.notAfter.toISOString()}`] as const] : []),
      ...(next ? [['SHA-256', next.fingerprintSha256] as const] : []),
    ]),
    steps.map(({ title, command }, index) => `${String(index + 1).padStart(2)}. ${title}\n    # ${command}`).join('\n'),
    ...(notes.length > 0 ? [notes.map((note) => `note: ${note}`).join('\n')] : []),
    renderHosts(verdicts),
  ].join('\n\n')
}
