/** Which names hosts may have. That commands give this answer: test/cli/host-names.test.ts. */
import { expect, it } from 'vitest'
import { findFullHostNameFault, findHostNameFault } from '../../src/base/names/host-name.js'

const LABELS = 'is not a host name: letters, digits and inner hyphens, at most 63 between dots (RFC 952)'
const names: [name: string, fault: string | undefined][] = [
  ['wlb.example.com', undefined],
  ['WLB-2.Example.com', undefined],
  ['wlb', undefined],
  ['3com.example', undefined],
  [`${'a'.repeat(63)}.example`, undefined],
  [`${'a'.repeat(64)}.example`, LABELS],
  ['w_lb.example.com', 'has an underscore, which no host name has (RFC 952): letters, digits and hyphens only'],
  ['_wlb.example.com', 'has an underscore, which no host name has (RFC 952): letters, digits and hyphens only'],
  ['wlb.bücher.example', 'is wlb.xn--bcher-kva.example in certificates and in the DNS: write it so'],
  ['ｗｌｂ.example.com', 'is wlb.example.com in certificates and in the DNS: write it so'],
  ['w_lb.bücher.example', 'has an underscore, which no host name has (RFC 952): letters, digits and hyphens only'],
  ['wlb.\ufffd.example', 'has characters that no host name has'],
  ['wlb.example.com.', 'ends in a dot, and names in certificates do not'],
  ['-wlb.example.com', LABELS],
  ['wlb-.example.com', LABELS],
  ['wlb..example.com', LABELS],
  ['wlb example.com', LABELS],
  ['', LABELS],
  ['wlb.example.42', 'ends in a number, as only addresses do'],
  [`${'a.'.repeat(127)}example`, 'is longer than 253 characters'],
]
it.each(names)('%s: %s', (name, fault) => {
  expect(findHostNameFault(name)).toBe(fault)
})

const full: [name: string, fault: string | undefined][] = [
  ['wlb.example.com', undefined],
  ['wlb', 'must be a full host name with dots, such as wlb.example.com'],
  ['192.0.2.1', 'must be a full host name with dots, such as wlb.example.com'],
  ['2001:db8::1', 'must be a full host name with dots, such as wlb.example.com'],
  ['', 'must be a full host name with dots, such as wlb.example.com'],
]
it.each(full)('a full one: %s: %s', (name, fault) => {
  expect(findFullHostNameFault(name)).toBe(fault)
})
