/** The values of XenAPI: scalars, sets and maps, the same in XML-RPC and JSON-RPC (docs/protocol/pool.md). */

/** An int is a `bigint`, a float a `number`; references, UUIDs and enumerations are strings, and void is `''`. */
export type ApiValue =
  | string
  | bigint
  | number
  | boolean
  | Date
  | readonly ApiValue[]
  | { readonly [key: string]: ApiValue }

/** The null reference of XenAPI. */
export const NULL_REF = 'OpaqueRef:NULL'

/** The nesting limit of the readers, whose stack grows with depth. Records of a pool are less deep. */
export const MAX_DEPTH = 32

/** Writes a time as the pool does, in UTC and whole seconds: `20261123T14:53:37Z`. */
export function formatApiDate(date: Date): string {
  return date.toISOString().replace(/-|\.\d+/g, '')
}

/**
 * Reads a time in the pool's form; hyphens, fraction and `Z` are optional, and no zone means UTC. Undefined when `text`
 * is not a time.
 */
export function parseApiDate(text: string): Date | undefined {
  const found = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z?$/.exec(text.trim())
  if (!found) return undefined
  const [, year, month, day, time] = found
  const date = new Date(`${year}-${month}-${day}T${time}Z`)
  return Number.isNaN(date.getTime()) ? undefined : date
}

export function isApiMap(value: ApiValue): value is { readonly [key: string]: ApiValue } {
  return typeof value === 'object' && !Array.isArray(value) && !(value instanceof Date)
}

/** A type guard, because `Array.isArray` does not narrow to a read-only array. */
export function isApiSet(value: ApiValue): value is readonly ApiValue[] {
  return Array.isArray(value)
}
