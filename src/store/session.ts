/** One connection to a database, whichever engine is behind it, and what its failures mean. */
import { WlbError } from '../base/error.js'
import { tlsReason } from '../base/text/tls-reason.js'

export interface Session {
  /**
   * Carries out one statement after the other.
   *
   * @throws StatementRefused when the engine answered with an error; the session goes on.
   * @throws SessionEnded when there was no answer and there will be none.
   */
  query<R>(sql: string, parameters: readonly unknown[]): Promise<StatementResult<R>>
  /** Asks the engine itself to give up statements after `limitMs`, where it can. */
  limitStatements(limitMs: number): Promise<void>
  /** Ends it in good order. */
  close(): Promise<void>
  /** Ends it at once, whatever it is doing: an engine that hangs would never notice a polite request. */
  kill(reason: string): void
  /** Fulfilled with the reason when it has ended, in whichever way. */
  readonly ended: Promise<string>
}

export interface StatementResult<R> {
  readonly rows: R[]
  readonly affectedRows: number
}

/** The engine's own answer, with its SQLSTATE. */
export class StatementRefused extends Error {
  override readonly name = 'StatementRefused'
  readonly sqlState: string

  constructor(message: string, sqlState: string) {
    super(message)
    this.sqlState = sqlState
  }
}

/** No answer came, so it is not known what became of a statement under way. */
export class SessionEnded extends Error {
  override readonly name = 'SessionEnded'
}

/**
 * Tells whether a SQLSTATE speaks of the database's condition, which may pass, and not of the statement: connection (08),
 * account (28), no such database (3D), resources and a full disk (53), an operator's intervention and time limits (57), input
 * and output (58), internal errors (XX), a read-only server (25006), a lock that is not given (55P03).
 */
export function speaksOfCondition(sqlState: string): boolean {
  return /^(08|28|3D|53|57|58|XX)/.test(sqlState) || sqlState === '25006' || sqlState === '55P03'
}

/** Why something failed, on one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof WlbError && typeof error.facts.reason === 'string') return error.facts.reason
  return tlsReason(error).replace(/\s+/g, ' ').trim()
}
