/** A PostgreSQL server, by its address. */
import { Socket } from 'node:net'
import pg from 'pg'
import { WlbError } from '../base/error.js'
import { fail } from './errors.js'
import { reasonOf, type Session, SessionEnded, StatementRefused, type StatementResult } from './session.js'

/** Connecting and the first statement together: a stopped server lets its system take the connection, and says nothing. */
const CONNECT_LIMIT_MS = 3500
/** A connection to a machine that is gone looks like one that has nothing to say. */
const KEEP_ALIVE_MS = 10_000

/**
 * Settings of each connection. What we acknowledge is stored, though a server may be told to acknowledge before it has written.
 * The server itself gives up what waits too long, and drops the locks of a transaction that nobody ends.
 */
const SETTINGS = `select current_setting('server_encoding') as encoding,
  set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false),
  set_config('idle_in_transaction_session_timeout', '15000', false),
  set_config('synchronous_commit',
    case when current_setting('synchronous_commit') in ('off', 'local') then 'on' else current_setting('synchronous_commit') end, false)`

/**
 * Connects to it.
 *
 * @throws DATABASE_URL_INVALID when `url` is no postgres:// address.
 * @throws DATABASE_UNREACHABLE when the server cannot be reached or refuses the account.
 * @throws DATABASE_ENCODING when the database does not hold Unicode.
 */
export async function connectToServer(url: string, statementLimitMs: number): Promise<Session> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) throw fail('DATABASE_URL_INVALID', {})
  const session = new ServerSession(url)
  const timer = setTimeout(
    () => session.kill(`the server did not answer within ${CONNECT_LIMIT_MS / 1000} s`),
    CONNECT_LIMIT_MS,
  )
  try {
    await session.connect()
    const { rows } = await session.query<{ encoding: string }>(SETTINGS, [`${statementLimitMs}`])
    const encoding = rows[0]?.encoding ?? ''
    if (encoding !== 'UTF8') throw fail('DATABASE_ENCODING', { server: withoutSecrets(url), encoding })
    return session
  } catch (error) {
    session.kill(reasonOf(error))
    if (error instanceof WlbError) throw error
    throw fail('DATABASE_UNREACHABLE', { server: withoutSecrets(url), reason: reasonOf(error) }, error)
  } finally {
    clearTimeout(timer)
  }
}

class ServerSession implements Session {
  readonly ended: Promise<string>
  readonly #client: pg.Client
  readonly #socket = new Socket()
  #reportEnd: (reason: string) => void = () => {}
  #endReason: string | undefined

  constructor(url: string) {
    this.#client = new pg.Client({
      connectionString: url,
      application_name: 'openwlb',
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      stream: () => this.#socket,
    })
    this.ended = new Promise((resolve) => {
      this.#reportEnd = resolve
    })
    // Each of these comes for a connection that is in use, too; an error that nobody hears ends the process.
    this.#client.on('error', (error) => this.kill(reasonOf(error))).on('end', () => this.kill('the server closed it'))
  }

  async connect(): Promise<void> {
    await this.#client.connect().catch((error: unknown) => this.#explain(error))
  }

  async query<R>(sql: string, parameters: readonly unknown[]): Promise<StatementResult<R>> {
    if (this.#endReason !== undefined) throw new SessionEnded(this.#endReason)
    try {
      const { rows, rowCount } = await this.#client.query<R & pg.QueryResultRow>(sql, [...parameters])
      return { rows, affectedRows: rowCount ?? 0 }
    } catch (error) {
      return this.#explain(error)
    }
  }

  async limitStatements(limitMs: number): Promise<void> {
    await this.query(`select set_config('statement_timeout', $1, false), set_config('lock_timeout', $1, false)`, [
      `${limitMs}`,
    ])
  }

  async close(): Promise<void> {
    await this.#client.end()
  }

  /** Without a farewell, for which a stopped server would have to be there. */
  kill(reason: string): void {
    this.#endReason ??= reason
    this.#reportEnd(this.#endReason)
    this.#socket.destroy()
  }

  #explain(error: unknown): never {
    const isAnswer = error instanceof pg.DatabaseError && error.severity === 'ERROR' && error.code !== undefined
    if (isAnswer) throw new StatementRefused(error.message, error.code ?? '')
    this.kill(reasonOf(error))
    throw new SessionEnded(this.#endReason)
  }
}

/** The address without what nobody should read in a log: password and options. */
function withoutSecrets(url: string): string {
  const { protocol, username, host, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}
