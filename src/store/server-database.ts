/** A PostgreSQL server, by its address. */
import { CompiledQuery, type Dialect, PostgresDialect } from 'kysely'
import pg from 'pg'
import { WlbError } from '../base/error.js'

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
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url)) throw urlInvalid()
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
    if (encoding !== 'UTF8') throw wrongEncoding(url, encoding)
  } catch (error) {
    await pool.end()
    throw error instanceof WlbError ? error : unreachable(url, error)
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

function urlInvalid(): WlbError {
  return new WlbError(
    'DATABASE_URL_INVALID',
    'The address of the database is not of the form postgres://user@host/name.',
    {},
    'wlb setup --database postgres://wlb@localhost/wlb',
  )
}

function unreachable(url: string, cause: unknown): WlbError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const server = withoutSecrets(url)
  return new WlbError(
    'DATABASE_UNREACHABLE',
    'The database server cannot be used.',
    { server, reason },
    `psql ${server}`,
    cause,
  )
}

function wrongEncoding(url: string, encoding: string): WlbError {
  return new WlbError(
    'DATABASE_ENCODING',
    'The database does not store Unicode.',
    { server: withoutSecrets(url), encoding },
    'createdb --encoding=UTF8 --template=template0 wlb',
  )
}
