/** Completes the value after `key=`: objects of the pool, fields, files, or fixed words. */
import { type Answer, type Candidate, matching } from './answer.js'
import { type AskXe, readMinimal, readTable, type TableField } from './xe-answers.js'
import { FILE_KEYS, fixedValues, listingOf, NAMED_OBJECTS, OTHER_CLASSES } from './xe-tables.js'

export interface ValuePlace {
  readonly command: string
  /** Words between the command and the cursor. */
  readonly parameters: readonly string[]
  /** `key=`, and what stands behind it already. */
  readonly typed: string
}

/** Fields that identify an object for a person; the first that is not empty is shown. */
const TELLING = ['name-label', 'number', 'vm-name-label', 'device', 'name', 'type']

/** Completes the value; nothing where the pool does not answer. */
export async function completeValue(place: ValuePlace, ask: AskXe): Promise<Answer> {
  const { command, typed } = place
  const key = typed.slice(0, typed.indexOf('='))
  const head = `${key}=`
  if (FILE_KEYS.includes(key)) return { kind: 'files', head, only: 'any' }
  if (key === 'params') return completeList(head, typed, [...(await fieldsOf(place, ask)).map(nameOf), 'all'])
  if (key === 'param-name') return matching(prefixed(head, await settableFields(place, ask)), typed)
  if (key === 'uuid') return matching(await objects(head, classOf(command), false, ask), typed)
  const [, named = ''] = /^(.+)-uuid$/.exec(key) ?? []
  if (named) return matching(await objects(head, OTHER_CLASSES[named] ?? named, named !== 'snapshot', ask), typed)
  // Lists filter by what they print, which is an identifier.
  const className = command.endsWith('-list') ? undefined : NAMED_OBJECTS[key]
  if (className !== undefined)
    return matching(prefixed(head, await column(`${className}-list`, 'name-label', ask)), typed)
  const fixed = fixedValues(command, key)
  if (fixed) return complete(head, typed, fixed.values, fixed.several)
  const listing = listingOf(command, key)
  if (listing) return complete(head, typed, readMinimal(await ask(...listing.values)), listing.several)
  return matching(prefixed(head, await valuesOfField(command, key, ask)), typed)
}

/**
 * A list, and a command about VMs, is filtered by values that are there. Elsewhere the values of a field are read only to
 * find out whether it is a boolean.
 */
async function valuesOfField(command: string, key: string, ask: AskXe): Promise<readonly string[]> {
  const isSwitch = /enabled$/.test(key) || key === 'wlb-verify-cert'
  if (/-param-set$/.test(command)) {
    if (isSwitch) return ['true', 'false']
    const values = await column(`${classOf(command)}-list`, key, ask)
    return values.length > 0 && values.every((value) => value === 'true' || value === 'false') ? ['true', 'false'] : []
  }
  if (/-list$/.test(command) || command.startsWith('vm-')) return column(`${classOf(command)}-list`, key, ask)
  return isSwitch ? ['true', 'false'] : []
}

async function column(list: string, field: string, ask: AskXe): Promise<string[]> {
  return readMinimal(await ask(list, '--minimal', `params=${field}`))
}

async function objects(head: string, className: string, all: boolean, ask: AskXe): Promise<Candidate[]> {
  const table = await ask(`${className}-list`, ...(all ? ['--all'] : []), `params=uuid,${TELLING.join(',')}`)
  return readTable(table).flatMap((record) => {
    const uuid = record.find(({ name }) => name === 'uuid')?.value
    if (!uuid) return []
    const meaning = TELLING.map((field) => record.find(({ name }) => name === field)?.value).find(Boolean)
    return [{ word: `${head}${uuid}`, ...(meaning !== undefined && { meaning }) }]
  })
}

/** The fields of the object that is named, or of the first of its class: all objects of a class have the same fields. */
async function fieldsOf({ command, parameters }: ValuePlace, ask: AskXe): Promise<TableField[]> {
  const list = `${classOf(command)}-list`
  const recordOf = async (uuid: string) => readTable(await ask(list, 'params=all', `uuid=${uuid}`))[0]
  const named = parameters.find((word) => word.startsWith('uuid='))?.slice('uuid='.length)
  const fields = named ? await recordOf(named) : undefined
  if (fields) return fields
  const [first] = readMinimal(await ask(list, 'params=uuid', '--minimal'))
  return (first && (await recordOf(first))) || []
}

/** Every field can be shown; sets and maps are what something can be added to or removed from. */
async function settableFields(place: ValuePlace, ask: AskXe): Promise<string[]> {
  const [, verb] = /-param-(get|add|remove)$/.exec(place.command) ?? []
  if (verb === undefined) return []
  const fields = await fieldsOf(place, ask)
  return fields.filter(({ access }) => verb === 'get' || access === 'SRW' || access === 'MRW').map(nameOf)
}

function nameOf({ name }: TableField): string {
  return name
}

function complete(head: string, typed: string, values: readonly string[], several: boolean): Answer {
  return several ? completeList(head, typed, values) : matching(prefixed(head, values), typed)
}

/** Behind the last comma, what is not in the list yet. */
function completeList(head: string, typed: string, values: readonly string[]): Answer {
  const before = typed.slice(0, Math.max(typed.lastIndexOf(',') + 1, head.length))
  const given = before.slice(head.length).split(',')
  const left = values.filter((value) => !given.includes(value))
  return matching(prefixed(before, left), typed)
}

function prefixed(head: string, values: readonly string[]): Candidate[] {
  return values.map((value) => ({ word: `${head}${value}` }))
}

const TWO_WORDS =
  'host-cpu host-crashdump gpu-group vgpu-type pvs-server pvs-proxy pvs-site sdn-controller network-sriov vm-group cluster-host'
const LONGER_CLASSES = ['pvs-cache-storage', ...TWO_WORDS.split(' ')]
const OF_ANOTHER_CLASS: Readonly<Record<string, string>> = {
  'diagnostic-vm-status': 'vm',
  'diagnostic-vdi-status': 'vdi',
  'host-cpu-info': 'host',
}

/** The class that a command is about: its first word, except for classes with longer names. */
function classOf(command: string): string {
  const longer = LONGER_CLASSES.find((name) => command.startsWith(`${name}-`))
  return OF_ANOTHER_CLASS[command] ?? longer ?? command.split('-')[0] ?? command
}
