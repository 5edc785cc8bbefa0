/**
 * Records as a pool of a given age shows them, and as faults read and write them: a certificate whose dates have
 * passed, an upgrade that left fields empty. Faults reach them over a host's own socket only.
 */
import { z } from 'zod'
import { findClass } from './classes.js'
import type { ApiRecord, Database } from './database.js'
import { fromStored, type StoredValue, toStored } from './field.js'

/**
 * Set in the database's internals when the pool's hosts run a version from before December 2024: it looks for the leaf
 * itself in the bundle, its records lack the fields that came later, and it does not know the calls that did
 * (docs/protocol/pool.md, pools of before December 2024).
 */
const OLD_POOL = 'lab_old_pool'

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

const storedSchema: z.ZodType<StoredValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.array(storedSchema), z.record(z.string(), storedSchema)]),
)
const rowsSchema = z.record(z.string(), z.record(z.string(), storedSchema))

const schema = z.object({
  pool: rowsSchema,
  host: rowsSchema,
  Certificate: rowsSchema,
  isOldPool: z.boolean(),
})

export type Records = Readonly<z.infer<typeof schema>>
export type Rows = Records['Certificate']

const RECORD_CLASSES = ['pool', 'host', 'Certificate'] as const

export function readRecords(database: Database): Records {
  const rows = (name: (typeof RECORD_CLASSES)[number]) => {
    const fields = findClass(name)?.stored ?? []
    return Object.fromEntries(
      database
        .rows(name)
        .map(([ref, record]) => [
          ref,
          Object.fromEntries(fields.map((field) => [field.name, toStored(field, record[field.name] ?? field.default)])),
        ]),
    )
  }
  return {
    pool: rows('pool'),
    host: rows('host'),
    Certificate: rows('Certificate'),
    isOldPool: database.internal(OLD_POOL) !== '',
  }
}

/** Fields that are named are written; certificates in `gone` are removed. */
const changesSchema = z.object({
  pool: rowsSchema.optional(),
  host: rowsSchema.optional(),
  Certificate: rowsSchema.optional(),
  gone: z.array(z.string()).optional(),
  isOldPool: z.boolean().optional(),
})

export type RecordChanges = Readonly<z.infer<typeof changesSchema>>

export async function changeRecords(database: Database, text: string): Promise<void> {
  const changes = changesSchema.parse(JSON.parse(text))
  for (const name of RECORD_CLASSES) {
    for (const [ref, row] of Object.entries(changes[name] ?? {})) database.put(name, ref, readRow(name, row))
  }
  for (const ref of changes.gone ?? []) database.destroy('Certificate', ref)
  if (changes.isOldPool !== undefined) database.setInternal(OLD_POOL, changes.isOldPool ? 'yes' : '')
  await database.durable()
}

function readRow(name: string, row: Readonly<Record<string, StoredValue>>): ApiRecord {
  const fields = findClass(name)?.stored ?? []
  return Object.fromEntries(
    fields.flatMap((field) => {
      const stored = row[field.name]
      return stored === undefined ? [] : [[field.name, fromStored(field, stored)]]
    }),
  )
}

export function parseRecords(value: unknown): Records {
  return schema.parse(value)
}
