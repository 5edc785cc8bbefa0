/** Which addresses count as one. */
import { expect, test } from 'vitest'
import { networkOf } from '../../src/base/names/network.js'

const cases: [one: string, other: string, same: boolean][] = [
  ['192.0.2.1', '192.0.2.2', false],
  ['192.0.2.1', '::ffff:192.0.2.1', true],
  ['2001:db8::1', '2001:db8::2', true],
  ['2001:db8::1', '2001:db8:0:0:ffff::2', true],
  ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
  ['fe80::1%eth0', 'fe80::2%eth1', true],
]
test.each(cases)('%s and %s: the same network: %s', (one, other, same) => {
  expect(networkOf(one) === networkOf(other)).toBe(same)
})
