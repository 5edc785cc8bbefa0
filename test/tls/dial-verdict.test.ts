/** What is wrong with a certificate that a pool refuses, and which fault it names. */
import { expect, it } from 'vitest'
import { daysFromNow, issueAuthority } from '../x509/test-authority.js'
import { type Case, describeDials, dialOutcome, expired, otherRoot, selfSigned, simple, three } from './dial-case.js'

describeDials('dates, strength, usage', [
  // dates
  ['leaf expired', '!certificate has expired', () => simple(expired)],
  ['leaf not valid yet', '!certificate is not yet valid', () => simple({ notBefore: daysFromNow(2) })],
  ['intermediate expired', '!certificate has expired', () => three({ intermediate: expired })],
  ['root expired', '!certificate has expired', () => three({ root: expired })],
  ['self-signed, installed, expired', '!certificate has expired', () => selfSigned(expired)],
  // strength
  ['leaf RSA 1024', '!EE certificate key too weak', () => simple({ keyKind: 'rsa1024' })],
  ['intermediate RSA 1024', '!CA certificate key too weak', () => three({ intermediate: { keyKind: 'rsa1024' } })],
  ['leaf signed with SHA-1', '!CA signature digest algorithm too weak', () => simple({ digest: 'SHA-1' })],
  [
    'intermediate signed with SHA-1',
    '!CA signature digest algorithm too weak',
    () => three({ intermediate: { digest: 'SHA-1' } }),
  ],
  // usage
  ['EKU clientAuth', '!unsuitable certificate purpose', () => simple({ extendedKeyUsage: ['clientAuth'] })],
  ['leaf for keyCertSign only', '!unsuitable certificate purpose', () => simple({ keyUsage: ['keyCertSign'] })],
  ['intermediate CA:FALSE', '!invalid CA certificate', () => three({ intermediate: { ca: false } })],
  [
    'intermediate without keyCertSign',
    '!invalid CA certificate',
    () => three({ intermediate: { keyUsage: ['cRLSign'] } }),
  ],
  ['root without keyCertSign', '!invalid CA certificate', () => three({ root: { keyUsage: ['cRLSign'] } })],
  ['path longer than the root allows', '!path length constraint exceeded', () => three({ root: { pathLength: 0 } })],
  [
    'name outside the permitted domain',
    '!permitted subtree violation',
    () => three({ intermediate: { permittedDomain: 'other.lab' } }),
  ],
  ['name inside the permitted domain', 'accepted', () => three({ intermediate: { permittedDomain: 'example.lab' } })],
  [
    'name outside the permitted domain, and not in the certificate',
    'Subject checks failed',
    () => three({ intermediate: { permittedDomain: 'other.lab' }, more: { name: 'x.lab' } }),
  ],
  [
    'name outside the permitted domain, certificate expired',
    '!certificate has expired',
    () => three({ intermediate: { permittedDomain: 'other.lab' }, leaf: expired }),
  ],
  // several faults
  [
    'not installed and expired',
    '!self-signed certificate',
    async () => selfSigned(expired, (await otherRoot()).certificatePem),
  ],
  ['expired and wrong name', '!certificate has expired', () => simple(expired, { name: 'x.lab' })],
  [
    'clientAuth and expired',
    '!unsuitable certificate purpose',
    () => simple({ extendedKeyUsage: ['clientAuth'], ...expired }),
  ],
  ['RSA 1024 and expired', '!EE certificate key too weak', () => simple({ keyKind: 'rsa1024', ...expired })],
  [
    'intermediate expired, leaf not valid yet',
    '!certificate has expired',
    () =>
      three({
        intermediate: expired,
        leaf: { notBefore: daysFromNow(2) },
      }),
  ],
  ['SHA-1 and expired', '!CA signature digest algorithm too weak', () => simple({ digest: 'SHA-1', ...expired })],
  [
    'path too long and leaf expired',
    '!path length constraint exceeded',
    () => three({ root: { pathLength: 0 }, leaf: expired }),
  ],
])

/** Only our own client can be asked about another day. The certificates are valid from -9 to -2, or from +2, days. */
const otherDays: readonly [what: string, day: number, outcome: string, given: () => Promise<Case>][] = [
  ['expired today', -5, 'accepted', () => simple(expired)],
  ['expired today, wrong name', -5, 'Subject checks failed', () => simple(expired, { name: 'x.lab' })],
  [
    'expired today, signature wrong',
    -5,
    '!certificate signature failure',
    async () =>
      simple(expired, {
        bundle: (await issueAuthority({ subject: 'Example Root', keyLabel: 'x', ...expired })).certificatePem,
      }),
  ],
  ['root expired today', -5, 'accepted', () => three({ root: expired, intermediate: expired, leaf: expired })],
  ['valid today', 40, '!certificate has expired', () => simple()],
  ['valid today', -5, '!certificate is not yet valid', () => simple()],
]

it.each(otherDays)('%s, asked about day %i: %s', async (_what, day, outcome, given) => {
  expect(await dialOutcome('node', { ...(await given()), now: daysFromNow(day) })).toBe(outcome)
})
