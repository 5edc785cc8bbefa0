/** One command of `xe`: what it is called, what it needs, what it does. */
import type { Rpc } from '../host/rpc.js'
import type { Parameters } from './arguments.js'
import type { Conversation } from './conversation.js'
import type { Printer } from './printer.js'
import type { ThinCliHost } from './thin-cli-host.js'

export type CommandFlag =
  /** Works as before, and says nothing about it. */
  | 'deprecated'
  /** Left out of the help. */
  | 'hidden'
  /** Runs on the host that was asked, even on a member. */
  | 'never-forward'
  /** With a session of this host only, for when there is no coordinator. */
  | 'local-session'
  /** Shown by the short help. */
  | 'common'
  | 'host-selectors'
  | 'vm-selectors'

export interface Invocation {
  readonly parameters: Parameters
  readonly rpc: Rpc
  readonly sessionRef: string
  readonly printer: Printer
  readonly conversation: Conversation
  readonly host: ThinCliHost
}

export interface Command {
  readonly name: string
  /** They need only be there; what they hold is the command's business. */
  readonly required: readonly string[]
  readonly optional: readonly string[]
  readonly help: string
  readonly flags: readonly CommandFlag[]
  readonly run: (invocation: Invocation) => Promise<void>
}

type Row = readonly [
  name: string,
  required: string,
  optional: string,
  help: string,
  flags: readonly CommandFlag[],
  run: Command['run'],
]

/** Makes commands from a table whose keys are written as words with blanks between. */
export function commandTable(rows: readonly Row[]): Command[] {
  return rows.map(([name, required, optional, help, flags, run]) => ({
    name,
    required: words(required),
    optional: words(optional),
    help,
    flags,
    run,
  }))
}

function words(text: string): string[] {
  return text === '' ? [] : text.split(' ')
}
