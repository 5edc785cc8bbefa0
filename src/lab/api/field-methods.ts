/** The methods every class has, made from the table of fields: records, getters, setters, entries of sets and maps. */
import { ApiFailure, type ApiValue, isApiMap, isApiSet } from '../../xapi/index.js'
import { type ApiClass, CLASSES } from '../database/classes.js'
import type { ApiRecord } from '../database/database.js'
import type { ApiField } from '../database/field.js'
import { coerce } from '../database/field.js'
import { hasField, shownRecord } from '../database/records.js'
import type { Coordinator } from '../host/host.js'
import { matchesExpression, parseExpression } from './expression.js'
import { type Call, changing, type Method, reading } from './method.js'

export function fieldMethods(): [name: string, method: Method][] {
  return CLASSES.flatMap((owner) => [
    ...(owner.name === 'session' ? [] : listMethods(owner)),
    ...recordMethods(owner),
    ...owner.stored.flatMap((field) => accessors(owner, field)),
  ])
}

/** What sessions do not have: nobody sees who else is logged in. */
function listMethods({ name }: ApiClass): [string, Method][] {
  return [
    [`${name}.get_all`, reading(0, ({ coordinator }) => coordinator.database.refs(name))],
    [`${name}.get_all_where`, reading(1, (call) => matchingRows(call, name).map(([ref]) => ref))],
    [`${name}.get_all_records`, reading(0, ({ coordinator }) => Object.fromEntries(shownRows(coordinator, name)))],
    [`${name}.get_all_records_where`, reading(1, (call) => Object.fromEntries(matchingRows(call, name)))],
  ]
}

function matchingRows({ coordinator, args }: Call, name: string): [string, ApiRecord][] {
  const expression = parseExpression(args.text(0, 'expr'))
  return shownRows(coordinator, name).filter(([, record]) => matchesExpression(expression, record))
}

function recordMethods({ name, fields }: ApiClass): [string, Method][] {
  const methods: [string, Method][] = [
    [
      `${name}.get_record`,
      reading(1, ({ coordinator: { database }, args }) =>
        shownRecord(database, name, database.get(name, args.text(0, 'self'))),
      ),
    ],
    [
      `${name}.get_by_uuid`,
      reading(1, ({ coordinator, args }) => {
        const uuid = args.text(0, 'uuid')
        const found = coordinator.database.rows(name).find(([, record]) => record.uuid === uuid)
        if (!found) throw new ApiFailure('UUID_INVALID', [name, uuid])
        return found[0]
      }),
    ],
  ]
  if (fields.some((field) => field.name === 'name_label')) {
    methods.push([
      `${name}.get_by_name_label`,
      reading(1, ({ coordinator, args }) => {
        const label = args.text(0, 'label')
        return coordinator.database.rows(name).flatMap(([ref, record]) => (record.name_label === label ? [ref] : []))
      }),
    ])
  }
  return methods
}

function accessors(owner: ApiClass, field: ApiField): [string, Method][] {
  const name = `${owner.name}.get_${field.name}`
  const get = reading(1, ({ coordinator: { database }, args }) => {
    if (!hasField(database, owner.name, field.name)) throw new ApiFailure('MESSAGE_METHOD_UNKNOWN', [name])
    return database.get(owner.name, args.text(0, 'self'))[field.name] ?? field.default
  })
  const methods: [string, Method][] = [[name, get]]
  if (!field.access.endsWith('RW') && !field.settable) return methods
  methods.push([`${owner.name}.set_${field.name}`, setter(owner, field)])
  if (field.access === 'MRW') {
    methods.push([`${owner.name}.add_to_${field.name}`, mapAdder(owner, field)])
    methods.push([`${owner.name}.remove_from_${field.name}`, mapRemover(owner, field)])
  }
  if (field.access === 'SRW') {
    methods.push([
      `${owner.name}.add_${field.name}`,
      setChanger(owner, field, (set, one) => [...without(set, one), one]),
    ])
    methods.push([`${owner.name}.remove_${field.name}`, setChanger(owner, field, without)])
  }
  return methods
}

function shownRows({ database }: Coordinator, name: string): [string, ApiRecord][] {
  return database.rows(name).map(([ref, record]) => [ref, shownRecord(database, name, record)])
}

function setter(owner: ApiClass, field: ApiField): Method {
  return changing(2, ({ coordinator, args }) => {
    const value = coerce(field, args.value(1))
    coordinator.database.update(owner.name, args.text(0, 'self'), { [field.name]: value })
    return ''
  })
}

/** A key that exists is refused, as on a pool: callers remove it first. */
function mapAdder(owner: ApiClass, field: ApiField): Method {
  return changing(3, ({ coordinator, args }) => {
    const [ref, key] = [args.text(0, 'self'), args.text(1, 'key')]
    const map = entriesOf(coordinator.database.get(owner.name, ref)[field.name])
    if (map.has(key)) throw new ApiFailure('MAP_DUPLICATE_KEY', [owner.name, field.name, ref, key])
    map.set(key, coerce({ type: field.of ?? 'string' }, args.value(2)))
    coordinator.database.update(owner.name, ref, { [field.name]: Object.fromEntries(map) })
    return ''
  })
}

/** Removing a missing key is not an error. */
function mapRemover(owner: ApiClass, field: ApiField): Method {
  return changing(2, ({ coordinator, args }) => {
    const ref = args.text(0, 'self')
    const map = entriesOf(coordinator.database.get(owner.name, ref)[field.name])
    if (map.delete(args.text(1, 'key'))) {
      coordinator.database.update(owner.name, ref, { [field.name]: Object.fromEntries(map) })
    }
    return ''
  })
}

type SetChange = (set: readonly ApiValue[], one: ApiValue) => readonly ApiValue[]

function setChanger(owner: ApiClass, field: ApiField, change: SetChange): Method {
  return changing(2, ({ coordinator, args }) => {
    const ref = args.text(0, 'self')
    const set = coordinator.database.get(owner.name, ref)[field.name] ?? []
    const one = coerce({ type: field.of ?? 'string' }, args.value(1))
    coordinator.database.update(owner.name, ref, { [field.name]: change(isApiSet(set) ? set : [], one) })
    return ''
  })
}

function without(set: readonly ApiValue[], one: ApiValue): readonly ApiValue[] {
  return set.filter((element) => element !== one)
}

function entriesOf(value: ApiValue | undefined): Map<string, ApiValue> {
  return new Map(value !== undefined && isApiMap(value) ? Object.entries(value) : [])
}
