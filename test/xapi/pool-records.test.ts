/** Addresses in the records of a pool: one that is none is refused, and hides no host. */
import { expect, it } from 'vitest'
import { readHosts, readRecords } from '../../src/xapi/index.js'

const hosts: [address: string, outcome: string][] = [
  ['192.0.2.2', 'xs1 192.0.2.1, xs2 192.0.2.2'],
  ['xs2.example.com', 'xs1 192.0.2.1, xs2 xs2.example.com'],
  ['fd00::2', 'xs1 192.0.2.1, xs2 fd00::2'],
  ['', 'xs1 192.0.2.1, xs2 '], // a host that has none yet
  ["x';touch y;'", "HOST_ADDRESS_INVALID of host xs2: x';touch y;'"],
  ['-oProxyCommand=x', 'HOST_ADDRESS_INVALID of host xs2: -oProxyCommand=x'],
  ['192.0.2.2\n', 'HOST_ADDRESS_INVALID of host xs2: 192.0.2.2\n'],
  ['192.0.2.2/x', 'HOST_ADDRESS_INVALID of host xs2: 192.0.2.2/x'],
]
it.each(hosts)('a host at %j: %s', (address, outcome) => {
  const pools = readRecords({ pool: { uuid: 'p', master: 'one' } })
  const records = readRecords({
    one: { uuid: '1', name_label: 'xs1', address: '192.0.2.1' },
    two: { uuid: '2', name_label: 'xs2', address },
  })
  const none = readRecords({})
  const [pool] = pools.values()
  expect(pool).toBeDefined()
  const read = () =>
    pool && readHosts(pool, records, none, none, new Map()).map((host) => `${host.name} ${host.address}`)
  expect(outcomeOf(read)).toBe(outcome)
})

function outcomeOf(read: () => readonly string[] | undefined): string {
  try {
    return (read() ?? []).join(', ')
  } catch (error) {
    const { code, facts } = Object(error)
    return `${code} of ${facts.of}: ${facts.address}`
  }
}
