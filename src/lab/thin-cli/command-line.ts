/**
 * The command line of `xe`: from the body of a request to a command's name and parameters, and why one is refused
 * (docs/protocol/thin-cli.md, arguments).
 */

/** In the order typed; of several with one key the first counts, though filters use every one. */
export type Parameters = readonly (readonly [key: string, value: string])[]

export interface CommandLine {
  readonly name: string
  readonly parameters: Parameters
}

/** Keys that every command takes: they are neither filters nor fields. */
export const STANDARD_KEYS: readonly string[] = [
  'server',
  'password',
  'port',
  'username',
  'minimal',
  'force',
  'multiple',
  'all',
  'message-priority',
  'trace',
]

const SWITCHES: Readonly<Record<string, string>> = {
  '-u': 'username',
  '-pw': 'password',
  '-s': 'server',
  '-h': 'server',
  '-p': 'port',
}

const SESSION_LINE = 'session_id='

/** Splits a body into arguments, one per line. A first line that names a session is taken off. */
export function splitBody(body: Buffer): { readonly sessionRef: string | undefined; readonly args: readonly string[] } {
  const lines = body
    .toString()
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
  const first = lines[0]
  return first?.startsWith(SESSION_LINE)
    ? { sessionRef: first.slice(SESSION_LINE.length), args: lines.slice(1) }
    : { sessionRef: undefined, args: lines }
}

/** Reads the command and its parameters; throws a `Refusal` when there is no command, or an unknown switch. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const [name, ...rest] = args
  if (name === undefined || name.includes('=')) throw syntaxError()
  const parameters: [string, string][] = []
  for (let index = 0; index < rest.length; index++) {
    const word = rest[index] ?? ''
    if (word.startsWith('--')) {
      parameters.push([word.slice(2), 'true'])
    } else if (word.startsWith('-')) {
      const key = SWITCHES[word]
      const value = rest[++index]
      if (key === undefined || value === undefined) throw syntaxError()
      parameters.push([key, value])
    } else {
      const at = word.indexOf('=')
      parameters.push(at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)])
    }
  }
  return { name, parameters }
}

export function findValue(parameters: Parameters, key: string): string | undefined {
  return parameters.find(([candidate]) => candidate === key)?.[1]
}

/** The value of a key that the command's table requires. */
export function requireValue(parameters: Parameters, key: string): string {
  const value = findValue(parameters, key)
  if (value === undefined) throw usageRefusal(`Required parameter not found: ${key}`)
  return value
}

const FLAG_VALUES: Readonly<Record<string, boolean>> = {
  true: true,
  t: true,
  yes: true,
  y: true,
  1: true,
  false: false,
  f: false,
  no: false,
  n: false,
  0: false,
}

/** Whether a flag is set; absent is no. Throws a `Refusal` when the value says neither. */
export function isSet(parameters: Parameters, key: string): boolean {
  const value = findValue(parameters, key)
  if (value === undefined) return false
  const flag = Object.hasOwn(FLAG_VALUES, value.toLowerCase()) ? FLAG_VALUES[value.toLowerCase()] : undefined
  if (flag === undefined) {
    throw refusal(
      `Failed to parse parameter '${key}': Expected 'true','t','yes','y','1','false','f','no','n','0' got ${value}`,
    )
  }
  return flag
}

/** Without the keys that never name a field, and those the command itself takes. */
export function withoutKeys(parameters: Parameters, ...own: readonly string[]): Parameters {
  return parameters.filter(([key]) => !STANDARD_KEYS.includes(key) && !own.includes(key))
}

/** The entries of `name:key=value` (and of the older `name-key=value`). */
export function mapEntries(parameters: Parameters, name: string): Parameters {
  const start = name.length + 1
  return parameters
    .filter(([key]) => key.startsWith(name) && key.length > start)
    .map(([key, value]) => [key.slice(start), value] as const)
}

function syntaxError(): Refusal {
  return usageRefusal('Syntax error: ')
}

export type RefusalReason =
  /** Printed as it is, behind `Error: `. */
  | { readonly kind: 'error'; readonly text: string }
  /** A mistake in the words typed; the hint about the help follows. */
  | { readonly kind: 'usage'; readonly text: string }
  | { readonly kind: 'no-such-parameter'; readonly name: string }
  /** Some of several objects failed, each with its reason. */
  | { readonly kind: 'several'; readonly failures: readonly (readonly [uuid: string, text: string])[] }
  /** Everything was printed; only the exit status remains. */
  | { readonly kind: 'exit'; readonly status: number }

/** A command is refused because of its command line; refusals by the pool are `ApiFailure`. */
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
