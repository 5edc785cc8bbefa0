/** `wlb cert rollback`: an earlier certificate and key, in place and in service again. */

import { quoteWord } from '../../base/quote-word.js'
import {
  findRollback,
  type InstallStep,
  type RollbackTarget,
  replaceIdentity,
  replacementDocument,
  replaceSteps,
} from '../../identity/index.js'
import { daysFrom, printJson, renderFacts } from '../print.js'
import type { RollbackFlags } from './commands.js'
import { describeReplacement, renderSteps } from './install-text.js'
import { isSure } from './sure.js'

/** @throws USAGE_NEEDS_YES, and what `findRollback` and `replaceIdentity` throw. */
export async function certRollback(root: string, id: string | undefined, flags: RollbackFlags): Promise<void> {
  const now = new Date()
  const target = await findRollback(root, id)
  const steps = target.isInPlace ? [] : replaceSteps(root, target.from)
  const screen = flags.json ? process.stderr : process.stdout
  screen.write(`${describePlan(target, steps, now)}\n`)
  if (flags.dryRun) {
    if (flags.json)
      printJson({
        state: target.isInPlace ? 'already so' : 'planned',
        id: target.record.id,
        steps: steps.map(({ what, command }) => ({ what, command })),
      })
    return
  }
  const question = `Go back to ${target.record.subject ?? 'it'}?`
  const command = `wlb cert rollback ${id === undefined ? '' : quoteWord(id)}`.trim()
  if (!target.isInPlace && !(await isSure(question, command, flags.yes ?? false))) return
  const onStep = (step: string) => void process.stderr.write(`${step} ...\n`)
  const done = await replaceIdentity(root, target.identity, { how: 'rollback', now, onStep })
  if (flags.json) printJson(replacementDocument(done))
  else process.stdout.write(`\n${describeReplacement(root, done)}\n`)
}

function describePlan({ record, isInPlace }: RollbackTarget, steps: readonly InstallStep[], now: Date): string {
  const { id, subject, notAfter, fingerprintSha256 } = record
  const expiry = notAfter === null ? 'unknown' : `${notAfter} (${daysFrom(now, new Date(notAfter))})`
  const isExpired = notAfter !== null && new Date(notAfter) < now
  return [
    renderFacts([
      ['identity', id],
      ['subject', subject ?? 'unknown'],
      ['valid until', isExpired ? `${expiry}: EXPIRED, pools that verify refuse it` : expiry],
      ['SHA-256', fingerprintSha256 ?? 'unknown'],
    ]),
    '',
    isInPlace ? 'This pair is in place already.' : renderSteps(steps),
  ].join('\n')
}
