/** What pools have connected to, as their Host headers tell, and what a request for a certificate makes of it (S34). */
import { expect, it, test } from 'vitest'
import { chooseNames, warnOfNames } from '../../src/identity/request/request-names.js'
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

const HOSTNAME = 'wlb.example.com'
const comparisons: [used: string, names: string, outcome: string][] = [
  ['wlb.example.com', '', ''],
  ['other.example.com', '', 'A pool connects to other.example.com'],
  ['other.example.com', 'other.example.com', ''],
  ['other.example.com', 'OTHER.example.com', ''],
  ['other.example.com', '*.example.com', ''],
  ['a.b.example.com', '*.example.com', 'A pool connects to a.b.example.com'],
  ['wlb', '', 'A pool connects to wlb'],
  ['192.0.2.7', '192.0.2.7', 'A pool connects to 192.0.2.7'],
]
it.each(comparisons)('pools connect to %s, further names "%s": "%s"', (used, further, outcome) => {
  const alternativeNames = further === '' ? [] : [further]
  const names = chooseNames({ hostname: HOSTNAME, alternativeNames, force: false })
  const told = warnOfNames(names, HOSTNAME, 'wlb', [used]).filter((warning) => warning.startsWith('A pool connects'))
  expect(told.map((warning) => warning.split(',', 1).join('')).join('')).toBe(outcome)
})
