/** Why a command was not carried out, as far as the command line itself is the reason; the pool's own are `ApiFailure`. */

export type RefusalReason =
  /** Printed as it is, behind `Error: `. */
  | { readonly kind: 'error'; readonly text: string }
  /** A mistake in the words typed; the hint about the help follows. */
  | { readonly kind: 'usage'; readonly text: string }
  | { readonly kind: 'no-such-parameter'; readonly name: string }
  /** Everything has been said; only the status is left. */
  | { readonly kind: 'exit'; readonly status: number }

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly reason: RefusalReason

  constructor(reason: RefusalReason) {
    super('text' in reason ? reason.text : reason.kind)
    this.reason = reason
  }
}

export function refusal(text: string): Refusal {
  return new Refusal({ kind: 'error', text })
}

export function usageRefusal(text: string): Refusal {
  return new Refusal({ kind: 'usage', text })
}
