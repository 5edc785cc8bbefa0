/** The failover planner of xapi, as facts, and against a second one that was written to be obvious. */
import fc from 'fast-check'
import { expect, it, test } from 'vitest'
import { failoverPlanExists } from '../../src/balance/rules/failover.js'
import { failoverPlanBySearch } from './failover-by-search.js'
import { document, poolOf } from './pools.js'

/** Free memory of each host; VMs as size@host, size@- for one that is off; hosts of the pool; failures; whether a plan exists. */
const cases: [free: string, vms: string, total: number, failures: number, exists: boolean][] = [
  ['', '', 0, 0, true],
  ['', '', 1, 1, false],
  ['4', '', 1, 1, true], // nothing to restart, and enough hosts
  ['4', '1@0', 1, 1, false], // nobody is left to restart it
  ['4 4', '4@0', 2, 1, true],
  ['4 3', '4@0', 2, 1, false],
  ['4 3', '4@1', 2, 1, true],
  ['0 4 4', '4@0 4@0', 3, 1, true],
  ['0 4 4', '4@0 4@0', 3, 2, false], // the second failure leaves one host for two
  ['0 8 8', '4@0 4@0', 3, 2, true],
  ['4 4', '5@-', 2, 1, false], // one that is off could not even be started
  ['8 4', '4@-', 2, 1, true], // started on the first, restarted on the second
  ['4 3', '4@-', 2, 1, false],
  // largest first into the roomiest: 3 into the 5, then 3 does not fit into 4? it does; then 2 fits into neither's rest of 2 and 1
  ['0 5 4', '3@0 3@0 2@0', 3, 1, true],
  ['0 5 4', '3@0 3@0 3@0', 3, 1, false],
  // above 32 hosts xapi estimates: each VM as large as the largest
  ['9 9', '5@0 1@0', 2, 1, true],
  ['9 9', '5@0 1@0', 33, 1, false],
]

it.each(cases)('free %s, VMs %s, %i hosts, %i failures: %s', (free, vms, totalHosts, failures, exists) => {
  const numbers = (text: string) => text.split(' ').filter(Boolean)
  const question = {
    totalHosts,
    freeBytes: numbers(free).map(Number),
    vms: numbers(vms).map((text) => {
      const [bytes, host] = text.split('@')
      return { bytes: Number(bytes), host: host === '-' ? undefined : Number(host) }
    }),
  }
  expect(failoverPlanExists(question, failures)).toBe(exists)
})

test('a thousand small pools: the same answer as by search', () => {
  const anyQuestion = fc.record({
    free: fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }),
    vms: fc.array(fc.record({ size: fc.integer({ min: 1, max: 6 }), at: fc.option(fc.nat(9)) }), { maxLength: 6 }),
    failures: fc.integer({ min: 0, max: 3 }),
  })
  fc.assert(
    fc.property(anyQuestion, ({ free, vms, failures }) => {
      const placed = vms.map(({ size, at }) => ({ size, host: at === null ? undefined : at % free.length }))
      const sizes = free.map(
        (bytes, host) => bytes + placed.reduce((sum, vm) => sum + (vm.host === host ? vm.size : 0), 0),
      )
      const pool = poolOf(
        document(
          sizes.map((memoryBytes) => ({ memoryBytes })),
          placed.map(({ size, host }) => ({
            host: host === undefined ? null : `h${host + 1}`,
            state: host === undefined ? 'halted' : 'running',
            memoryFloorBytes: size,
            haProtected: true,
          })),
        ),
      )
      const at = new Map(pool.vms.map(({ uuid, host }) => [uuid, host ?? 'off']))
      const question = {
        totalHosts: free.length,
        freeBytes: free,
        vms: placed.map(({ size, host }) => ({ bytes: size, host })),
      }
      expect(failoverPlanExists(question, failures)).toBe(failoverPlanBySearch(pool, at, failures))
    }),
    { numRuns: 1000 },
  )
})
