/** Pools, their hosts, the certificates pinned to their addresses, and their configuration. */
import type { Kysely } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('pool')
    .addColumn('id', 'integer', (column) => column.primaryKey().generatedAlwaysAsIdentity())
    .addColumn('uuid', 'text', (column) => column.notNull().unique())
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('plain_port', 'integer', (column) => column.notNull())
    .addColumn('coordinator_address', 'text', (column) => column.notNull())
    .addColumn('user_name', 'text', (column) => column.notNull())
    .addColumn('sealed_password', 'bytea', (column) => column.notNull())
    .addColumn('registered_at', 'timestamptz', (column) => column.notNull())
    .addColumn('updated_at', 'timestamptz', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('pool_host')
    .addColumn('pool_id', 'integer', (column) => column.notNull().references('pool.id').onDelete('cascade'))
    .addColumn('uuid', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('pool_host_key', ['pool_id', 'uuid'])
    .execute()

  await db.schema
    .createTable('pool_certificate')
    .addColumn('pool_id', 'integer', (column) => column.notNull().references('pool.id').onDelete('cascade'))
    .addColumn('address', 'text', (column) => column.notNull())
    .addColumn('tls_port', 'integer', (column) => column.notNull())
    .addColumn('fingerprint_sha256', 'text', (column) => column.notNull())
    .addColumn('pinned_at', 'timestamptz', (column) => column.notNull())
    .addPrimaryKeyConstraint('pool_certificate_key', ['pool_id', 'address', 'tls_port'])
    .execute()

  // Keyed by position and not by key: keys come from outside at any length, and an index row ends at 2,700 bytes.
  await db.schema
    .createTable('pool_configuration')
    .addColumn('pool_id', 'integer', (column) => column.notNull().references('pool.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('pool_configuration_key', ['pool_id', 'position'])
    .execute()
}
