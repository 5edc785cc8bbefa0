/** Laws of where VMs are, whatever is done to them in whatever order. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Database } from '../../../src/lab/database/database.js'
import { EventLog } from '../../../src/lab/database/event-log.js'
import { freeBytes } from '../../../src/lab/vms/checks/memory.js'
import { depart, settle } from '../../../src/lab/vms/running/residence.js'
import { listOf, numberOf, objectsOf } from '../../../src/lab/vms/values.js'
import { NOW, newDatabase } from './new-database.js'

const HOSTS = 3
const VMS = 6

/** A VM comes to a host, or ends. */
const step = fc.record({
  vm: fc.nat(VMS - 1),
  to: fc.oneof(fc.nat(HOSTS - 1), fc.constantFrom('Halted' as const, 'Suspended' as const)),
})

function carryOut(
  database: Database,
  steps: readonly { readonly vm: number; readonly to: number | 'Halted' | 'Suspended' }[],
) {
  const vms = database.rows('VM').flatMap(([ref, vm]) => (vm.is_control_domain === true ? [] : [ref]))
  const hosts = database.refs('host')
  for (const { vm, to } of steps) {
    if (typeof to === 'number') settle(database, vms[vm] ?? '', hosts[to] ?? '', NOW)
    else depart(database, vms[vm] ?? '', to, NOW)
  }
  return { vms, hosts }
}

test('a VM is on one host or on none, and that host says so; memory adds up, and nobody has less than its minimum', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const database = newDatabase({ hosts: HOSTS, vms: VMS })
      const { vms, hosts } = carryOut(database, steps)
      for (const vm of vms) {
        const record = database.get('VM', vm)
        const listing = hosts.filter((host) => listOf(database.get('host', host), 'resident_VMs').includes(vm))
        expect(listing).toEqual(record.power_state === 'Running' ? [record.resident_on] : [])
        expect(record.domid === -1n).toBe(listing.length === 0)
        expect(numberOf(record, 'memory_target')).toBeGreaterThanOrEqual(numberOf(record, 'memory_dynamic_min'))
        expect(numberOf(record, 'memory_target')).toBeLessThanOrEqual(numberOf(record, 'memory_dynamic_max'))
      }
      for (const host of hosts) {
        const record = database.get('host', host)
        const residents = objectsOf(database, 'VM', record, 'resident_VMs')
        expect(new Set(residents.map(({ domid }) => domid)).size).toBe(residents.length)
        const charged = residents.reduce(
          (sum, vm) => sum + numberOf(vm, 'memory_dynamic_min') + numberOf(vm, 'memory_overhead'),
          0,
        )
        const total = numberOf(database.get('host_metrics', String(record.metrics)), 'memory_total')
        expect(freeBytes(database, host, 'dynamic_min')).toBe(total - numberOf(record, 'memory_overhead') - charged)
      }
    }),
  )
})

test('a caller of event.from who follows sees each object as it is, however the changes are cut into batches', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(step, { maxLength: 4 }), { maxLength: 6 }), async (batches) => {
      const database = newDatabase({ hosts: HOSTS, vms: VMS })
      const log = new EventLog(database)
      let { token } = await log.from(['*'], '', 0, () => false)
      const seen = new Map(database.rows('VM'))
      for (const steps of batches) {
        carryOut(database, steps)
        const batch = await log.from(['vm'], token, 0, () => false)
        token = batch.token
        for (const event of batch.events) {
          const { ref, snapshot } = Object(event)
          seen.set(ref, snapshot)
        }
        expect([...seen].sort()).toEqual(database.rows('VM').sort())
      }
      log.close()
    }),
    { numRuns: 40 },
  )
})
