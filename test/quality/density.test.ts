/** The model of CloudSim that density is judged by: two hours of a machine or two, calculated by hand. */
import { expect, it } from 'vitest'
import { cloudSimPool, densityOf } from '../../bench/quality/density.js'

const STEPS = 24
const HOURS = 2
const always = (share: number) => Array.from({ length: STEPS }, () => share)

/** A machine of 2,500 MIPS on a host of 5,320 needs 114.2 W of a table that says 110 at 40 % and 116 at 50 %. */
const facts: [what: string, shares: number[], kwh: number, slatah: number, moves: number, hostsOn: number][] = [
  ['one machine that idles', [0], HOURS * 0.0937, 0, 0, 1],
  ['one that is busy', [1], HOURS * (0.11 + 0.006 * ((10 * 2500) / 5320 - 4)), 0, 0, 1],
  // 84.6 %: between 129 W and 133 W
  ['two that fit one host', [1, 1], HOURS * (0.129 + 0.004 * ((10 * 4500) / 5320 - 8)), 0, 0, 1],
]
it.each(facts)('%s', (_, shares, kwh, slatah, moves, hostsOn) => {
  const figures = densityOf(shares.map(always))
  expect(figures).toMatchObject({ slatah, moves, hostsOn, pdm: 0, switches: 0 })
  expect(figures.kwh).toBeCloseTo(kwh, 6)
})

it('places machines at the start for all they may ask for, on the hosts of the better kind', () => {
  const { hosts, vms } = cloudSimPool(Array.from({ length: 8 }, () => always(0.1)))
  expect(hosts.filter(({ live }) => live).map(({ cpus }) => cpus)).toEqual([5320, 5320, 5320])
  expect(vms.map(({ vcpus }) => vcpus)).toEqual([2500, 2500, 2000, 2000, 1000, 1000, 500, 500])
})
