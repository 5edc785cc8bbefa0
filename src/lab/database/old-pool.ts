/**
 * A pool whose hosts run what was current before December 2024: it looks for the leaf itself in the bundle, its records
 * lack the fields that came later, and it does not know the calls that did (docs/protocol/pool.md, pools of before December 2024).
 */
import type { ApiRecord, Database } from './database.js'

/** Where the database keeps that the pool is old. */
export const OLD_POOL = 'lab_old_pool'

export const OLD_VERSIONS = { product_version: '8.4.0', xapi: '24.11', xapi_build: '24.11.0' }

export function isOldPool(database: Database): boolean {
  return database.internal(OLD_POOL) !== ''
}

const LATER_FIELDS: Readonly<Record<string, readonly string[]>> = {
  Certificate: ['fingerprint_sha256', 'fingerprint_sha1', 'purpose'],
}

/** Tells whether the pool has a field of a class. */
export function hasField(database: Database, className: string, field: string): boolean {
  return !isOldPool(database) || !LATER_FIELDS[className]?.includes(field)
}

/** A record as the pool shows it. */
export function shownRecord(database: Database, className: string, record: ApiRecord): ApiRecord {
  if (!isOldPool(database) || !LATER_FIELDS[className]) return record
  return Object.fromEntries(Object.entries(record).filter(([field]) => hasField(database, className, field)))
}

const LATER_METHODS = new Set(['pool.install_trusted_certificate', 'pool.uninstall_trusted_certificate'])

export function hasMethod(database: Database, name: string): boolean {
  return !isOldPool(database) || !LATER_METHODS.has(name)
}
