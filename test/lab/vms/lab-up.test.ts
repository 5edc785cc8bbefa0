/** What `labUp` makes of the numbers it is given. */
import { expect, it, test } from 'vitest'
import { WlbError } from '../../../src/base/error.js'
import { usePool } from '../test-pool.js'

const pool = usePool({ hosts: 2, vms: 9, seed: 7, speed: 60 })

test('it reports the guests of each host, speed and seed, and a restart keeps them', async () => {
  const before = pool.document
  expect(before).toMatchObject({ speed: 60, seed: 7 })
  const counts = before.hosts.map(({ vms }) => vms)
  expect(counts.reduce((sum: number, count) => sum + (count ?? 0), 0)).toBe(9)
  await pool.fault('stop', 'xs1')
  await pool.up()
  expect(pool.document.hosts.map(({ vms }) => vms)).toEqual(counts)
})

it.each([
  [{ hosts: 0 }, 'LAB_SIZE_INVALID'],
  [{ vms: 4097 }, 'LAB_NUMBER_INVALID'],
  [{ vms: 1.5 }, 'LAB_NUMBER_INVALID'],
  [{ seed: -1 }, 'LAB_NUMBER_INVALID'],
  [{ speed: 0 }, 'LAB_NUMBER_INVALID'],
  [{ speed: 3601 }, 'LAB_NUMBER_INVALID'],
  [{ hosts: 3 }, 'LAB_SIZE_DIFFERS'],
  [{ vms: 8 }, 'LAB_OTHERWISE'],
  [{ seed: 8 }, 'LAB_OTHERWISE'],
  [{ speed: 1 }, 'LAB_OTHERWISE'],
  [{ hosts: 2, vms: 9, seed: 7, speed: 60 }, 'already'],
])('%j: %s', async (options, outcome) => {
  const answer = pool.up(options).then(
    (already) => (already ? 'already' : 'started'),
    (error: unknown) => (error instanceof WlbError ? error.code : String(error)),
  )
  expect(await answer).toBe(outcome)
})
