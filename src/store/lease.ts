/** A session in the hands of one user: what failed in it is explained, and the database's condition is taken from it. */
import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely'
import type { DatabaseHealth } from './database-health.js'
import { fail } from './errors.js'
import {
  reasonOf,
  type Session,
  SessionEnded,
  StatementRefused,
  type StatementResult,
  speaksOfCondition,
} from './session.js'

/** A session for as long as one user has it: for one statement, or one transaction. */
export class Lease implements DatabaseConnection {
  readonly session: Session
  readonly #health: DatabaseHealth
  readonly #timer: NodeJS.Timeout
  #isInTransaction = false
  #isChange = false
  #hasFailed = false

  constructor(session: Session, health: DatabaseHealth, limitMs: number) {
    this.session = session
    this.#health = health
    this.#timer = setTimeout(() => session.kill(`it did not answer within ${limitMs / 1000} s`), limitMs)
  }

  end(): void {
    clearTimeout(this.#timer)
    if (!this.#hasFailed) this.#health.succeeded(this.#isChange ? 'change' : 'any')
  }

  async executeQuery<R>({ sql, parameters, query }: CompiledQuery): Promise<QueryResult<R>> {
    const isChange = query.kind !== 'SelectQueryNode' || (query.endModifiers?.length ?? 0) > 0
    this.#isChange ||= isChange
    const { rows, affectedRows } = await this.#say<R>(sql, parameters, isChange && !this.#isInTransaction)
    return { rows, numAffectedRows: BigInt(affectedRows) }
  }

  // biome-ignore lint/correctness/useYield: the interface asks for it, and nothing here streams
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Nothing is streamed from the database.')
  }

  async begin(): Promise<void> {
    await this.#say('begin', [], false)
    this.#isInTransaction = true
  }

  async commit(): Promise<void> {
    await this.#say('commit', [], this.#isChange)
  }

  /** A session that cannot even do this is of no use to the next one. */
  async rollBack(): Promise<void> {
    try {
      await this.session.query('rollback', [])
    } catch (error) {
      this.session.kill(reasonOf(error))
    }
  }

  /** `stores`: when no answer comes to this one, nobody knows whether something was stored. */
  async #say<R>(sql: string, parameters: readonly unknown[], stores: boolean): Promise<StatementResult<R>> {
    try {
      return await this.session.query<R>(sql, parameters)
    } catch (error) {
      this.#hasFailed = true
      const hasEnded = error instanceof SessionEnded
      if (!hasEnded && !(error instanceof StatementRefused && speaksOfCondition(error.sqlState))) throw error
      const reason = reasonOf(error)
      this.#health.failed(reason, this.#isChange && !hasEnded ? 'change' : 'any')
      throw fail(hasEnded && stores ? 'DATABASE_OUTCOME_UNKNOWN' : 'DATABASE_UNAVAILABLE', { reason }, error)
    }
  }
}
