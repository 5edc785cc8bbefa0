/** The one class of errors: what it is called, what was found, what to type next (docs/reference.md lists every code). */

/** Flat and printable, units in the names: `{ host: 'xs3', expiredDays: 4 }`. Never a secret. */
export type Facts = Readonly<Record<string, string | number | boolean>>

/** Something an operator can act on. Whoever catches it switches on `code`, never on the text. */
export class WlbError extends Error {
  override readonly name = 'WlbError'
  readonly code: string
  readonly facts: Facts
  /** A command that can be pasted. */
  readonly remedy: string

  constructor(code: string, message: string, facts: Facts, remedy: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
    this.facts = facts
    this.remedy = remedy
  }
}
