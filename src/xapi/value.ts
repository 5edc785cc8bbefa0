/** What XenAPI carries: scalars, sets and maps, the same in XML-RPC and JSON-RPC (docs/protocol/pool.md). */

/** An int is a `bigint`, a float a `number`; references, UUIDs and enumerations are strings, and void is `''`. */
export type ApiValue =
  | string
  | bigint
  | number
  | boolean
  | Date
  | readonly ApiValue[]
  | { readonly [key: string]: ApiValue }

/** The reference to nothing. */
export const NULL_REF = 'OpaqueRef:NULL'

/** Deeper than any record of a pool; a reader's work and stack grow with depth. */
export const MAX_DEPTH = 32

/** Writes a time as the pool does, in UTC and whole seconds: `20261123T14:53:37Z`. */
export function formatApiDate(date: Date): string {
  return date.toISOString().replace(/-|\.\d+/g, '')
}

/** Reads the pool's form, with or without hyphens, fraction and `Z` (absent means UTC); undefined when it is no time. */
export function parseApiDate(text: string): Date | undefined {
  const found = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z?$/.exec(text.trim())
  if (!found) return undefined
  const [, year, month, day, time] = found
  const date = new Date(`${year}-${month}-${day}T${time}Z`)
  return Number.isNaN(date.getTime()) ? undefined : date
}

/** A map, where the alternatives are scalars and sets. */
export function isApiMap(value: ApiValue): value is { readonly [key: string]: ApiValue } {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** A set, typed: `Array.isArray` alone forgets that ours are read-only. */
export function isApiSet(value: ApiValue): value is readonly ApiValue[] {
  return Array.isArray(value)
}
