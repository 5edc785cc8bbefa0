/**
 * The commands that every class of objects has, made from the table of fields: lists, and reading and changing fields.
 */
import type { ApiClass } from '../database/classes.js'
import type { Command, CommandFlag, Invocation } from './command.js'
import { findValue, isSet as isFlagSet, type Parameters, refusal, requireValue, withoutKeys } from './command-line.js'
import type { TableRecord } from './conversation.js'
import { type CliField, findByUuid, listObjects } from './records.js'
import { classNamed, filterObjects, findField, isMap, isSet, readFieldTarget } from './selection.js'

type Listed = readonly [
  className: string,
  shownAs: string,
  columns: string,
  filters?: Parameters,
  flags?: CommandFlag[],
]

/** Columns are chosen here and printed in the order of the fields. */
const LISTED: readonly Listed[] = [
  ['pool', 'pool', 'uuid name-label name-description master default-SR'],
  ['host', 'host', 'uuid name-label name-description'],
  ['host_cpu', 'host-cpu', 'uuid number vendor speed utilisation'],
  ['VM', 'vm', 'name-label uuid power-state', [['is-a-template', 'false']], ['common']],
  ['VM_group', 'vm-group', 'uuid name-label name-description placement vm-uuids'],
  ['SR', 'sr', 'uuid name-label name-description host type content-type', [], ['common']],
  ['PBD', 'pbd', 'uuid host-uuid sr-uuid device-config currently-attached'],
  ['VDI', 'vdi', 'uuid name-label name-description virtual-size read-only sharable sr-uuid'],
  ['VBD', 'vbd', 'uuid vm-uuid vm-name-label vdi-uuid device empty'],
  ['network', 'network', 'uuid name-label name-description bridge', [], ['common']],
  ['PIF', 'pif', 'uuid device VLAN MAC network-uuid currently-attached host-uuid'],
  ['VIF', 'vif', 'uuid device vm-uuid network-uuid'],
  ['Certificate', 'certificate', 'uuid type name host not-before not-after fingerprint purpose'],
  ['task', 'task', 'uuid name-label name-description status progress'],
  ['secret', 'secret', 'uuid value'],
  ['message', 'message', 'uuid name priority class obj-uuid timestamp body'],
]

export const OBJECT_COMMANDS: readonly Command[] = LISTED.flatMap(([className, shownAs, columns, filters, flags]) =>
  commandsOf(classNamed(className), shownAs, columns.split(' '), filters ?? [], flags ?? []),
)

function commandsOf(
  owner: ApiClass,
  shownAs: string,
  columns: readonly string[],
  filters: Parameters,
  flags: readonly CommandFlag[],
): Command[] {
  const shown = owner.fields.filter(({ hidden, wireOnly }) => !hidden && !wireOnly)
  const names = shown.map(({ cliName }) => cliName)
  const sets = shown.filter(({ access }) => access.startsWith('S')).map(({ cliName }) => `${cliName}:contains`)
  const singles = shown.filter(({ access, settable }) => access === 'RW' || settable).map(({ cliName }) => cliName)
  const maps = shown.filter(({ access }) => access === 'MRW').map(({ cliName }) => `${cliName}:`)
  const addable = shown.filter(({ access }) => access === 'SRW' || access === 'MRW').map(({ cliName }) => cliName)
  const clearable = shown.filter(({ access }) => access !== 'RO').map(({ cliName }) => cliName)

  const find = ({ parameters, rpc }: Invocation) => findByUuid(owner, requireValue(parameters, 'uuid'), rpc)
  const look = async (invocation: Invocation) => {
    await openDatabase(invocation)
    return find(invocation)
  }
  const commands: Command[] = [
    {
      name: `${shownAs}-list`,
      required: [],
      optional: ['params', 'database:', ...names, ...sets],
      help: `Shows each ${shownAs} that matches all the filters given. A map is filtered by one of its keys: map:key=value.`,
      flags,
      run: (invocation) => list(owner, columns, filters, invocation),
    },
    {
      name: `${shownAs}-param-list`,
      required: ['uuid'],
      optional: ['database:'],
      help: 'Shows every field of one object.',
      flags: [],
      run: async (invocation) => {
        const { fields } = await look(invocation)
        await invocation.printer.table([await rowOf(fields.filter(isShown))])
      },
    },
    {
      name: `${shownAs}-param-get`,
      required: ['uuid', 'param-name'],
      optional: ['param-key', 'database:'],
      help: 'Shows one field of one object. For a map, param-key picks a single entry.',
      flags: [],
      run: async (invocation) => {
        const { fields } = await look(invocation)
        const field = findField(fields, requireValue(invocation.parameters, 'param-name'))
        const key = findValue(invocation.parameters, 'param-key')
        const text = key !== undefined && isMap(field) ? await entryOf(field, key) : await field.text()
        await invocation.printer.list([text])
      },
    },
  ]
  if (singles.length > 0) {
    commands.push({
      name: `${shownAs}-param-set`,
      required: ['uuid'],
      optional: [...singles, ...maps],
      help: 'Changes fields of one object. A field without a value is emptied. Entries of a map: map:key=value.',
      flags: [],
      run: async (invocation) => {
        const { fields } = await find(invocation)
        await setParameters(fields, withoutKeys(invocation.parameters, 'uuid'))
      },
    })
  }
  if (addable.length > 0) {
    commands.push(
      {
        name: `${shownAs}-param-add`,
        required: ['uuid', 'param-name'],
        optional: ['param-key'],
        help: 'Adds to a set (param-key is the new member) or to a map (entries are given as key=value).',
        flags: [],
        run: async (invocation) => addParameter((await find(invocation)).fields, invocation.parameters),
      },
      {
        name: `${shownAs}-param-remove`,
        required: ['uuid', 'param-name', 'param-key'],
        optional: [],
        help: 'Takes a member out of a set, or an entry out of a map.',
        flags: [],
        run: async (invocation) => removeParameter((await find(invocation)).fields, invocation.parameters),
      },
    )
  }
  if (clearable.length > 0) {
    commands.push({
      name: `${shownAs}-param-clear`,
      required: ['uuid', 'param-name'],
      optional: [],
      help: `Empties a field (param-name is one of ${clearable.join(',')}).`,
      flags: [],
      run: async (invocation) => {
        const { fields } = await find(invocation)
        await clearParameter(findField(fields, requireValue(invocation.parameters, 'param-name')))
      },
    })
  }
  return commands
}

/**
 * `database:vdi-uuid=` and `database:filename=` ask for the database of another pool. The lab has none; the pool is asked all the same, and
 * says what is wrong.
 */
async function openDatabase({ parameters, rpc }: Invocation): Promise<void> {
  const [disk, file] = [findValue(parameters, 'database:vdi-uuid'), findValue(parameters, 'database:filename')]
  if (disk !== undefined && file !== undefined) {
    throw refusal('xapi can query a DB vdi or a DB file, but not both.')
  }
  if (disk !== undefined) await rpc('VDI.open_database', await rpc('VDI.get_by_uuid', disk))
  if (file !== undefined) await rpc('session.create_from_db_file', file)
}

async function list(
  owner: ApiClass,
  columns: readonly string[],
  ownFilters: Parameters,
  invocation: Invocation,
): Promise<void> {
  await openDatabase(invocation)
  const { parameters, rpc, printer } = invocation
  const everything = await listObjects(owner, rpc)
  const typed = withoutKeys(parameters, 'params').filter(([key]) => !key.startsWith('database:'))
  const matching = await filterObjects(everything, [...ownFilters, ...typed])
  const chosen = chooseColumns(parameters, columns)
  const rows = (isFlagSet(parameters, 'all') ? everything : matching).map(({ fields }) =>
    rowOf(
      fields.filter((field) => isShown(field) && (chosen === 'all' || chosen.includes(field.name))),
      (field) => (field.description.expensive ? '<expensive field>' : undefined),
    ),
  )
  await printer.table(await Promise.all(rows))
}

function chooseColumns(parameters: Parameters, columns: readonly string[]): 'all' | readonly string[] {
  const typed = findValue(parameters, 'params')
  if (typed === undefined) return columns
  return typed === 'all' ? 'all' : typed.split(',')
}

function isShown({ description }: CliField): boolean {
  return !description.hidden
}

function rowOf(
  fields: readonly CliField[],
  placeholder: (field: CliField) => string | undefined = () => undefined,
): Promise<TableRecord> {
  return Promise.all(
    fields.map(async (field): Promise<[string, string]> => [field.label, placeholder(field) ?? (await field.text())]),
  )
}

async function entryOf(field: CliField, wanted: string): Promise<string> {
  const found = (await field.entries()).find(([key]) => key === wanted)
  if (!found) throw refusal(`Key ${wanted} not found in map`)
  return found[1]
}

/** Sets the fields in the order typed; those before one that is refused stay changed. */
async function setParameters(fields: readonly CliField[], changes: Parameters): Promise<void> {
  for (const [key, value] of changes) {
    const target = readFieldTarget(key, fields)
    const field = findField(fields, target.name)
    if (target.kind === 'set') throw refusal('Cannot param-set on set fields')
    if (target.kind === 'map') await setEntry(field, target.rest, value)
    else await setField(field, value)
  }
}

async function setField(field: CliField, value: string): Promise<void> {
  const { access, settable } = field.description
  if (access === 'MRW') throw refusal(`Field '${field.name}' is a map or set. use the 'name:key=value' syntax.`)
  if (access !== 'RW' && !settable) throw refusal(`Field '${field.name}' is read-only.`)
  await field.set(value)
}

async function setEntry(field: CliField, key: string, value: string): Promise<void> {
  if (!isWritable(field)) throw refusal(`Map field '${field.name}' is read-only.`)
  const entries = await field.entries()
  if (entries.some(([name]) => name === key)) await field.removeEntry(key)
  await field.addEntry(key, value)
}

async function addParameter(fields: readonly CliField[], parameters: Parameters): Promise<void> {
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

async function removeParameter(fields: readonly CliField[], parameters: Parameters): Promise<void> {
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

async function clearParameter(field: CliField): Promise<void> {
  const { settable } = field.description
  if (!isWritable(field) && !settable) throw refusal('Can only clear RW parameters')
  if (isSet(field) && isWritable(field)) {
    for (const member of await field.members()) await field.removeMember(member)
  } else if (isMap(field)) {
    for (const [key] of await field.entries()) await field.removeEntry(key)
  } else {
    // A pool gives the same reason for every value that cannot be emptied.
    await field.set('').catch(() => {
      throw refusal('Cannot clear this parameter')
    })
  }
}

function isWritable({ description }: CliField): boolean {
  return description.access.endsWith('RW')
}
