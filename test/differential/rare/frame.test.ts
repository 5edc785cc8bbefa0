/** The fields of a certificate around its extensions, rare ones: each line a fact, held against `openssl verify`. */
import { describe, expect, it } from 'vitest'
import { requirePart } from '../../real-parts.js'
import { boolean, element, integer, objectIdentifier, sequence, setOf, wrapped } from '../der-writer.js'
import { OID } from '../extension-writer.js'
import { describeAnswer } from '../judge.js'
import { askOpenssl } from '../judge-openssl.js'
import { askOurs } from '../judge-ours.js'
import { askStunnel } from '../judge-stunnel.js'
import { createRareKeys, makePath, oddExtension, oneString, type Parts, type RarePath } from './rare-path.js'

const OK = 'accepted'
const NO_ISSUER = '!unable to get local issuer certificate'
const NOT_BEFORE = "!format error in certificate's notBefore field"
const NOT_AFTER = "!format error in certificate's notAfter field"
const EXPIRED = '!certificate has expired'
const NO_AUTHORITY = '!invalid CA certificate'
const EARLY = '!certificate is not yet valid'

const leaf = (parts: Parts): RarePath => ({ leaf: parts })
const bareRoot = (version: number | bigint): RarePath => ({
  root: { version: wrapped(0, integer(version)), isBare: true },
})
const serial = (hex: string): RarePath => leaf({ serial: element(2, Buffer.from(hex, 'hex')) })
const at = (tag: 'utc' | 'generalized', text: string) => element(tag === 'utc' ? 0x17 : 0x18, Buffer.from(text))
const UNTIL = at('utc', '490101000000Z')
const SINCE = at('utc', '200101000000Z')
const since = (time: Buffer): RarePath => leaf({ validity: sequence(time, UNTIL) })
const until = (time: Buffer): RarePath => leaf({ validity: sequence(SINCE, time) })
const CONSTRAINED = [objectIdentifier(OID.basicConstraints), boolean(false), element(4, sequence())]

/** In the issuer's subject and the leaf's issuer, so that the two are compared. */
const named = (below: Buffer, above: Buffer): RarePath => ({
  issuer: { subject: sequence(setOf(above)) },
  leaf: { issuer: sequence(setOf(below)) },
})
const same = (tag: number, hex: string) => {
  const text = Buffer.from(hex, 'hex')
  return named(oneString(tag, text), oneString(tag, text))
}

const facts: readonly (readonly [what: string, answer: string, path: RarePath])[] = [
  ['a serial number of zero', OK, serial('00')],
  ['a serial number below zero', OK, serial('80')],
  ['a serial number of 22 bytes', OK, serial(`01${'00'.repeat(21)}`)],
  ['version 1 with extensions', OK, leaf({ version: Buffer.alloc(0) })],
  ['version 1 written down', OK, leaf({ version: wrapped(0, integer(0)) })],
  ['version 2 with extensions', OK, leaf({ version: wrapped(0, integer(1)) })],
  ['version 4', OK, leaf({ version: wrapped(0, integer(3)) })],
  ['a version below zero', OK, leaf({ version: wrapped(0, integer(-1)) })],
  ['a root of version 1 that says nothing', OK, bareRoot(0)],
  ['a root of version 3 that says nothing', NO_AUTHORITY, bareRoot(2)],
  ['a root of version 257 that says nothing', NO_AUTHORITY, bareRoot(256)],
  ['a root of version 2^64 + 1 that says nothing', NO_AUTHORITY, bareRoot(1n << 64n)],
  ['an authority of version 1 with extensions', OK, { issuer: { version: Buffer.alloc(0) } }],
  ['unique identifiers', OK, leaf({ uniqueIds: Buffer.from('8102000182020001', 'hex') })],
  ['a unique identifier of an issuer', OK, { issuer: { uniqueIds: Buffer.from('82020001', 'hex') } }],
  ['"not critical" written down', OK, leaf({ extensions: [sequence(...CONSTRAINED)] })],
  ['an extension of nobody without content', OK, leaf({ extensions: [oddExtension('1.2.3.4', element(4))] })],
  ['since a GeneralizedTime before 2050', OK, since(at('generalized', '20200101000000Z'))],
  ['since 1950', OK, since(at('utc', '500101000000Z'))],
  ['until 1950', EXPIRED, until(at('utc', '500101000000Z'))],
  ['until 2049', OK, until(at('utc', '491231235959Z'))],
  ['until a GeneralizedTime of 2050', OK, until(at('generalized', '20500101000000Z'))],
  ['until the last second there is', OK, until(at('generalized', '99991231235959Z'))],
  ['since a year without a pool', OK, since(at('generalized', '00000101000000Z'))],
  ['since a time to come', EARLY, since(at('generalized', '20480101000000Z'))],
  ['until before its beginning', EXPIRED, until(at('utc', '190101000000Z'))],
  ['since a UTCTime without seconds', NOT_BEFORE, since(at('utc', '2001010000Z'))],
  ['since a UTCTime of another zone', NOT_BEFORE, since(at('utc', '200101000000+0100'))],
  ['since a UTCTime of no zone', NOT_BEFORE, since(at('utc', '200101000000'))],
  ['since a GeneralizedTime with a fraction', NOT_BEFORE, since(at('generalized', '20200101000000.5Z'))],
  ['since a GeneralizedTime of another zone', NOT_BEFORE, since(at('generalized', '20200101000000+0000'))],
  ['since a 13th month', NOT_BEFORE, since(at('utc', '201301000000Z'))],
  ['since the 29th of February', OK, since(at('utc', '200229000000Z'))],
  ['since a 29th of February that was not', NOT_BEFORE, since(at('utc', '210229000000Z'))],
  ['since the 31st of April', NOT_BEFORE, since(at('utc', '200431000000Z'))],
  ['since a second that was put in', NOT_BEFORE, since(at('utc', '161231235960Z'))],
  ['since an hour of 24', NOT_BEFORE, since(at('utc', '200101240000Z'))],
  ['since a time with a blank', NOT_BEFORE, since(at('utc', '20010100000 Z'))],
  ['until no time at all', NOT_AFTER, until(at('utc', ''))],
  ['until a time and a zero byte', NOT_AFTER, until(at('utc', '490101000000Z\0'))],
  ['issuer in T61String', OK, same(0x14, '505152')],
  ['issuer in PrintableString with characters it has not', OK, same(0x13, '010203')],
  ['issuer in BMPString', OK, same(0x1e, '5051')],
  ['issuer in IA5String with an upper half', OK, same(0x16, 'ff')],
  ['issuer in NumericString with letters', OK, same(0x12, '50')],
  ['issuer with a zero byte', OK, same(0x0c, '610062')],
  ['issuer of no length', OK, same(0x0c, '')],
  ['issuer of blanks, and of none', OK, named(oneString(0x0c, '   '), oneString(0x0c, ''))],
  [
    'issuer in UTF-8 and in BMPString',
    OK,
    named(oneString(0x0c, 'PQ'), oneString(0x1e, Buffer.from('00500051', 'hex'))),
  ],
  ['issuer in T61String and in UTF-8', OK, named(oneString(0x14, Buffer.from([0xe9])), oneString(0x0c, 'é'))],
  ['issuer in NumericString and in UTF-8', NO_ISSUER, named(oneString(0x12, '12'), oneString(0x0c, '12'))],
  [
    'issuer with a letter that is not ASCII in another case',
    NO_ISSUER,
    named(oneString(0x0c, 'é'), oneString(0x0c, 'É')),
  ],
  ['issuer composed in another way', NO_ISSUER, named(oneString(0x0c, 'é'), oneString(0x0c, 'e\u0301'))],
  ['issuer with a blank that is not ASCII', NO_ISSUER, named(oneString(0x0c, 'a\u00a0b'), oneString(0x0c, 'a b'))],
  ['issuer with a tabulator for a blank', OK, named(oneString(0x0c, 'a\tb'), oneString(0x0c, 'a b'))],
]

describe.skipIf(requirePart('openssl') === undefined)('rare frames (needs openssl)', () => {
  const keys = createRareKeys()

  it.each(facts)('%s: %s', async (_what, answer, path) => {
    const set = makePath(path, keys, new Date())
    const judge = await askOpenssl(set)
    expect(judge && describeAnswer(judge)).toBe(answer)
    expect(describeAnswer(askOurs(set))).toBe(answer)
  })
})

describe.skipIf(requirePart('stunnel') === undefined)('rare frames (needs stunnel)', () => {
  const keys = createRareKeys('rsa')

  it.each(facts)('%s: %s', { tags: 'long' }, async (_what, answer, path) => {
    expect(describeAnswer(await askStunnel(makePath(path, keys, new Date())))).toBe(answer)
  })
})
