/** A pool's objects as `xe` shows them: each field with its name, its value as text, and the ways to change it. */
import { ApiFailure, type ApiValue, formatApiDate, isApiMap, isApiSet, NULL_REF } from '../../xapi/index.js'
import type { ApiClass } from '../database/classes.js'
import type { ApiField } from '../database/field.js'
import type { Rpc } from './command.js'
import { refusal } from './command-line.js'

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

/** UUIDs of objects by reference, each asked for once per command. */
export class References {
  readonly #rpc: Rpc
  readonly #uuids = new Map<string, Promise<string>>()

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  uuidOf(className: string | undefined, ref: string): Promise<string> {
    if (className === undefined || ref === NULL_REF || ref === '') return Promise.resolve(NOT_IN_DATABASE)
    const known = this.#uuids.get(ref) ?? this.#ask(className, ref)
    this.#uuids.set(ref, known)
    return known
  }

  async #ask(className: string, ref: string): Promise<string> {
    try {
      return String(await this.#rpc(`${className}.get_uuid`, ref))
    } catch (error) {
      if (error instanceof ApiFailure) return NOT_IN_DATABASE
      throw error
    }
  }
}

/** Describes one object; the pool is asked only when a field's value is read. */
export function describeObject(
  owner: ApiClass,
  ref: string,
  record: ApiRecord,
  rpc: Rpc,
  references: References,
): CliObject {
  const fields = owner.fields.map((field) => describeField({ owner, ref, record, rpc, references, field }))
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
    set: async (text) => change('set', await parseFieldValue(field, text, rpc)),
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

async function textOf(place: FieldPlace): Promise<string> {
  const { owner, record, rpc, field } = place
  if (field.computed) return computeField(owner, field.cliName, record, rpc)
  const value = record[field.name] ?? field.default
  if (isApiSet(value)) return (await membersOf(place)).join('; ')
  if (isApiMap(value)) return (await entriesOf(place)).map(([key, text]) => `${key}: ${text}`).join('; ')
  return spellValue(owner.name, field.name, await scalarText(place, field.type, value))
}

async function membersOf(place: FieldPlace): Promise<string[]> {
  const value = place.record[place.field.name] ?? place.field.default
  if (!isApiSet(value)) return []
  return Promise.all(value.map((member) => scalarText(place, place.field.of, member)))
}

async function entriesOf(place: FieldPlace): Promise<[string, string][]> {
  const value = place.record[place.field.name] ?? place.field.default
  if (!isApiMap(value)) return []
  return Promise.all(
    Object.entries(value).map(
      async ([key, entry]): Promise<[string, string]> => [key, await scalarText(place, place.field.of, entry)],
    ),
  )
}

async function scalarText(place: FieldPlace, type: ApiField['type'] | undefined, value: ApiValue): Promise<string> {
  if (value instanceof Date) return formatApiDate(value)
  if (type === 'ref') return place.references.uuidOf(place.field.refClass, String(value))
  if (type === 'float') return Number(value).toFixed(3)
  return String(value)
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

type Computation = (record: ApiRecord, rpc: Rpc) => Promise<string>

const COMPUTATIONS: Readonly<Record<string, Computation>> = {
  'pool.supported-sr-types': async (_record, rpc) => [...new Set(await texts(rpc, 'SR', 'type'))].sort().join('; '),
  // The pool's edition is the least of its hosts'; the lab gives all of them the same, and none of them ends.
  'pool.license-state': async (_record, rpc) =>
    `edition: ${(await texts(rpc, 'host', 'edition'))[0] ?? 'free'}; expiry: never`,
  'host.memory-total': (record, rpc) => metric(record, rpc, 'memory_total'),
  'host.memory-free': (record, rpc) => metric(record, rpc, 'memory_free'),
  'host.memory-free-computed': (record, rpc) => metric(record, rpc, 'memory_free'),
  'host.host-metrics-live': (record, rpc) => metric(record, rpc, 'live'),
  'VM.memory-actual': async ({ power_state, memory_target }) =>
    power_state === 'Running' ? String(memory_target ?? 0n) : '0',
}

/** The text of a field that exists for `xe` only; what cannot be computed is shown as not in the database. */
async function computeField(owner: ApiClass, name: string, record: ApiRecord, rpc: Rpc): Promise<string> {
  return (await COMPUTATIONS[`${owner.name}.${name}`]?.(record, rpc)) ?? NOT_IN_DATABASE
}

async function metric(host: ApiRecord, rpc: Rpc, name: string): Promise<string> {
  const metrics = await rpc('host_metrics.get_record', host.metrics ?? '').catch(() => undefined)
  const value = metrics !== undefined && isApiMap(metrics) ? metrics[name] : undefined
  return value === undefined ? NOT_IN_DATABASE : String(value)
}

async function texts(rpc: Rpc, className: string, name: string): Promise<string[]> {
  const records = await rpc(`${className}.get_all_records`)
  if (!isApiMap(records)) return []
  return Object.values(records).map((record) => String((isApiMap(record) && record[name]) || ''))
}

export type ApiRecord = { readonly [key: string]: ApiValue }

/** Shown for an object that is not there. */
const NOT_IN_DATABASE = '<not in database>'

/** Words that `xe` spells in another way than the API does. */
function spellValue(className: string, fieldName: string, text: string): string {
  if (className !== 'VM') return text
  if (fieldName === 'power_state') return text.toLowerCase()
  if (fieldName.startsWith('actions_after_')) return text.charAt(0).toUpperCase() + text.slice(1)
  return text
}

/** Reads what was typed as the field's type; an object is named by its UUID. Throws a `Refusal` when it is none. */
async function parseFieldValue(field: ApiField, text: string, rpc: Rpc): Promise<ApiValue> {
  switch (field.type) {
    case 'bool':
      if (text === 'true' || text === 'false') return text === 'true'
      throw refusal(`Parameter ${field.cliName} must be a boolean (true or false)`)
    case 'int':
      if (/^[+-]?\d+$/.test(text)) return BigInt(text)
      throw refusal(`Failed to parse parameter '${field.cliName}': expecting an integer`)
    case 'float':
      if (/^[+-]?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text)) return Number(text)
      throw refusal(`Parameter ${field.cliName} must be a floating-point number`)
    case 'ref':
      return text === '' ? NULL_REF : rpc(`${field.refClass}.get_by_uuid`, text)
    default:
      return field.name.startsWith('actions_after_') ? text.toLowerCase() : text
  }
}
