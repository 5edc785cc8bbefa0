/** What a new pool consists of: guests, storage, networks. */
import { expect, it, test } from 'vitest'
import { HOST_WIRE_ORDER } from '../../../src/lab/database/classes/host.js'
import { VM_WIRE_ORDER } from '../../../src/lab/database/classes/vm.js'
import { CLASSES, findClass } from '../../../src/lab/database/classes.js'
import { Database } from '../../../src/lab/database/database.js'
import { chooseGuests, guestOverheadBytes } from '../../../src/lab/vms/inventory/guests.js'
import { newDatabase } from './new-database.js'

it.each([
  ['host', HOST_WIRE_ORDER, 80],
  ['VM', VM_WIRE_ORDER, 92],
] as const)('%s has the fields of the data model, in its order', (name, order, count) => {
  expect(findClass(name)?.stored.map((field) => field.name)).toEqual(order)
  expect(new Set(order).size).toBe(count)
})

it.each([
  [1, 0],
  [1, 1],
  [3, 6],
  [4, 40],
  [16, 300],
  [64, 2000],
  [2, 4096],
])('%i hosts have room for %i guests, floor and ceiling', (hosts, count) => {
  const { guests, hostSize } = chooseGuests(7, hosts, count)
  expect(guests.length).toBe(count)
  const room = hostSize.memoryBytes - hostSize.overheadBytes - hostSize.controlDomainBytes
  const used = Array.from({ length: hosts }, () => 0)
  for (const guest of guests) {
    used[guest.host] = (used[guest.host] ?? 0) + guest.memoryFloorBytes + guestOverheadBytes(guest)
    expect(guest.vcpus).toBeLessThanOrEqual(hostSize.cpus)
  }
  // Two hosts for four thousand guests are more than the largest machines hold at full memory.
  if (count < 4096) expect(Math.max(...used)).toBeLessThanOrEqual(room)
})

test('the seed decides, UUIDs included', () => {
  expect(chooseGuests(7, 4, 40)).toEqual(chooseGuests(7, 4, 40))
  expect(chooseGuests(8, 4, 40).guests).not.toEqual(chooseGuests(7, 4, 40).guests)
  expect(new Set(chooseGuests(7, 64, 2000).guests.map(({ uuid }) => uuid)).size).toBe(2000)
})

test('every reference leads to an object, and back', () => {
  const database = newDatabase({ hosts: 3, vms: 12 })
  const lost: string[] = []
  for (const owner of CLASSES) {
    for (const [, record] of database.rows(owner.name)) {
      for (const { name, refClass } of owner.stored) {
        const value = record[name]
        const refs = Array.isArray(value) ? value : [value]
        for (const ref of refClass ? refs : []) {
          if (ref !== 'OpaqueRef:NULL' && !database.find(refClass ?? '', String(ref)))
            lost.push(`${owner.name}.${name}`)
        }
      }
    }
  }
  expect(lost).toEqual([])
  for (const [ref, vm] of database.rows('VM')) {
    expect(database.get('host', String(vm.resident_on)).resident_VMs).toContain(ref)
    for (const vbd of listOf(vm.VBDs)) expect(database.get('VBD', vbd).VM).toBe(ref)
    for (const vif of listOf(vm.VIFs)) expect(database.get('VIF', vif).VM).toBe(ref)
  }
})

test('what a host leaves free is what its guests do not have', () => {
  const database = newDatabase({ hosts: 2, vms: 8 })
  for (const [, host] of database.rows('host')) {
    const { memory_total, memory_free } = database.get('host_metrics', String(host.metrics))
    const used = listOf(host.resident_VMs)
      .map((ref) => database.get('VM', ref))
      .reduce((sum, vm) => sum + Number(vm.memory_target) + Number(vm.memory_overhead), Number(host.memory_overhead))
    expect(Number(memory_total) - used).toBe(Number(memory_free))
    expect(used).toBeLessThan(Number(memory_total))
  }
})

test('a pool of 2,000 guests is written, and read again as it was', () => {
  const database = newDatabase({ hosts: 64, vms: 2000 })
  const [first = ''] = database.refs('VM')
  const before = database.text()
  expect(before.length).toBeLessThan(9_000_000)
  database.update('VM', first, { name_label: 'changed' })
  const copy = new Database('/nowhere', JSON.parse(database.text()))
  expect(copy.get('VM', first).name_label).toBe('changed')
  for (const name of ['VM', 'host', 'VBD', 'network']) expect(copy.rows(name)).toEqual(database.rows(name))
})

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}
