/** `wlb cert history` and `wlb cert rollback`: the identities that were in place here, and the return to an earlier one. */

import { visible, visibleLine } from '../../base/text/printable.js'
import { quoteWord } from '../../base/text/quote-word.js'
import {
  findRollback,
  historyDocument,
  type InstallStep,
  type KeptIdentity,
  listIdentities,
  type RollbackTarget,
  replaceIdentity,
  replacementDocument,
  replaceSteps,
} from '../../identity/index.js'
import { daysFrom, printJson, printNote, printText, renderFacts, toType } from '../terminal/print.js'
import type { RollbackFlags } from './commands.js'
import { describeReplacement, renderSteps } from './install-text.js'
import { describePools, isSureOfPools, lookAtPools, NO_POOLS, poolsDocument } from './pools-first.js'

export async function certHistory(root: string, json = false): Promise<void> {
  const kept = await listIdentities(root)
  if (json) printJson(historyDocument(kept))
  else printText(`${describeKept(visible(kept), new Date(), root)}\n`)
}

function describeKept(kept: readonly KeptIdentity[], now: Date, root: string): string {
  if (kept.length === 0) return 'No certificate was ever in place here.'
  const hasEarlier = kept.some(({ isInPlace, fault }) => !isInPlace && fault === null)
  return [
    ...kept.map((one) => describeOne(one, now)),
    ...(hasEarlier ? [`Go back to one:  ${toType('wlb cert rollback ID', root)}`] : []),
  ].join('\n\n')
}

const SOURCES: Readonly<Record<KeptIdentity['how'], string>> = {
  setup: 'made by the set-up',
  install: 'installed',
  acme: 'from an ACME authority',
  'self-signed': 'self-signed anew',
  rollback: 'gone back to',
  found: 'put there by hand',
}

function describeOne(one: KeptIdentity, now: Date): string {
  const { id, how, installedAt, replacedAt, isInPlace, isOriginal, fault, subject, fingerprintSha256, notAfter } = one
  const until = isInPlace ? 'IN PLACE' : `until ${replacedAt ?? 'somebody took it away'}`
  const facts = [
    ['from', `${installedAt}, ${SOURCES[how]}`],
    ['subject', subject],
    ['valid until', notAfter && `${notAfter} (${daysFrom(now, new Date(notAfter))})`],
    ['SHA-256', fingerprintSha256],
    ['UNUSABLE', fault],
  ] as const
  const known = facts.flatMap(([label, value]): [string, string][] => (value ? [[label, value]] : []))
  return `${id}  ${until}${isOriginal ? ', kept as server.pem_orig' : ''}\n${renderFacts(known).replace(/^/gm, '  ')}`
}

/** @throws USAGE_NEEDS_YES, POOLS_WOULD_REFUSE, and what `findRollback` and `replaceIdentity` throw. */
export async function certRollback(root: string, id: string | undefined, flags: RollbackFlags): Promise<void> {
  const now = new Date()
  const target = await findRollback(root, id)
  const steps = target.isInPlace ? [] : replaceSteps(root, target.from)
  const show = flags.json ? printNote : printText
  show(`${describePlan(target, steps, now)}\n`)
  const ahead = target.isInPlace ? NO_POOLS : await lookAtPools(root, target.identity.certificatePem)
  const renewal = `wlb trust renew ${quoteWord(target.from.certificate)} --key ${quoteWord(target.from.key)}`
  for (const line of describePools(ahead, renewal, root)) show(`${line}\n`)
  if (flags.dryRun) {
    if (flags.json)
      printJson({
        state: target.isInPlace ? 'already so' : 'planned',
        id: target.record.id,
        steps: steps.map(({ what, command }) => ({ what, command })),
        ...poolsDocument(ahead),
      })
    return
  }
  const sure = await isSureOfPools(ahead, {
    question: `Go back to ${target.record.subject ?? 'it'}?`,
    command: `wlb cert rollback ${id === undefined ? '' : quoteWord(id)}`.trim(),
    renewal,
    root,
    flags: { yes: target.isInPlace || flags.yes, anyway: flags.anyway },
  })
  if (!sure) return
  const onStep = (step: string) => printNote(`${visibleLine(step)} ...\n`)
  const done = await replaceIdentity(root, target.identity, { how: 'rollback', now, onStep })
  if (flags.json) printJson({ ...replacementDocument(done), ...poolsDocument(ahead) })
  else printText(`\n${describeReplacement(root, done)}\n`)
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
