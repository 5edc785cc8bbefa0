/** One command of `xe`: its name, its parameters, its function, and what it may use of the host it runs on. */
import type { Duplex } from 'node:stream'
import type { ApiValue } from '../../xapi/index.js'
import type { Parameters } from './command-line.js'
import type { Conversation, Printer } from './conversation.js'

export type CommandFlag =
  /** Works as before, without a warning. */
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
  /** Must be given; the command checks their values. */
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

export interface CliSession {
  readonly ref: string
  readonly rpc: Rpc
  logout(): Promise<void>
}

export interface ThinCliHost {
  /** `local` is the host's own socket, whose callers are root. */
  readonly origin: 'network' | 'local'
  readonly apiVersion: string
  readonly hostUuid: string
  /** Delay before a refused login is answered, in addition to `login`'s own; 5 s on a pool. */
  readonly refusalDelayMs?: number
  role(): { readonly kind: 'coordinator' } | { readonly kind: 'member'; readonly coordinatorAddress: string }
  /** Throws ApiFailure SESSION_AUTHENTICATION_FAILED, and HOST_IS_SLAVE on a member asked over the network. */
  login(userName: string, password: string): Promise<CliSession>
  /** A session on this host only, for emergencies. */
  localLogin(userName: string, password: string): Promise<CliSession>
  /** Uses a session that exists already. */
  attach(sessionRef: string): Promise<CliSession>
  /**
   * Opens `/cli` on the coordinator and sends the request with these arguments, the session's line before them; the
   * coordinator's banner is the first thing to be read.
   */
  forward(body: Buffer, sessionRef: string): Promise<Duplex>
}

export type Rpc = (method: string, ...params: ApiValue[]) => Promise<ApiValue>
