/** The calls about VM groups (datamodel_vm_group.ml). */
import { ApiFailure, type ApiValue, isApiMap } from '../../../xapi/index.js'
import { type Call, changing, type Method } from '../../api/method.js'
import { coerce, wrongType } from '../../database/field.js'
import { refreshGroupAlerts } from '../running/group-alerts.js'
import { listOf, mapOf, textOf } from '../values.js'

export const GROUP_METHODS: readonly (readonly [string, Method])[] = [
  ['VM_group.create', changing(1, create)],
  ['VM_group.destroy', changing(1, destroy)],
  ['VM.set_groups', changing(2, setGroups)],
]

const PLACEMENTS = ['normal', 'anti_affinity']

function create({ coordinator: { database }, args }: Call): ApiValue {
  assertLicensed(mapOf(database.pool.record, 'restrictions'))
  const record = args.value(0)
  if (!isApiMap(record)) throw wrongType('map', record)
  const text = (name: string) => coerce({ type: 'string' }, record[name] ?? '')
  const placement = String(record.placement ?? 'normal')
  if (!PLACEMENTS.includes(placement)) throw new ApiFailure('INVALID_VALUE', ['placement', placement])
  return database.create('VM_group', {
    name_label: text('name_label'),
    name_description: text('name_description'),
    placement,
  })
}

/** @throws ApiFailure LICENSE_RESTRICTION when the pool's licence leaves groups out. */
function assertLicensed(restrictions: Readonly<Record<string, string>>): void {
  if (restrictions.restrict_vm_groups === 'true') throw new ApiFailure('LICENSE_RESTRICTION', ['VM_groups'])
}

function destroy(call: Call): ApiValue {
  const { database } = call.coordinator
  const group = call.args.ref(0, 'self', 'VM_group', call.coordinator)
  const uuid = textOf(database.get('VM_group', group), 'uuid')
  for (const vm of listOf(database.get('VM_group', group), 'VMs')) {
    const groups = listOf(database.get('VM', vm), 'groups').filter((ref) => ref !== group)
    database.update('VM', vm, { groups })
  }
  database.destroy('VM_group', group)
  for (const [ref, message] of database.rows('message')) {
    if (textOf(message, 'body').includes(`<VM_group>${uuid}<`)) database.destroy('message', ref)
  }
  return ''
}

/** A VM is in one group at most. */
function setGroups(call: Call): ApiValue {
  const { database } = call.coordinator
  const vm = call.args.ref(0, 'self', 'VM', call.coordinator)
  const next = call.args.texts(1, 'value')
  assertLicensed(mapOf(database.pool.record, 'restrictions'))
  if (next.length > 1) throw new ApiFailure('TOO_MANY_GROUPS', [])
  for (const group of next) database.get('VM_group', group)
  const before = listOf(database.get('VM', vm), 'groups')
  database.update('VM', vm, { groups: next })
  for (const group of new Set([...before, ...next])) {
    const record = database.find('VM_group', group)
    if (!record) continue
    const others = listOf(record, 'VMs').filter((ref) => ref !== vm)
    database.update('VM_group', group, { VMs: next.includes(group) ? [...others, vm] : others })
  }
  refreshGroupAlerts(database, [...new Set([...before, ...next])], call.host.now())
  return ''
}
