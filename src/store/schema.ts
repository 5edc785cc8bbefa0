/** The tables of the database as SQL knows them, and how a database is brought to them by the migrations in `migrations/`. */
import { type Generated, type Kysely, type MigrationProvider, Migrator } from 'kysely'
import { fail } from './errors.js'
import { up as pools } from './migrations/0001-pools.js'

/** Integers only: int8 is a number in one engine and a string in the other. */
export interface Schema {
  pool: PoolTable
  pool_host: PoolHostTable
  pool_certificate: PoolCertificateTable
  pool_configuration: PoolConfigurationTable
}

export interface PoolTable {
  id: Generated<number>
  uuid: string
  address: string
  plain_port: number
  coordinator_address: string
  user_name: string
  /** Sealed by the appliance: the key is not in the database. One engine reads it as Buffer, the other as Uint8Array. */
  sealed_password: Uint8Array
  registered_at: Date
  updated_at: Date
}

interface PoolHostTable {
  pool_id: number
  uuid: string
}

interface PoolCertificateTable {
  pool_id: number
  address: string
  tls_port: number
  fingerprint_sha256: string
  pinned_at: Date
}

interface PoolConfigurationTable {
  pool_id: number
  position: number
  key: string
  value: string
}

const MIGRATIONS = { '0001-pools': { up: pools } }

const provider: MigrationProvider = { getMigrations: async () => MIGRATIONS }

/** The name of the last migration: what an opened database is at. */
export const SCHEMA_VERSION = Object.keys(MIGRATIONS).sort().at(-1) ?? ''

/**
 * Brings a database to the schema this program knows. Each migration runs once, all that are due in one transaction.
 *
 * @throws DATABASE_MIGRATION_FAILED when a step fails, or the database belongs to a newer program; nothing is changed.
 */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (!error) return
  throw fail('DATABASE_MIGRATION_FAILED', { reason: error instanceof Error ? error.message : String(error) }, error)
}
