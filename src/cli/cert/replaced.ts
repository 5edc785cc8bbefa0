/** What a change of the identity has done, for people and for programs. */

import { quoteWord } from '../../base/quote-word.js'
import type { Replacement, ReplaceStep } from '../../identity/index.js'
import { inRoot, renderFacts } from '../print.js'

export function describeSteps(steps: readonly ReplaceStep[]): string {
  return steps
    .flatMap(({ what, command }, index) => [`${String(index + 1).padStart(2)}. ${what}`, `    # ${command}`])
    .join('\n')
}

export function describeReplacement(root: string, { installed, activation }: Replacement): string {
  const served =
    activation.state === 'proved'
      ? activation.proofs.map(
          ({ who, address, port }) => `by the ${who} on ${address} port ${port}, proved by a handshake`,
        )
      : [`not yet: nothing is running here; start it with  wlb --root ${quoteWord(root)} serve`]
  return [
    installed.state === 'already so' ? 'Already so; nothing was changed.' : 'Done.',
    renderFacts([
      ['SHA-256', activation.fingerprintSha256],
      ...served.map((text): [string, string] => ['served', text]),
      ['history', installed.id],
      ...(installed.replaced ? [['replaced', installed.replaced.id] as [string, string]] : []),
      ...(installed.replaced ? [['undo', inRoot('wlb cert rollback', root)] as [string, string]] : []),
    ]),
  ].join('\n')
}

export function documentOf({ installed, activation }: Replacement) {
  return { state: installed.state, id: installed.id, replaced: installed.replaced?.id ?? null, activation }
}
