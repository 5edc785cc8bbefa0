/**
 * Kysely on sessions: PostgreSQL's own dialect over at most so many connections. Whoever asks gets an answer within ten
 * seconds, whatever the engine does: a session that is silent for too long is killed, what was waiting for it is refused, and
 * another one is opened, after a failure a little later each time (docs/database.md).
 */
import {
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from 'kysely'
import { within } from '../base/bounded.js'
import type { DatabaseHealth } from './database-health.js'
import { fail } from './errors.js'
import { Lease } from './lease.js'
import { reasonOf, type Session } from './session.js'

export interface SessionSource {
  /** How many there may be at once. */
  readonly most: number
  /** Opens one whose statements the engine gives up after `statementLimitMs`. */
  open(statementLimitMs: number): Promise<Session>
}

/** How long somebody may wait for a session, and then keep it: together less than the ten seconds pools are promised. */
const WAIT_LIMIT_MS = 4000
const USE_LIMIT_MS = 5000
/** After that a statement has an answer, or has failed. */
export const ANSWER_LIMIT_MS = WAIT_LIMIT_MS + USE_LIMIT_MS
/** While the database is opened at the start nobody waits, and another appliance may be changing the schema. */
const PREPARING_LIMIT_MS = 60_000
/** The engine's own limit strikes first: then the session can stay. */
const statementLimit = (useLimitMs: number) => useLimitMs - 500
const FIRST_DELAY_MS = 250
const LONGEST_DELAY_MS = 5000
/** A session that lasted this long says that what made the ones before fail is over: its end is a new beginning. */
const STEADY_MS = 5000
const CLOSE_LIMIT_MS = 5000

interface Waiter {
  take(session: Session): void
  refuse(error: unknown): void
}

export class SessionDriver implements Driver {
  readonly #source: SessionSource
  readonly #health: DatabaseHealth
  readonly #live = new Set<Session>()
  readonly #free: Session[] = []
  readonly #waiting: Waiter[] = []
  #useLimitMs = PREPARING_LIMIT_MS
  #isOpening = false
  #isClosed = false
  /** Set while the next attempt is due later. */
  #retry: NodeJS.Timeout | undefined
  #delayMs = 0
  #reason = ''

  constructor(source: SessionSource, health: DatabaseHealth) {
    this.#source = source
    this.#health = health
  }

  dialect(): Dialect {
    return {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => this,
      createIntrospector: (db) => new PostgresIntrospector(db),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    }
  }

  /** Opens the first session. @throws what the source throws: somebody is there to read it. */
  async start(): Promise<void> {
    this.#add(await this.#source.open(statementLimit(PREPARING_LIMIT_MS)))
  }

  /** From now on pools wait for answers. */
  async serve(): Promise<void> {
    this.#useLimitMs = USE_LIMIT_MS
    await Promise.all([...this.#live].map((session) => session.limitStatements(statementLimit(USE_LIMIT_MS))))
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return new Lease(this.#free.pop() ?? (await this.#nextSession()), this.#health, this.#useLimitMs)
  }

  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    const lease = leaseOf(connection)
    lease.end()
    if (this.#live.has(lease.session)) this.#handOn(lease.session) // otherwise it ended meanwhile
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await leaseOf(connection).begin()
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await leaseOf(connection).commit()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await leaseOf(connection).rollBack()
  }

  async destroy(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    this.#refuseWaiting('the appliance is closing')
    await within(CLOSE_LIMIT_MS, Promise.all([...this.#live].map((session) => session.close())))
    for (const session of this.#live) session.kill('the appliance is closing')
  }

  #nextSession(): Promise<Session> {
    if (this.#isClosed) throw fail('DATABASE_UNAVAILABLE', { reason: 'the appliance is closing' })
    if (this.#live.size === 0 && this.#retry) throw fail('DATABASE_UNAVAILABLE', { reason: this.#reason })
    void this.#openOne()
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        take: (session) => {
          clearTimeout(timer)
          resolve(session)
        },
        refuse: (error) => {
          clearTimeout(timer)
          reject(error)
        },
      }
      const timer = setTimeout(
        () => {
          this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
          const reason = this.#health.trouble()?.reason ?? `it was busy for ${WAIT_LIMIT_MS / 1000} s`
          reject(fail('DATABASE_UNAVAILABLE', { reason }))
        },
        this.#useLimitMs === USE_LIMIT_MS ? WAIT_LIMIT_MS : PREPARING_LIMIT_MS,
      )
      this.#waiting.push(waiter)
    })
  }

  /** One at a time: a server that is coming up again is not met by all at once. */
  async #openOne(): Promise<void> {
    if (this.#isOpening || this.#isClosed || this.#retry || this.#live.size >= this.#source.most) return
    this.#isOpening = true
    try {
      const session = await this.#source.open(statementLimit(this.#useLimitMs))
      this.#isOpening = false
      this.#add(session)
      this.#health.succeeded('any')
    } catch (error) {
      this.#isOpening = false
      this.#reason = reasonOf(error)
      if (this.#live.size > 0) return // a server without room for another one; those we have go on
      this.#health.failed(this.#reason, 'any')
      this.#refuseWaiting(this.#reason)
      this.#openLater()
    }
    if (this.#waiting.length > 0) void this.#openOne()
  }

  #add(session: Session): void {
    if (this.#isClosed) {
      session.kill('the appliance is closing')
      return
    }
    const addedMs = performance.now()
    this.#live.add(session)
    void session.ended.then((reason) => {
      this.#live.delete(session)
      const index = this.#free.indexOf(session)
      if (index >= 0) this.#free.splice(index, 1)
      if (this.#isClosed) return
      this.#reason = reason
      this.#health.failed(reason, 'any')
      if (this.#live.size > 0) {
        if (this.#waiting.length > 0) void this.#openOne()
        return
      }
      if (performance.now() - addedMs > STEADY_MS) this.#delayMs = 0
      this.#openLater()
    })
    this.#handOn(session)
  }

  #handOn(session: Session): void {
    const next = this.#waiting.shift()
    if (next) next.take(session)
    else this.#free.push(session)
  }

  /** At once the first time. */
  #openLater(): void {
    if (this.#isClosed || this.#retry) return
    const delayMs = this.#delayMs
    this.#delayMs = Math.min(Math.max(delayMs * 2, FIRST_DELAY_MS), LONGEST_DELAY_MS)
    if (delayMs === 0) return void this.#openOne()
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.#openOne()
    }, delayMs).unref()
  }

  #refuseWaiting(reason: string): void {
    for (const waiter of this.#waiting.splice(0)) waiter.refuse(fail('DATABASE_UNAVAILABLE', { reason }))
  }
}

function leaseOf(connection: DatabaseConnection): Lease {
  if (!(connection instanceof Lease)) throw new Error('This connection is of another driver.')
  return connection
}
