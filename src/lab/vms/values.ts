/** Fields of records as the types that checks and operations need. */
import { type ApiValue, isApiMap, isApiSet, NULL_REF } from '../../xapi/index.js'
import type { ApiRecord, Database } from '../database/database.js'

/** Memory and counts: below 2^53. */
export function numberOf(record: ApiRecord, field: string): number {
  return Number(record[field] ?? 0)
}

export function textOf(record: ApiRecord, field: string): string {
  return String(record[field] ?? '')
}

export function listOf(record: ApiRecord, field: string): readonly string[] {
  const value = record[field]
  return value !== undefined && isApiSet(value) ? value.map(String) : []
}

export function mapOf(record: ApiRecord, field: string): Readonly<Record<string, string>> {
  const value = record[field]
  const entries = value !== undefined && isApiMap(value) ? Object.entries(value) : []
  return Object.fromEntries(entries.map(([key, entry]: [string, ApiValue]) => [key, String(entry)]))
}

/** The object a field refers to; undefined for none, and for one that is gone. */
export function objectOf(
  database: Database,
  className: string,
  record: ApiRecord,
  field: string,
): ApiRecord | undefined {
  return database.find(className, textOf(record, field))
}

export function isRef(ref: string): boolean {
  return ref !== '' && ref !== NULL_REF
}

/** The objects of a set of references that are there. */
export function objectsOf(database: Database, className: string, record: ApiRecord, field: string): ApiRecord[] {
  return listOf(record, field)
    .map((ref) => database.find(className, ref))
    .filter((found) => found !== undefined)
}
