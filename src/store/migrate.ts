/** Brings a database to the schema this program knows. Each migration runs once, all that are due in one transaction. */
import { type Kysely, type MigrationProvider, Migrator } from 'kysely'
import { WlbError } from '../base/error.js'
import { up as pools } from './migrations/0001-pools.js'

const MIGRATIONS = { '0001-pools': { up: pools } }

const provider: MigrationProvider = { getMigrations: async () => MIGRATIONS }

/** The name of the last migration: what an opened database is at. */
export const SCHEMA_VERSION = Object.keys(MIGRATIONS).sort().at(-1) ?? ''

/** @throws DATABASE_MIGRATION_FAILED when a step fails, or the database belongs to a newer program; nothing is changed. */
export async function migrate<T>(db: Kysely<T>): Promise<void> {
  const { error } = await new Migrator({ db, provider }).migrateToLatest()
  if (error) throw migrationFailed(error)
}

function migrationFailed(cause: unknown): WlbError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new WlbError(
    'DATABASE_MIGRATION_FAILED',
    'The database could not be brought to the schema of this version; nothing in it was changed.',
    { reason },
    'wlb --version   # a database used by a newer version needs that version',
    cause,
  )
}
