/** `wlb balance what-if`: plan and capacity now, and after a change. */

import { type Comparison, compare, type Pool } from '../../balance/index.js'
import { visible } from '../../base/text/printable.js'
import { printJson, printText, renderTable } from '../terminal/print.js'
import type { WhatIfFlags } from './commands.js'
import { describePlan } from './plan.js'
import { invalid, readDocument } from './read-document.js'

/** @throws POOL_DOCUMENT_INVALID, also for a change that names what the document does not hold. */
export async function balanceWhatIf(flags: WhatIfFlags): Promise<void> {
  const pool = await readDocument(flags.poolFile)
  const answer = compare(
    pool,
    [
      ...(flags.addHost ?? []).map((like) => ({ kind: 'add-host', like }) as const),
      ...(flags.removeHost ?? []).map((host) => ({ kind: 'remove-host', host }) as const),
      ...(flags.addRule ?? []),
    ],
    flags.vm,
  )
  if ('problems' in answer) throw invalid(flags.poolFile, answer.problems)
  if (flags.json) printJson(answer.comparison)
  else printText(`${describe(visible(answer.changed), visible(answer.comparison))}\n`)
}

function describe(changed: Pool, { now, then }: Comparison): string {
  const row = (name: string, of: (answers: Comparison['now']) => string | number) => [name, `${of(now)}`, `${of(then)}`]
  return [
    renderTable(
      ['', 'now', 'then'],
      [
        row('verdict', ({ plan }) => plan.verdict),
        row('moves', ({ plan }) => plan.moves.length),
        row('not repaired', ({ plan }) => plan.stuck.length),
        row('congestion after', ({ plan }) => plan.after.congestion),
        row('minutes over 90 % after', ({ plan }) => plan.after.minutesOver90),
        row('hosts that may fail', ({ capacity }) => capacity.failures.hosts),
        ...(now.capacity.more ? [row('more VMs like it', ({ capacity }) => capacity.more?.total ?? 0)] : []),
      ],
    ),
    '',
    'Then:',
    describePlan(changed, then.plan),
  ].join('\n')
}
