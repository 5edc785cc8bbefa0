/** Changing fields of one object: setting, adding, removing, emptying, with the pool's refusals. */
import { findValue, type Parameters, requireValue, withoutKeys } from './arguments.js'
import type { CliField } from './records.js'
import { refusal } from './refusal.js'
import { findField, isMap, isSet, readFieldTarget } from './selection.js'

/** Sets the fields in the order typed; those before one that is refused stay changed. */
export async function setParameters(fields: readonly CliField[], changes: Parameters): Promise<void> {
  for (const [key, value] of changes) {
    const target = readFieldTarget(key, fields)
    const field = findField(fields, target.name)
    if (target.kind === 'set') throw refusal('Cannot param-set on set fields')
    if (target.kind === 'map') await setEntry(field, target.rest, value)
    else await setField(field, value)
  }
}

async function setField(field: CliField, value: string): Promise<void> {
  const { access } = field.description
  if (access === 'MRW') throw refusal(`Field '${field.name}' is a map or set. use the 'name:key=value' syntax.`)
  if (access !== 'RW') throw refusal(`Field '${field.name}' is read-only.`)
  await field.set(value)
}

async function setEntry(field: CliField, key: string, value: string): Promise<void> {
  if (!isWritable(field)) throw refusal(`Map field '${field.name}' is read-only.`)
  const entries = await field.entries()
  if (entries.some(([name]) => name === key)) await field.removeEntry(key)
  await field.addEntry(key, value)
}

export async function addParameter(fields: readonly CliField[], parameters: Parameters): Promise<void> {
  const field = findField(fields, requireValue(parameters, 'param-name'))
  if (!isSet(field) && !isMap(field)) throw refusal('Can only add to parameters of type Set or Map')
  if (!isWritable(field)) throw refusal('Parameter is read-only')
  if (isMap(field)) {
    const entries = withoutKeys(parameters, 'uuid', 'param-name', 'param-key')
    for (const [key, value] of entries) await field.addEntry(key, value)
    return
  }
  const member = findValue(parameters, 'param-key')
  if (member === undefined) {
    throw refusal('When adding a key to a set, use the syntax: *-param-add param-name=<name> param-key=<key>')
  }
  await field.addMember(member)
}

export async function removeParameter(fields: readonly CliField[], parameters: Parameters): Promise<void> {
  const field = findField(fields, requireValue(parameters, 'param-name'))
  const key = requireValue(parameters, 'param-key')
  if (!isSet(field) && !isMap(field)) throw refusal('Can only remove from parameters of type Set or Map')
  if (!isWritable(field)) throw refusal('Cannot remove parameters from read-only map')
  if (isMap(field)) {
    const isThere = (await field.entries()).some(([name]) => name === key)
    if (!isThere) throw refusal(`Key ${key} is not in map`)
    await field.removeEntry(key)
  } else {
    if (!(await field.members()).includes(key)) throw refusal(`Key ${key} is not in the set`)
    await field.removeMember(key)
  }
}

export async function clearParameter(field: CliField): Promise<void> {
  if (!isWritable(field)) throw refusal('Can only clear RW parameters')
  if (isSet(field)) {
    for (const member of await field.members()) await field.removeMember(member)
  } else if (isMap(field)) {
    for (const [key] of await field.entries()) await field.removeEntry(key)
  } else {
    // Whatever the pool has against an empty value, a boolean's included, it gives the same reason.
    await field.set('').catch(() => {
      throw refusal('Cannot clear this parameter')
    })
  }
}

function isWritable({ description }: CliField): boolean {
  return description.access.endsWith('RW')
}
