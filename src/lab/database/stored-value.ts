/** Field values as JSON and from callers: integers and dates need their field's type to be told from text. */
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import type { ApiField, FieldType } from './classes.js'

export type StoredValue = string | number | boolean | StoredValue[] | { readonly [key: string]: StoredValue }

type Typed = Pick<ApiField, 'type' | 'of'>

export function toStored({ type, of }: Typed, value: ApiValue): StoredValue {
  if (type === 'set') return arrayOf(value).map((element) => toStored({ type: of ?? 'string' }, element))
  if (type === 'map') return mapValues(value, (element) => toStored({ type: of ?? 'string' }, element))
  if (type === 'int') return String(value)
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'number' || typeof value === 'boolean' ? value : String(value)
}

export function fromStored({ type, of }: Typed, stored: StoredValue): ApiValue {
  if (type === 'set')
    return (Array.isArray(stored) ? stored : []).map((one) => fromStored({ type: of ?? 'string' }, one))
  if (type === 'map') {
    const entries = typeof stored === 'object' && !Array.isArray(stored) ? Object.entries(stored) : []
    return Object.fromEntries(entries.map(([key, one]) => [key, fromStored({ type: of ?? 'string' }, one)]))
  }
  if (type === 'int') return BigInt(String(stored))
  if (type === 'datetime') return new Date(String(stored))
  return typeof stored === 'object' ? '' : stored
}

/**
 * Reads what a caller gave as a value of a field: XML-RPC carries integers as text, JSON floats without a point.
 *
 * @throws ApiFailure FIELD_TYPE_ERROR when it cannot be one.
 */
export function coerce(name: string, { type, of }: Typed, value: ApiValue): ApiValue {
  const wrong = new ApiFailure('FIELD_TYPE_ERROR', [name])
  if (type === 'set') {
    if (!Array.isArray(value)) throw wrong
    return value.map((element) => coerce(name, { type: of ?? 'string' }, element))
  }
  if (type === 'map') {
    if (typeof value !== 'object' || Array.isArray(value) || value instanceof Date) throw wrong
    return mapValues(value, (element) => coerce(name, { type: of ?? 'string' }, element))
  }
  const read = SCALARS[type](value)
  if (read === undefined) throw wrong
  return read
}

const SCALARS: Readonly<Record<Exclude<FieldType, 'set' | 'map'>, (value: ApiValue) => ApiValue | undefined>> = {
  string: (value) => (typeof value === 'string' ? value : undefined),
  ref: (value) => (typeof value === 'string' ? value : undefined),
  bool: (value) => (typeof value === 'boolean' ? value : undefined),
  datetime: (value) => (value instanceof Date ? value : typeof value === 'string' ? readDate(value) : undefined),
  int: (value) => {
    if (typeof value === 'bigint') return value
    if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
    return typeof value === 'string' && /^-?\d+$/.test(value) ? BigInt(value) : undefined
  },
  float: (value) => {
    if (typeof value === 'number') return value
    if (typeof value === 'bigint') return Number(value)
    return typeof value === 'string' && /^-?\d+(\.\d*)?$/.test(value) ? Number(value) : undefined
  },
}

function readDate(text: string): Date | undefined {
  const found = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z?$/.exec(text)
  return found ? new Date(`${found[1]}-${found[2]}-${found[3]}T${found[4]}Z`) : undefined
}

function arrayOf(value: ApiValue): readonly ApiValue[] {
  return Array.isArray(value) ? value : []
}

/** Keys come from callers: `__proto__` must stay a key. */
function mapValues<T>(value: ApiValue, change: (element: ApiValue) => T): { [key: string]: T } {
  if (typeof value !== 'object' || Array.isArray(value) || value instanceof Date) return {}
  return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, change(element)]))
}
