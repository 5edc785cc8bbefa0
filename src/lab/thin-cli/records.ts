/** A pool's objects as `xe` shows them: each field with its name, its value as text, and the ways to change it. */
import { type ApiValue, formatApiDate, isApiMap, isApiSet, NULL_REF } from '../../xapi/index.js'
import { type ApiClass, findClass } from '../database/classes.js'
import { type ApiField, NOT_IN_DATABASE } from '../database/field.js'
import type { Rpc } from './command.js'
import { refusal } from './command-line.js'
import { computeField, spell, unspell } from './computed-fields.js'
import { type ApiRecord, References } from './references.js'

export interface CliField {
  readonly description: ApiField
  readonly name: string
  /** The name and its marker, as the key of a table. */
  readonly label: string
  text(): Promise<string>
  /** The members; empty where the field is not a set that filters and changes can use. */
  members(): Promise<readonly string[]>
  entries(): Promise<readonly (readonly [key: string, value: string])[]>
  set(value: string): Promise<void>
  addMember(value: string): Promise<void>
  removeMember(value: string): Promise<void>
  addEntry(key: string, value: string): Promise<void>
  removeEntry(key: string): Promise<void>
}

export interface CliObject {
  readonly ref: string
  readonly record: ApiRecord
  readonly fields: readonly CliField[]
}

/** Describes one object; the pool is asked only when a field's value is read. */
export function describeObject(
  owner: ApiClass,
  ref: string,
  record: ApiRecord,
  rpc: Rpc,
  references: References,
): CliObject {
  const known = owner.fields.filter(({ wireOnly }) => !wireOnly)
  const fields = known.map((field) => describeField({ owner, ref, record, rpc, references, field }))
  return { ref, record, fields }
}

interface FieldPlace {
  readonly owner: ApiClass
  readonly ref: string
  readonly record: ApiRecord
  readonly rpc: Rpc
  readonly references: References
  readonly field: ApiField
}

function describeField(place: FieldPlace): CliField {
  const { owner, ref, rpc, field } = place
  const change = async (verb: string, ...values: ApiValue[]) => {
    await rpc(`${owner.name}.${verb}_${field.name}`, ref, ...values)
  }
  return {
    description: field,
    name: field.cliName,
    label: labelOf(field),
    text: () => textOf(place),
    members: () => membersOf(place),
    entries: () => entriesOf(place),
    set: async (text) => change('set', await parseFieldValue(owner.name, field, text, rpc)),
    addMember: (value) => change('add', value),
    removeMember: (value) => change('remove', value),
    addEntry: (key, value) => change('add_to', key, value),
    removeEntry: (key) => change('remove_from', key),
  }
}

/** Sets and maps whose members a pool's own lists cannot use are marked as plain fields, and behave as such. */
function labelOf({ cliName, access, deprecated }: ApiField): string {
  const marker = access.length === 2 ? ` ${access}` : access
  return `${cliName} (${marker})${deprecated ? ' [DEPRECATED]' : ''}`
}

/** A value with the field that describes it, which may be one of another class. */
interface Found {
  readonly className: string
  readonly field: ApiField
  readonly value: ApiValue
}

/** Undefined when the field is one of an object that is not there. */
async function find({ owner, record, references, field }: FieldPlace): Promise<Found | undefined> {
  const { through } = field
  if (!through) return { className: owner.name, field, value: record[field.name] ?? field.default }
  const className = owner.fields.find(({ name }) => name === through.by)?.refClass ?? ''
  const target = findClass(className)?.fields.find(({ name }) => name === through.name)
  const there = await references.recordOf(className, String(record[through.by]))
  return target && there && { className, field: target, value: there[target.name] ?? target.default }
}

async function textOf(place: FieldPlace): Promise<string> {
  const { owner, field } = place
  if (field.computed) return computeField(owner.name, field.cliName, place)
  const found = await find(place)
  if (!found) return field.through?.missing ?? NOT_IN_DATABASE
  if (isApiSet(found.value) || (isApiMap(found.value) && listsValues(found.field))) {
    return (await membersOf(place)).join(field.commas ? ', ' : '; ')
  }
  if (isApiMap(found.value)) return (await entriesOf(place)).map(([key, text]) => `${key}: ${text}`).join('; ')
  return scalarText(place, found, found.field.type, found.value)
}

/** What is going on is a map by task in the API; `xe` shows what it is, not which task does it. */
function listsValues({ name }: ApiField): boolean {
  return name === 'current_operations'
}

async function membersOf(place: FieldPlace): Promise<string[]> {
  if (place.field.computed) return (await textOf(place)).split('; ').filter((member) => member !== '')
  const found = await find(place)
  if (!found) return []
  const { field, value } = found
  const members = isApiSet(value) ? value : isApiMap(value) && listsValues(field) ? Object.values(value) : []
  return Promise.all(members.map((member) => scalarText(place, found, field.of, member)))
}

async function entriesOf(place: FieldPlace): Promise<[string, string][]> {
  const found = await find(place)
  if (!found || !isApiMap(found.value)) return []
  return Promise.all(
    Object.entries(found.value).map(
      async ([key, entry]): Promise<[string, string]> => [key, await scalarText(place, found, found.field.of, entry)],
    ),
  )
}

async function scalarText(
  { references }: FieldPlace,
  { className, field }: Found,
  type: ApiField['type'] | undefined,
  value: ApiValue,
): Promise<string> {
  if (value instanceof Date) return formatApiDate(value)
  if (type === 'ref') return references.uuidOf(field.refClass, String(value))
  if (type === 'float') return Number(value).toFixed(3)
  return spell(className, field.name, String(value))
}

/** Every object of a class, in the database's order. */
export async function listObjects(owner: ApiClass, rpc: Rpc): Promise<CliObject[]> {
  const references = new References(rpc)
  const records = await rpc(`${owner.name}.get_all_records`)
  if (!isApiMap(records)) throw new Error(`${owner.name}.get_all_records gave no map`)
  return Object.entries(records).map(([ref, record]) => {
    if (!isApiMap(record)) throw new Error(`${owner.name}.get_all_records gave no records`)
    return describeObject(owner, ref, record, rpc, references)
  })
}

/** Finds one object by its UUID. @throws ApiFailure UUID_INVALID */
export async function findByUuid(owner: ApiClass, uuid: string, rpc: Rpc): Promise<CliObject> {
  const ref = String(await rpc(`${owner.name}.get_by_uuid`, uuid))
  const record = await rpc(`${owner.name}.get_record`, ref)
  if (!isApiMap(record)) throw new Error(`${owner.name}.get_record gave no record`)
  return describeObject(owner, ref, record, rpc, new References(rpc))
}

/** Finds the pool: the only one, or the one that `uuid=` names. */
export async function findPool(uuid: string | undefined, rpc: Rpc): Promise<string> {
  if (uuid !== undefined) return String(await rpc('pool.get_by_uuid', uuid))
  const pools = await rpc('pool.get_all')
  const [pool] = isApiSet(pools) ? pools : []
  if (pool === undefined) throw refusal('No pool found.')
  return String(pool)
}

/** Reads what was typed as the field's type; an object is named by its UUID. Throws a `Refusal` when it is none. */
async function parseFieldValue(className: string, field: ApiField, text: string, rpc: Rpc): Promise<ApiValue> {
  switch (field.type) {
    case 'bool':
      if (text === 'true' || text === 'false') return text === 'true'
      throw refusal(`Parameter ${field.cliName} must be a boolean (true or false)`)
    case 'int':
      if (field.bytes) return readBytes(field.cliName, text)
      if (/^[+-]?\d+$/.test(text)) return BigInt(text)
      throw refusal(`Failed to parse parameter '${field.cliName}': expecting an integer`)
    case 'float':
      if (/^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text)) return Number(text)
      throw refusal(`Parameter ${field.cliName} must be a floating-point number`)
    case 'ref':
      return text === '' ? NULL_REF : rpc(`${field.refClass}.get_by_uuid`, text)
    case 'set': {
      const words = text.split(',').filter((word) => word.trim() !== '')
      return field.of === 'ref' ? Promise.all(words.map((uuid) => rpc(`${field.refClass}.get_by_uuid`, uuid))) : words
    }
    default:
      return unspell(className, field.name, text)
  }
}

const UNITS: Readonly<Record<string, bigint>> = {
  bytes: 1n,
  KiB: 2n ** 10n,
  MiB: 2n ** 20n,
  GiB: 2n ** 30n,
  TiB: 2n ** 40n,
}

/** Reads an amount of memory with a unit behind it or none (record_util.ml, bytes_of_string). */
function readBytes(name: string, text: string): bigint {
  const [number, ...others] = text.match(/\d+/g) ?? []
  const [unit = 'bytes', ...more] = text.match(/[^\s\d]+/g) ?? []
  if (number === undefined || others.length > 0 || more.length > 0) {
    throw refusal(`Failed to parse field '${name}': expecting an integer (possibly with suffix)`)
  }
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
  if (factor === undefined) {
    throw refusal(`Failed to parse field '${name}': Unknown suffix: '${unit}' (try KiB, MiB, GiB or TiB)`)
  }
  return BigInt(number) * factor
}
