/** What may stand in an address. */
import { expect, it } from 'vitest'
import { isHostAddress, readHostAddress } from '../../src/base/names/host-address.js'

const addresses: [text: string, isOne: boolean][] = [
  ['xs1', true],
  ['xs1.example.com', true],
  ['xs1.example.com.', true],
  ['my_host.lab.internal', true],
  ['192.0.2.1', true],
  ['2001:db8::1', true],
  ['fe80::1%eth0', true],
  ['', false],
  ['-x', false],
  ['a..b', false],
  ['a b', false],
  ["x';touch y;'", false],
  ['x\u001b[2J', false],
  ['x\n', false],
  ['$(x)', false],
  ['x/y', false],
  ['a@b', false],
  ['[::1]', false],
  ['x'.repeat(254), false],
]
it.each(addresses)('%j: %s', (text, isOne) => expect(isHostAddress(text)).toBe(isOne))
it.each(addresses)('%j is read, or refused by name', (text, isOne) => {
  const read = () => readHostAddress(text, 'host xs1')
  if (isOne) expect(read()).toBe(text)
  else
    expect(read).toThrow(
      expect.objectContaining({ code: 'HOST_ADDRESS_INVALID', facts: { of: 'host xs1', address: text } }),
    )
})
