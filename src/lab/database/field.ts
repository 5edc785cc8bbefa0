/**
 * One field of a XenAPI class: its names, type and access, and its values as the database file, JSON and callers write
 * them.
 */
import { ApiFailure, type ApiValue, formatApiDate, isApiMap, isApiSet, NULL_REF } from '../../xapi/index.js'

type FieldType = 'string' | 'int' | 'float' | 'bool' | 'datetime' | 'ref' | 'set' | 'map'

/** What `xe` prints behind the name: single, set or map (none, `S`, `M`), read-only or writable. */
type Marker = 'RO' | 'RW' | 'SRO' | 'SRW' | 'MRO' | 'MRW'

export interface ApiField {
  /** The API's name; the key in a record. A `computed` field has none there. */
  readonly name: string
  readonly cliName: string
  readonly type: FieldType
  /** What a set or a map holds. */
  readonly of?: FieldType
  /** The class a reference (or a set of them) points at. */
  readonly refClass?: string
  readonly access: Marker
  /** In the API's record; `xe` does not know it. */
  readonly wireOnly?: boolean
  /** `xe` shows it to those only who ask for it by name. */
  readonly hidden?: boolean
  /** Shown as a placeholder in lists. */
  readonly expensive?: boolean
  readonly deprecated?: boolean
  /** Known to `xe` only, which computes it from other records. */
  readonly computed?: boolean
  /** Known to `xe` only, which reads it from the object that another field points at. */
  readonly through?: Through
  /** Members are separated by commas, in the oldest of a pool's lists, and not by semicolons. */
  readonly commas?: boolean
  /** A set that `xe` can also set as a whole, from words with commas between. */
  readonly settable?: boolean
  /** An amount of memory: `xe` reads it with a unit too, as 2GiB. */
  readonly bytes?: boolean
  /** Filters do not tell capital letters from small ones. */
  readonly anyCase?: boolean
  readonly default: ApiValue
}

interface Through {
  /** The field that holds the reference, and the name of the field over there. */
  readonly by: string
  readonly name: string
  /** Shown when there is no such object. */
  readonly missing: string
}

type Shape = FieldType | `set ${FieldType}` | `map ${FieldType}`

interface Extras {
  readonly cliName?: string
  readonly refClass?: string
  readonly default?: ApiValue
  readonly wireOnly?: true
  readonly hidden?: true
  readonly expensive?: true
  readonly deprecated?: true
  readonly computed?: true
  readonly through?: Through
  readonly commas?: true
  readonly settable?: true
  readonly bytes?: true
  readonly anyCase?: true
}

/** Shown by `xe` for an object that is not there. */
export const NOT_IN_DATABASE = '<not in database>'

/** Describes what `xe` shows of another object: the field `name` of what the field `by` points at. */
export function fieldOf(
  by: string,
  name: string,
  cliName: string,
  access: 'RO' | 'MRO' = 'RO',
  extras: Extras & { missing?: string } = {},
): ApiField {
  const { missing = NOT_IN_DATABASE, ...others } = extras
  return field('', access === 'MRO' ? 'map string' : 'string', access, {
    cliName,
    through: { by, name, missing },
    ...others,
  })
}

/** Describes what `xe` computes (thin-cli/computed-fields.ts). */
export function computed(cliName: string, access: Marker, extras: Extras = {}): ApiField {
  return field('', access.startsWith('M') ? 'map string' : access.startsWith('S') ? 'set string' : 'string', access, {
    cliName,
    computed: true,
    ...extras,
  })
}

/**
 * Describes a field; `xe` writes the API's name with dashes unless `extras` say otherwise, defaults are the type's empty value.
 */
export function field(name: string, shape: Shape, access: Marker, extras: Extras = {}): ApiField {
  const { type, of } = parseShape(shape)
  return {
    name,
    cliName: name.replaceAll('_', '-'),
    type,
    of,
    access,
    default: EMPTY[type],
    ...extras,
  }
}

const EMPTY: Readonly<Record<FieldType, ApiValue>> = {
  string: '',
  int: 0n,
  float: 0,
  bool: false,
  datetime: new Date(0),
  ref: NULL_REF,
  set: [],
  map: {},
}

function parseShape(shape: Shape): { type: FieldType; of?: FieldType } {
  const found = SHAPES.find(([text]) => text === shape)
  if (!found) throw new Error(`no such shape of a field: ${shape}`)
  const [, type, of] = found
  return { type, of }
}

const PLAIN: readonly FieldType[] = ['string', 'int', 'float', 'bool', 'datetime', 'ref', 'set', 'map']
const SHAPES: readonly (readonly [string, FieldType, FieldType?])[] = PLAIN.flatMap((type) => [
  [type, type] as const,
  [`set ${type}`, 'set', type] as const,
  [`map ${type}`, 'map', type] as const,
])

export type StoredValue = string | number | boolean | StoredValue[] | { readonly [key: string]: StoredValue }

/** Tells whether a value is the field's default; a set or a map is if both are empty. */
export function isDefault({ default: empty }: ApiField, value: ApiValue): boolean {
  if (value === empty) return true
  if (typeof value !== 'object' || typeof empty !== 'object') return false
  if (value instanceof Date) return empty instanceof Date && value.getTime() === empty.getTime()
  return Object.keys(value).length === 0 && !(empty instanceof Date) && Object.keys(empty).length === 0
}

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
 * @throws ApiFailure INTERNAL_ERROR when the value does not have the field's type.
 */
export function coerce({ type, of }: Typed, value: ApiValue): ApiValue {
  if (type === 'set') {
    if (!isApiSet(value)) throw wrongType('set', value)
    return value.map((element) => coerce({ type: of ?? 'string' }, element))
  }
  if (type === 'map') {
    if (!isApiMap(value)) throw wrongType('map', value)
    return mapValues(value, (element) => coerce({ type: of ?? 'string' }, element))
  }
  const read = SCALARS[type](value)
  if (read === undefined) throw wrongType(type, value)
  return read
}

/** Types as ocaml-rpc names them (rpc.ml); a reference is a string there. */
const READ_AS: Readonly<Record<FieldType, string>> = {
  string: 'string',
  int: 'int64',
  float: 'float',
  bool: 'bool',
  datetime: 'DateTime',
  ref: 'string',
  set: 'list',
  map: 'dict',
}

/** What a pool says of a parameter that it cannot read: the exception of its library, as an error of its own. */
export function wrongType(type: FieldType, value: ApiValue): ApiFailure {
  return new ApiFailure('INTERNAL_ERROR', [`Failure("Expected ${READ_AS[type]}, got '${asRead(value)}'")`])
}

/** A value as ocaml-rpc prints it. */
function asRead(value: ApiValue): string {
  switch (typeof value) {
    case 'string':
      return `S(${value})`
    case 'bigint':
      return `I(${value})`
    case 'number':
      return `F(${value})`
    case 'boolean':
      return `B(${value})`
  }
  if (value instanceof Date) return `D(${formatApiDate(value)})`
  if (isApiSet(value)) return `[${value.map(asRead).join(';')}]`
  return `{${Object.entries(value)
    .map(([key, element]) => `${key}:${asRead(element)}`)
    .join(';')}}`
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
