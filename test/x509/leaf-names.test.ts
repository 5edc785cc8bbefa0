/** Which names a request gets, and why it does not get the others. */
import { expect, it } from 'vitest'
import { readRequest } from '../../src/x509/issue/certificate-request.js'
import { decideNames } from '../../src/x509/issue/leaf-names.js'
import { makeRequest } from './test-request.js'

const OWN = 'CN=wlb.example.com'
const cases: [subject: string, asked: string, allow: string, outcome: string][] = [
  [OWN, 'DNS:wlb.example.com', '', 'wlb.example.com'],
  [OWN, '', '', 'wlb.example.com'], // clients stopped reading the CN, so it goes where they look
  [OWN, 'DNS:wlb', '', 'wlb.example.com wlb'],
  [OWN, 'DNS:WLB.Example.com', '', 'WLB.Example.com'],
  [OWN, 'DNS:a.example DNS:a.example', '', 'wlb.example.com a.example'],
  [OWN, 'IP:192.0.2.1 IP:2001:db8::1', '', 'wlb.example.com 192.0.2.1 2001:db8::1'],
  ['CN=192.0.2.1', '', '', '192.0.2.1'],
  ['CN=Our appliance', 'DNS:a.example', '', 'a.example'], // a title, not a name
  ['O=Example', '', '', ''],
  ['', 'DNS:a.example', '', 'a.example'],
  [OWN, 'DNS:*.example.com', '', 'wlb.example.com *.example.com'],
  [OWN, 'DNS:xn--bcher-kva.example', '', 'wlb.example.com xn--bcher-kva.example'],
  [OWN, 'DNS:*.com', '', 'wlb.example.com | *.com would stand for everything directly below a top-level domain'],
  [OWN, 'DNS:*', '', 'wlb.example.com | * would stand for everything directly below a top-level domain'],
  [OWN, 'DNS:w*.example.com', '', 'wlb.example.com | w*.example.com has a wildcard that is not the whole first label'],
  [OWN, 'DNS:a.*.example', '', 'wlb.example.com | a.*.example has a wildcard that is not the whole first label'],
  [
    OWN,
    'DNS:a_b.example',
    '',
    'wlb.example.com | a_b.example has an underscore, which no host name has (RFC 952): letters, digits and hyphens only',
  ],
  [
    OWN,
    'DNS:a..example',
    '',
    'wlb.example.com | a..example is not a host name: letters, digits and inner hyphens, at most 63 between dots (RFC 952)',
  ],
  [
    OWN,
    'DNS:-a.example',
    '',
    'wlb.example.com | -a.example is not a host name: letters, digits and inner hyphens, at most 63 between dots (RFC 952)',
  ],
  [
    'CN=wlb.b\u00fccher.example',
    'DNS:a.example',
    '',
    'a.example | wlb.b\u00fccher.example is wlb.xn--bcher-kva.example in certificates and in the DNS: write it so',
  ],
  [OWN, 'DNS:a.example.', '', 'wlb.example.com | a.example. ends in a dot, and names in certificates do not'],
  [OWN, 'DNS:a.0', '', 'wlb.example.com | a.0 ends in a number, as only addresses do'],
  [
    OWN,
    `DNS:${'a'.repeat(64)}.example`,
    '',
    `wlb.example.com | ${'a'.repeat(64)}.example is not a host name: letters, digits and inner hyphens, at most 63 between dots (RFC 952)`,
  ],
  [
    OWN,
    `DNS:${'a.'.repeat(127)}example`,
    '',
    `wlb.example.com | ${'a.'.repeat(127)}e... is longer than 253 characters`,
  ],
  [
    OWN,
    'DNS:192.0.2.1',
    '',
    'wlb.example.com | 192.0.2.1 is an address asked for as a name: ask for it as an address (IP:192.0.2.1)',
  ],
  [OWN, 'IP:0.0.0.0', '', 'wlb.example.com | 0.0.0.0 is the address of no machine'],
  [OWN, 'email:a@b.c', '', 'wlb.example.com | a@b.c is an e-mail address, and this is a certificate for a server'],
  [OWN, 'URI:https://a/', '', 'wlb.example.com | https://a/ is a URI, and clients compare names'],
  ['CN=*.com', 'DNS:a.example', '', 'a.example | *.com would stand for everything directly below a top-level domain'],
  [OWN, 'DNS:a.example.com', 'example.com', 'wlb.example.com a.example.com'],
  [OWN, 'DNS:example.com', 'Example.COM', 'wlb.example.com example.com'],
  [OWN, 'DNS:*.example.com', 'example.com', 'wlb.example.com *.example.com'],
  [
    OWN,
    'DNS:badexample.com',
    'example.com',
    'wlb.example.com | badexample.com is not within what was allowed: example.com',
  ],
  [OWN, 'IP:192.0.2.1', 'example.com', 'wlb.example.com | 192.0.2.1 is not within what was allowed: example.com'],
  [OWN, 'IP:192.0.2.1', 'example.com 192.0.2.1', 'wlb.example.com 192.0.2.1'],
]
it.each(cases)('%s %s, allowed "%s": %s', async (subject, names, allow, expected) => {
  const request = readRequest(await makeRequest({ subject, names }))
  const { dnsNames, ipAddresses, refused } = decideNames(request, allow.split(' ').filter(Boolean))
  const accepted = [...dnsNames, ...ipAddresses].join(' ')
  expect([accepted, ...refused.map(({ name, why }) => `${name} ${why}`)].join(' | ')).toBe(expected)
})
