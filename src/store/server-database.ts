/** A PostgreSQL server, by its address. */
import { CompiledQuery, type Dialect, PostgresDialect } from 'kysely'
import pg from 'pg'
import { WlbError } from '../base/error.js'
import { fail } from './errors.js'

const CONNECT_TIMEOUT_MS = 5000
const CONNECTIONS = 4

/** A server may be told to acknowledge before it has written; what we acknowledge is stored, so not for us. */
const STORED_IS_STORED = `select set_config('synchronous_commit', 'on', false)
  where current_setting('synchronous_commit') in ('off', 'local')`

/**
 * Connects once, to tell what is wrong while somebody is there to read it.
 *
 * @throws DATABASE_URL_INVALID when `url` is no postgres:// address.
 * @throws DATABASE_UNREACHABLE when the server cannot be reached or refuses the account.
 * @throws DATABASE_ENCODING when the database does not hold Unicode.
 */
export async function serverDialect(url: string): Promise<Dialect> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) throw fail('DATABASE_URL_INVALID', {})
  const pool = new pg.Pool({
    connectionString: url,
    max: CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'openwlb',
  })
  // An idle connection the server drops is replaced with the next query; unheard, the event would end the process.
  pool.on('error', () => {})

  try {
    const { rows } = await pool.query<{ server_encoding: string }>('show server_encoding')
    const encoding = rows[0]?.server_encoding ?? ''
    if (encoding !== 'UTF8') throw fail('DATABASE_ENCODING', { server: withoutSecrets(url), encoding })
  } catch (error) {
    await pool.end()
    if (error instanceof WlbError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw fail('DATABASE_UNREACHABLE', { server: withoutSecrets(url), reason }, error)
  }
  return new PostgresDialect({
    pool,
    onCreateConnection: async (connection) => {
      await connection.executeQuery(CompiledQuery.raw(STORED_IS_STORED))
    },
  })
}

/** The address without what nobody should read in a log: password and options. */
function withoutSecrets(url: string): string {
  const { protocol, username, host, pathname } = new URL(url)
  return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`
}
