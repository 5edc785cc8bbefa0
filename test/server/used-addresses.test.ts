/** What pools have connected to, as their Host headers tell. */
import { expect, it, test } from 'vitest'
import { readHost, recordAddresses } from '../../src/server/soap/used-addresses.js'

const headers: [header: string, host: string | undefined][] = [
  ['wlb.example.com', 'wlb.example.com'],
  ['WLB.Example.com', 'wlb.example.com'],
  ['wlb.example.com:8012', 'wlb.example.com'],
  ['wlb.example.com.', 'wlb.example.com.'],
  ['wlb', 'wlb'],
  ['192.0.2.7', '192.0.2.7'],
  ['192.0.2.7:8012', '192.0.2.7'],
  ['fe80::a085:31cf:b31a:6a', 'fe80::a085:31cf:b31a:6a'],
  ['[fe80::1]:8012', 'fe80::1'],
  ['', undefined],
  ['a b', undefined],
  ['<script>', undefined],
  [`${'a.'.repeat(130)}com`, undefined],
]
it.each(headers)('Host: %s is %s', (header, host) => {
  expect(readHost(header)).toBe(host)
})

test('the latest is last, each once, twenty at most', () => {
  const used = recordAddresses()
  for (const host of ['a', 'b', 'a', undefined, '!']) used.record(host)
  expect(used.list()).toEqual(['b', 'a'])
  for (let count = 0; count < 30; count++) used.record(`n${count}`)
  expect(used.list()).toHaveLength(20)
  expect(used.list().at(-1)).toBe('n29')
})
