/** The one class of errors, and the tables its codes come from: what happened, what was found, what to type next. */

/** Flat and printable, units in the names: `{ host: 'xs3', expiredDays: 4 }`. Never a secret. */
export type Facts = Readonly<Record<string, FactValue>>
type FactValue = string | number | boolean

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

/** An error as programs read it. */
export function errorDocument({ code, message, facts, remedy }: WlbError): ErrorDocument {
  return { code, message, facts, remedy }
}
export type ErrorDocument = Pick<WlbError, 'code' | 'message' | 'facts' | 'remedy'>

/**
 * The names of a row's facts as a type. A fact whose name ends in `?` may be left out; a name that ends in `*` stands for
 * facts that are named by what was found, one a host for example. A name in parentheses is for message and remedy only: it is
 * not printed.
 */
type FactsOf<Name extends string> = { readonly [N in RequiredName<Name>]: FactValue } & {
  readonly [N in OptionalName<Name>]?: FactValue | undefined
} & { readonly [N in GroupName<Name>]: Facts }
type RequiredName<Name extends string> = Name extends `${string}?` | `${string}*`
  ? never
  : Name extends `(${infer Base})`
    ? Base
    : Name
type GroupName<Name extends string> = Name extends `${infer Base}*` ? Base : never
type OptionalName<Name extends string> = Name extends `${infer Base}?` ? Base : never

/** A sentence or a command; a function of the facts where it has to name one. */
type Text<Name extends string> = string | ((facts: FactsOf<Name>) => string)

export interface ErrorRow<Name extends string = string> {
  readonly message: Text<Name>
  /** In the order in which they are printed. */
  readonly facts: readonly Name[]
  readonly remedy: Text<Name>
}

/** What a code stands for, with one error of it made by `fail`. */
export interface ErrorTable<Names extends Record<string, string>> {
  readonly rows: { readonly [Code in keyof Names]: ErrorRow<Names[Code]> }
  /** Makes the error; it is for the caller to throw. `cause` is the lower error, kept as such. */
  fail<Code extends keyof Names & string>(code: Code, facts: FactsOf<Known<Names[Code]>>, cause?: unknown): WlbError
}
/** A row without facts is inferred with any name: it takes none. */
type Known<Name extends string> = string extends Name ? never : Name

/**
 * Defines the errors of a room: `const { fail } = defineErrors({ CODE: { message, facts, remedy } })`. A code that is not in
 * the table, a fact that is missing and one that the row does not name do not compile. The reference page is printed from
 * `rows`.
 */
export function defineErrors<Names extends Record<string, string>>(rows: ErrorTable<Names>['rows']): ErrorTable<Names> {
  return {
    rows,
    fail(code, given, cause) {
      const { message, facts: names, remedy }: ErrorRow = rows[code]
      const values: Readonly<Record<string, FactValue | Facts | undefined>> = given
      const valuesOf = (wanted: readonly string[]) =>
        Object.fromEntries(
          wanted.flatMap((name): [string, FactValue][] => {
            const bare = name.replace(/[?*]$|[()]/g, '')
            const value = values[bare]
            if (typeof value === 'object') return Object.entries(value)
            return value === undefined ? [] : [[bare, value]]
          }),
        )
      const facts = valuesOf(names.filter((name) => !name.startsWith('(')))
      const text = (part: Text<string>) => (typeof part === 'string' ? part : part(valuesOf(names)))
      return new WlbError(code, text(message), facts, text(remedy), cause)
    },
  }
}
