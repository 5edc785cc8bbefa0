/** One field of a XenAPI class: what the API calls it, what `xe` calls it, and who may change it. */
import type { ApiValue } from '../../../xapi/index.js'

export type FieldType = 'string' | 'int' | 'float' | 'bool' | 'datetime' | 'ref' | 'set' | 'map'

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
  /** In the API's record, never in the lists of `xe`. */
  readonly hidden?: boolean
  /** Shown as a placeholder in lists. */
  readonly expensive?: boolean
  readonly deprecated?: boolean
  /** Known to `xe` only, which works it out from other records. */
  readonly computed?: boolean
  readonly default: ApiValue
}

type Shape = FieldType | `set ${FieldType}` | `map ${FieldType}`

interface Extras {
  readonly cliName?: string
  readonly refClass?: string
  readonly default?: ApiValue
  readonly hidden?: true
  readonly expensive?: true
  readonly deprecated?: true
  readonly computed?: true
}

/** Describes a field; `xe` writes the API's name with dashes unless told otherwise, defaults are the type's empty value. */
export function field(name: string, shape: Shape, access: Marker, extras: Extras = {}): ApiField {
  const { type, of } = parseShape(shape)
  return {
    name,
    cliName: name.replaceAll('_', '-'),
    type,
    ...(of && { of }),
    access,
    default: EMPTY[type],
    ...extras,
  }
}

export const NULL_REF = 'OpaqueRef:NULL'

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
  return of ? { type, of } : { type }
}

const PLAIN: readonly FieldType[] = ['string', 'int', 'float', 'bool', 'datetime', 'ref', 'set', 'map']
const SHAPES: readonly (readonly [string, FieldType, FieldType?])[] = PLAIN.flatMap((type) => [
  [type, type] as const,
  [`set ${type}`, 'set', type] as const,
  [`map ${type}`, 'map', type] as const,
])
