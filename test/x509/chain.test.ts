/** Leaf, intermediates, root: found by what they are, whatever order they come in. */
import { createPrivateKey } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, expect, it, test } from 'vitest'
import { orderChain, sendingOrder } from '../../src/x509/index.js'
import { daysFromNow, type Issued, issue, issueAuthority, TEST_NOW } from './test-authority.js'

const named: Record<string, Issued> = {}

beforeAll(async () => {
  const root = await issueAuthority({ subject: 'root' })
  const mid = await issueAuthority({ subject: 'mid', issuer: root })
  const old = { notBefore: daysFromNow(-400), notAfter: daysFromNow(-40) }
  Object.assign(named, {
    root,
    mid,
    leaf: await issue({ subject: 'leaf', issuer: mid }),
    expired: await issue({ subject: 'leaf', issuer: mid, ...old }),
    direct: await issue({ subject: 'direct', issuer: root }),
    self: await issue({ subject: 'self' }),
    other: await issueAuthority({ subject: 'other' }),
    // the same name, another key: renewed or somebody else's
    rekeyed: await issueAuthority({ subject: 'root', keyLabel: 'rekeyed' }),
    // the root's name and key, signed by another authority
    cross: await issueAuthority({ subject: 'root', issuer: await issueAuthority({ subject: 'other' }) }),
    // the intermediate's name and key, signed by an authority that is not there
    stray: await issueAuthority({ subject: 'mid', issuer: await issueAuthority({ subject: 'gone' }) }),
    a: await issueAuthority({ subject: 'a', issuer: await issueAuthority({ subject: 'b' }) }),
    b: await issueAuthority({ subject: 'b', issuer: await issueAuthority({ subject: 'a' }) }),
  })
  named.looped = await issue({ subject: 'looped', issuer: named.a! })
})

const cases: [given: string, keyOf: string, outcome: string][] = [
  ['leaf', 'leaf', 'leaf; missing: mid'],
  ['root mid leaf', 'leaf', 'leaf mid root'],
  ['leaf mid', 'leaf', 'leaf mid; missing: root'],
  ['leaf leaf mid mid root', 'leaf', 'leaf mid root'],
  ['leaf root', 'leaf', 'leaf; missing: mid; unrelated: root'],
  ['mid other leaf root', 'leaf', 'leaf mid root; unrelated: other'],
  ['root direct', 'direct', 'direct root'],
  ['self', 'self', 'self'],
  ['expired leaf mid root', 'leaf', 'leaf mid root; unrelated: expired'],
  ['expired mid root', 'leaf', 'expired mid root'],
  ['rekeyed mid leaf', 'leaf', 'leaf mid; missing: root; unrelated: rekeyed'],
  ['rekeyed root mid leaf', 'leaf', 'leaf mid root; unrelated: rekeyed'],
  ['cross root mid leaf', 'leaf', 'leaf mid root; unrelated: cross'],
  ['cross other mid leaf', 'leaf', 'leaf mid cross other'],
  ['stray mid root leaf', 'leaf', 'leaf mid root; unrelated: stray'],
  ['stray mid leaf', 'leaf', 'leaf stray; missing: gone; unrelated: mid'],
  ['a b looped', 'looped', 'looped a b; missing: a'],
  ['root mid', 'leaf', 'no leaf'],
]

it.each(cases)('orders "%s" with the key of %s: %s', (given, keyOf, outcome) => {
  expect(describeChain(given, keyOf)).toBe(outcome)
})

test('the order certificates arrive in does not matter', () => {
  const all = ['leaf', 'mid', 'root', 'other', 'expired', 'rekeyed']
  fc.assert(
    fc.property(fc.shuffledSubarray(all, { minLength: all.length }), (given) => {
      expect(describeChain(given.join(' '), 'leaf').split(';')[0]).toBe('leaf mid root')
    }),
  )
})

function describeChain(given: string, keyOf: string): string {
  const certificates = given.split(' ').map((name) => named[name]!.certificate)
  const chain = orderChain(certificates, createPrivateKey(named[keyOf]!.privateKeyPem), TEST_NOW)
  if (!chain) return 'no leaf'
  const { missingIssuer, unrelated } = chain
  return [
    sendingOrder(chain).map(nameOf).join(' '),
    ...(missingIssuer ? [`missing: ${missingIssuer.slice(3)}`] : []),
    ...(unrelated.length > 0 ? [`unrelated: ${unrelated.map(nameOf).join(' ')}`] : []),
  ].join('; ')
}

function nameOf(certificate: { fingerprint256: string }): string {
  const found = Object.entries(named).find(
    ([, { certificate: one }]) => one.fingerprint256 === certificate.fingerprint256,
  )
  return found?.[0] ?? '?'
}
