/**
 * Which objects are meant: filters on fields, and the selectors of hosts and VMs (docs/protocol/thin-cli.md, filters).
 */
import { type ApiClass, CLASSES } from '../database/classes.js'
import type { Invocation, Rpc } from './command.js'
import { findValue, isSet as isFlagSet, type Parameters, Refusal, refusal, STANDARD_KEYS } from './command-line.js'
import { type CliField, type CliObject, listObjects } from './records.js'

/** What a key such as `other-config:wlb_timeout` means for objects of a class. */
type FieldTarget =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'set' | 'map'; readonly name: string; readonly rest: string }

/** Reads a key as a field, or as a place inside one. Throws a `Refusal` when the class has no such field. */
export function readFieldTarget(key: string, fields: readonly CliField[]): FieldTarget {
  if (fields.some(({ name }) => name === key)) return { kind: 'field', name: key }
  const colon = key.indexOf(':')
  if (colon >= 0) {
    const field = fields.find(({ name }) => name === key.slice(0, colon))
    if (!field) throw refusal(`Unknown field '${key}'`)
    const kind = isMap(field) ? 'map' : isSet(field) ? 'set' : undefined
    if (!kind) throw refusal(`Field '${field.name}' is not a set or map`)
    return { kind, name: field.name, rest: key.slice(colon + 1) }
  }
  return readDashedTarget(key, fields)
}

/** The older way, `other-config-key`: maps before sets, longer names before shorter ones. */
function readDashedTarget(key: string, fields: readonly CliField[]): FieldTarget {
  const byLength = [...fields].sort((a, b) => b.name.length - a.name.length)
  const found = [
    ...byLength.filter(isMap).map((field) => ({ kind: 'map' as const, field })),
    ...byLength.filter(isSet).map((field) => ({ kind: 'set' as const, field })),
  ].find(({ field }) => key.startsWith(`${field.name}-`))
  if (!found) throw refusal(`Unknown field '${key}'`)
  return { kind: found.kind, name: found.field.name, rest: key.slice(found.field.name.length + 1) }
}

export function isSet({ description }: CliField): boolean {
  return description.access.startsWith('S')
}

export function isMap({ description }: CliField): boolean {
  return description.access.startsWith('M')
}

export function findField(fields: readonly CliField[], name: string): CliField {
  const field = fields.find((candidate) => candidate.name === name)
  if (!field) throw new Refusal({ kind: 'no-such-parameter', name })
  return field
}

/** Keeps the objects that match every filter. With no object left a filter is not even read, as on a pool. */
export async function filterObjects(objects: readonly CliObject[], filters: Parameters): Promise<readonly CliObject[]> {
  let left = objects
  for (const [key, wanted] of filters) {
    const [first] = left
    if (!first) return []
    const target = readFieldTarget(key, first.fields)
    if (target.kind === 'set' && target.rest !== 'contains') {
      throw refusal('Invalid syntax for set filtering (should be set-param:contains=key)')
    }
    const matches = await Promise.all(
      left.map(({ fields }) => matchesTarget(findField(fields, target.name), target, wanted)),
    )
    left = left.filter((_object, index) => matches[index])
  }
  return left
}

async function matchesTarget(field: CliField, target: FieldTarget, wanted: string): Promise<boolean> {
  switch (target.kind) {
    case 'field': {
      const text = await field.text()
      return field.description.anyCase ? text.toLowerCase() === wanted.toLowerCase() : text === wanted
    }
    case 'set':
      return (await field.members()).includes(wanted)
    case 'map':
      return (await field.entries()).some(([key, value]) => key === target.rest && value === wanted)
  }
}

/** The hosts meant; several only with --multiple. */
export async function selectHosts(
  { parameters, rpc }: Invocation,
  own: readonly string[],
): Promise<readonly CliObject[]> {
  const hosts = await select(classNamed('host'), 'host', ['uuid', 'hostname', 'name_label'], parameters, rpc, own)
  if (hosts.length === 0) throw refusal('No matching hosts found')
  if (hosts.length > 1 && !isFlagSet(parameters, 'multiple')) {
    throw refusal('Multiple matching hosts found. --multiple required to complete the operation')
  }
  return hosts
}

/** The VMs meant, never templates; several only with --multiple. */
export async function selectVms(
  { parameters, rpc }: Invocation,
  own: readonly string[],
  controlDomains: 'with control domains' | 'guests',
): Promise<readonly CliObject[]> {
  const kept: Parameters = [
    ['is-a-template', 'false'],
    ...(controlDomains === 'guests' ? ([['is-control-domain', 'false']] as const) : []),
  ]
  const vms = await select(classNamed('VM'), 'vm', ['uuid', 'name_label'], [...kept, ...parameters], rpc, own)
  if (vms.length === 0) throw refusal('No matching VMs found')
  if (vms.length > 1 && !isFlagSet(parameters, 'multiple')) {
    throw refusal('Multiple matches VMs found. --multiple required to complete the operation')
  }
  return vms
}

/** The one host meant; a command that works on one refuses several. Keys in `own` are the command's, not filters. */
export async function selectHost(parameters: Parameters, rpc: Rpc, ...own: readonly string[]): Promise<CliObject> {
  const hosts = await select(classNamed('host'), 'host', ['uuid', 'hostname', 'name_label'], parameters, rpc, own)
  const [host, ...more] = hosts
  if (!host) throw refusal('No matching hosts found')
  if (more.length > 0) {
    throw refusal('Multiple matching hosts found. Operation can only be performed on one host at a time')
  }
  return host
}

/** The one VM meant; templates and control domains never are. */
export async function selectVm(parameters: Parameters, rpc: Rpc): Promise<CliObject> {
  const guests: Parameters = [['is-a-template', 'false'], ['is-control-domain', 'false'], ...parameters]
  const [vm, ...more] = await select(classNamed('VM'), 'vm', ['uuid', 'name_label'], guests, rpc, [])
  if (!vm) throw refusal('No matching VMs found')
  if (more.length > 0) throw refusal('Multiple VMs found. Operation can only be performed on one VM at a time')
  return vm
}

async function select(
  owner: ApiClass,
  selector: string,
  names: readonly string[],
  parameters: Parameters,
  rpc: Rpc,
  own: readonly string[],
): Promise<readonly CliObject[]> {
  const wanted = findValue(parameters, selector)
  const candidates = (await listObjects(owner, rpc)).filter(
    ({ record }) => wanted === undefined || names.some((name) => record[name] === wanted),
  )
  const filters = parameters.filter(([key]) => {
    const stem = key.split(':')[0] ?? ''
    return stem !== selector && !STANDARD_KEYS.includes(stem) && !own.includes(stem)
  })
  return filterObjects(candidates, filters)
}

/** A class that the table is known to hold. */
export function classNamed(name: string): ApiClass {
  const found = CLASSES.find((candidate) => candidate.name === name)
  if (!found) throw new Error(`no class ${name}`)
  return found
}
