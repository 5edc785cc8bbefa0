/** IP addresses and AS numbers that are handed on (RFC 3779): each line a fact, held against `openssl verify`. */
import { describe, expect, it } from 'vitest'
import { requirePart } from '../../real-parts.js'
import { bitString, integer, nothing, octetString, sequence, wrapped } from '../der-writer.js'
import { describeAnswer } from '../judge.js'
import { askOpenssl } from '../judge-openssl.js'
import { askOurs } from '../judge-ours.js'
import { askStunnel } from '../judge-stunnel.js'
import { createRareKeys, makePath, type RarePath } from './rare-path.js'

const NOT_HELD = "!RFC 3779 resource not subset of parent's resources"
const MALFORMED = '!invalid or inconsistent certificate extension'
const NO_ISSUER = '!unable to get local issuer certificate'
const ACCEPTED = 'accepted'
const ADDRESSES = '1.3.6.1.5.5.7.1.7'
const NUMBERS = '1.3.6.1.5.5.7.1.8'

const prefix = (hex: string, unused = 0) => bitString(Buffer.from(hex, 'hex'), unused)
const range = (from: string, until: string) => sequence(prefix(from), prefix(until))
const v4 = (...ranges: readonly Buffer[]) => family('0001', sequence(...ranges))
const v6 = (...ranges: readonly Buffer[]) => family('0002', sequence(...ranges))
const family = (number: string, held: Buffer) => sequence(octetString(Buffer.from(number, 'hex')), held)
const inherited = (number: string) => family(number, nothing())
const TEN = v4(prefix('0a'))
const SMALL = v4(prefix('0a01'))

const one = (number: number) => integer(number)
const span = (from: number, until: number) => sequence(integer(from), integer(until))
const numbers = (...list: readonly Buffer[]) => wrapped(0, sequence(...list))
const domains = (...list: readonly Buffer[]) => wrapped(1, sequence(...list))
const anyNumbers = wrapped(0, nothing())

type Held = readonly Buffer[] | undefined
type Row = readonly [what: string, answer: string, leaf: Held, issuer: Held, root: Held]

const addresses: readonly Row[] = [
  ['held by all', ACCEPTED, [SMALL], [TEN], [TEN]],
  ['the whole family held above', ACCEPTED, [SMALL], [v4(prefix(''))], [v4(prefix(''))]],
  ['the leaf alone', NOT_HELD, [SMALL], undefined, undefined],
  ['not the root', NOT_HELD, [SMALL], [TEN], undefined],
  ['not the leaf', ACCEPTED, undefined, [SMALL], [v4(prefix('0b'))]],
  ['more than the issuer', NOT_HELD, [TEN], [SMALL], [TEN]],
  ['another family', NOT_HELD, [v6(prefix('20010db8'))], [TEN], [TEN]],
  ['inherited and held above', ACCEPTED, [inherited('0001')], [SMALL], [TEN]],
  ['inherited up to the root', NOT_HELD, [inherited('0001')], [inherited('0001')], [inherited('0001')]],
  ['inherited where nobody holds any', ACCEPTED, [inherited('0001')], undefined, undefined],
  ['a root that inherits what nobody asks for', ACCEPTED, [SMALL], [TEN], [TEN, inherited('0002')]],
  ['inherited in between', ACCEPTED, [SMALL], [inherited('0001')], [TEN]],
  ['out of order', MALFORMED, [v4(prefix('0b'), prefix('09'))], [v4(prefix(''))], [v4(prefix(''))]],
  ['side by side', MALFORMED, [v4(prefix('0a'), prefix('0b'))], [v4(prefix(''))], [v4(prefix(''))]],
  ['apart', ACCEPTED, [v4(prefix('0a'), prefix('0c'))], [v4(prefix(''))], [v4(prefix(''))]],
  ['families out of order', MALFORMED, [v6(prefix('20')), v4(prefix('0a'))], [TEN], [TEN]],
  ['a family twice', MALFORMED, [TEN, TEN], [TEN], [TEN]],
  ['a family of nothing', MALFORMED, [v4()], [TEN], [TEN]],
  ['a range that is a prefix', MALFORMED, [v4(range('0a000000', '0a0000ff'))], [TEN], [TEN]],
  ['a range of one address', MALFORMED, [v4(range('0a000001', '0a000001'))], [TEN], [TEN]],
  ['a range', ACCEPTED, [v4(range('0a000001', '0a000005'))], [TEN], [TEN]],
  ['a range upside down', MALFORMED, [v4(range('0a000005', '0a000001'))], [TEN], [TEN]],
  ['a prefix of too many bytes', NOT_HELD, [v4(prefix('0a00000001'))], [TEN], [TEN]],
  [
    'a family of three bytes',
    ACCEPTED,
    [family('000101', sequence(prefix('0a')))],
    [family('000101', sequence(prefix('0a')))],
    [family('000101', sequence(prefix('0a')))],
  ],
  ['a family of one byte', MALFORMED, [family('01', sequence(prefix('0a')))], [TEN], [TEN]],
  [
    'a family that nobody knows',
    ACCEPTED,
    [family('0003', sequence(prefix('')))],
    [family('0003', sequence(prefix('')))],
    [family('0003', sequence(prefix('')))],
  ],
  ['out of order in the issuer', MALFORMED, [SMALL], [v4(prefix('0b'), prefix('0a'))], [v4(prefix(''))]],
  ['seven bits unused', ACCEPTED, [v4(prefix('0a80', 7))], [TEN], [TEN]],
  ['what is no address block', NO_ISSUER, [nothing()], [TEN], [TEN]],
]

const autonomous: readonly Row[] = [
  ['held by all', ACCEPTED, [numbers(one(5))], [numbers(span(1, 9))], [numbers(span(1, 9))]],
  ['the leaf alone', NOT_HELD, [numbers(one(5))], undefined, undefined],
  ['not by the issuer', NOT_HELD, [numbers(one(5))], [numbers(one(6))], [numbers(span(1, 9))]],
  ['inherited and held above', ACCEPTED, [anyNumbers], [numbers(one(5))], [numbers(span(1, 9))]],
  ['inherited by the root', NOT_HELD, [anyNumbers], [anyNumbers], [anyNumbers]],
  ['inherited where nobody holds any', ACCEPTED, [anyNumbers], undefined, undefined],
  ['out of order', MALFORMED, [numbers(one(5), one(3))], [numbers(span(1, 9))], [numbers(span(1, 9))]],
  ['side by side', MALFORMED, [numbers(one(5), one(6))], [numbers(span(1, 9))], [numbers(span(1, 9))]],
  ['apart', ACCEPTED, [numbers(one(5), one(7))], [numbers(span(1, 9))], [numbers(span(1, 9))]],
  ['upside down', MALFORMED, [numbers(span(5, 3))], [numbers(span(1, 9))], [numbers(span(1, 9))]],
  ['below zero', ACCEPTED, [numbers(one(-5))], [numbers(span(-9, 9))], [numbers(span(-9, 9))]],
  ['a list of nothing', MALFORMED, [numbers()], [numbers(span(1, 9))], [numbers(span(1, 9))]],
  ['neither list', ACCEPTED, [], undefined, undefined],
  ['routing domains held by all', ACCEPTED, [domains(one(5))], [domains(one(5))], [domains(one(5))]],
  ['routing domains in the place of numbers', NOT_HELD, [numbers(one(5))], [domains(one(5))], [domains(one(5))]],
  [
    'numbers of the issuer, which the leaf does not ask for',
    NOT_HELD,
    [domains(one(5))],
    [numbers(one(3)), domains(one(5))],
    [domains(one(5))],
  ],
]

describe.skipIf(requirePart('openssl') === undefined)('resources of RFC 3779 (needs openssl)', () => {
  const keys = createRareKeys()
  const saying = (oid: string, held: Held) =>
    held ? { extensions: [{ oid, critical: true, value: sequence(...held) }] } : {}

  const makeSet = (oid: string, [, , leaf, issuer, root]: Row, of = keys) => {
    const path: RarePath = { leaf: saying(oid, leaf), issuer: saying(oid, issuer), root: saying(oid, root) }
    return makePath(path, of, new Date())
  }

  async function check(oid: string, row: Row): Promise<void> {
    const [, answer] = row
    const set = makeSet(oid, row)
    expect(describeAnswer(askOurs(set))).toBe(answer)
    const judge = await askOpenssl(set)
    expect(judge && describeAnswer(judge)).toBe(answer)
  }

  it.each(addresses)('addresses, %s: %s', (...row) => check(ADDRESSES, row))
  it.each(autonomous)('numbers, %s: %s', (...row) => check(NUMBERS, row))

  describe.skipIf(requirePart('stunnel') === undefined)('stunnel', () => {
    const rsaKeys = createRareKeys('rsa')
    const all = [
      ...addresses.map((row) => [ADDRESSES, row] as const),
      ...autonomous.map((row) => [NUMBERS, row] as const),
    ]

    it.each(all)('says the same of %s: %#', { tags: 'long' }, async (oid, row) => {
      expect(describeAnswer(await askStunnel(makeSet(oid, row, rsaKeys)))).toBe(row[1])
    })
  })
})
