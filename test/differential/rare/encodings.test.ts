/** What OpenSSL 3.0 can decode in a path and what it cannot: each line a fact, held against `openssl verify`. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { checkHost } from '../../../src/x509/index.js'
import { requirePart } from '../../real-parts.js'
import { element, integer, octetString, sequence, setOf, utf8, wrapped } from '../der-writer.js'
import { OID } from '../extension-writer.js'
import { describeAnswer } from '../judge.js'
import { askOpenssl } from '../judge-openssl.js'
import { askOurs } from '../judge-ours.js'
import { askStunnel } from '../judge-stunnel.js'
import { createRareKeys, extensionOf, makePath, NAME, oddExtension, oneString, type RarePath } from './rare-path.js'

const NO_ISSUER = '!unable to get local issuer certificate'
const ACCEPTED = 'accepted'
type Fact = readonly [what: string, answer: string, path: RarePath]

const leaf = (oid: string, hex: string): RarePath => ({ leaf: { extensions: [extensionOf(oid, hex)] } })
const issuer = (oid: string, hex: string): RarePath => ({ issuer: { extensions: [extensionOf(oid, hex)] } })
const root = (oid: string, hex: string): RarePath => ({ root: { extensions: [extensionOf(oid, hex)] } })
const DNS_NAME = '82 0f 776c622e6578616d706c652e6c6162'
const named = (hex: string): RarePath => {
  const names = Buffer.from(`${hex}${DNS_NAME}`.replaceAll(' ', ''), 'hex')
  return { leaf: { extensions: [{ oid: OID.altNames, value: sequence(names) }] } }
}
const inDirectory = (tag: number, bytes: Buffer): RarePath => {
  const name = wrapped(4, sequence(setOf(oneString(tag, bytes))))
  return named(name.toString('hex'))
}
const SERVER_AUTH = '06082b06010505070301'

const extensions: readonly Fact[] = [
  ['an object identifier that is padded', NO_ISSUER, leaf(OID.extendedKeyUsage, `3010 ${SERVER_AUTH} 060480010203`)],
  [
    'an object identifier that is padded further on',
    NO_ISSUER,
    leaf(OID.extendedKeyUsage, `3010 ${SERVER_AUTH} 06042a800103`),
  ],
  ['an object identifier that does not end', NO_ISSUER, leaf(OID.extendedKeyUsage, `300e ${SERVER_AUTH} 06022a83`)],
  ['an object identifier of nothing', NO_ISSUER, leaf(OID.extendedKeyUsage, `300c ${SERVER_AUTH} 0600`)],
  ['an otherName whose type does not end', NO_ISSUER, named('a0080602 2a83 a002 0500')],
  ['an otherName whose value is not wrapped', NO_ISSUER, named('a0070603 2a0304 0500')],
  ['an otherName with a number in it that is padded', NO_ISSUER, named('a00b0603 2a0304 a004 02020001')],
  ['an otherName with a number in it', ACCEPTED, named('a00a0603 2a0304 a003 020101')],
  ['a registeredID that is padded', NO_ISSUER, named('8803 2a8001')],
  ['an ediPartyName', ACCEPTED, named('a507 a105 0c03616263')],
  ['an ediPartyName whose party is not wrapped', NO_ISSUER, named('a505 8103616263')],
  ['an ediPartyName without a party', NO_ISSUER, named('a507 a005 0c03616263')],
  ['an ediPartyName whose party is an IA5String', NO_ISSUER, named('a507 a105 1603616263')],
  ['an x400Address that is not looked into', ACCEPTED, named('a302 ffff')],
  ['an x400Address without the bit for parts', NO_ISSUER, named('8302 0500')],
  ['a general name of a kind there is not', NO_ISSUER, named('8901 00')],
  ['a directoryName in UTF-8', ACCEPTED, inDirectory(0x0c, Buffer.from('é'))],
  ['a directoryName in UTF-8 that is Latin-1', NO_ISSUER, inDirectory(0x0c, Buffer.from([0xe9]))],
  ['a directoryName with half a surrogate pair', NO_ISSUER, inDirectory(0x1e, Buffer.from([0xd8, 0]))],
  ['a directoryName of an odd number of bytes for two a character', NO_ISSUER, inDirectory(0x1e, Buffer.from([0x61]))],
  ['a directoryName with a character beyond Unicode', NO_ISSUER, inDirectory(0x1c, Buffer.from([0, 0x11, 0, 0]))],
  ['a directoryName with a value of no string type', NO_ISSUER, inDirectory(0x02, Buffer.from([1]))],
  ['a directoryName with a value of a type nobody knows', ACCEPTED, inDirectory(0x0d, Buffer.from([1]))],
  ['cA of two bytes', NO_ISSUER, leaf(OID.basicConstraints, '3004 0102 0000')],
  ['cA of no byte', NO_ISSUER, leaf(OID.basicConstraints, '3002 0100')],
  ['cA of any byte but zero', ACCEPTED, issuer(OID.basicConstraints, '3003 010101')],
  ['a path length that is padded', NO_ISSUER, issuer(OID.basicConstraints, '3007 0101ff 02020001')],
  ['a path length that is padded, in the root', NO_ISSUER, root(OID.basicConstraints, '3007 0101ff 02020001')],
  ['a path length below zero', NO_ISSUER, issuer(OID.basicConstraints, '3006 0101ff 0201ff')],
  ['a path length of no byte', NO_ISSUER, issuer(OID.basicConstraints, '3005 0101ff 0200')],
  [
    'a path length that fits into no number',
    ACCEPTED,
    issuer(OID.basicConstraints, '300e 0101ff 0209 010000000000000000'),
  ],
  ['basicConstraints that go on', NO_ISSUER, leaf(OID.basicConstraints, '3005 010100 0500')],
  ['bytes after the value', ACCEPTED, leaf(OID.basicConstraints, '3000 ffff')],
  ['a SEQUENCE without the bit for parts', NO_ISSUER, leaf(OID.basicConstraints, '1000')],
  ['a SEQUENCE OF without the bit for parts', ACCEPTED, leaf(OID.extendedKeyUsage, `100a ${SERVER_AUTH}`)],
  ['a SEQUENCE without a length', ACCEPTED, leaf(OID.basicConstraints, '3080 010100 0000')],
  ['a SEQUENCE without a length or an end', NO_ISSUER, leaf(OID.basicConstraints, '3080 010100')],
  ['a length with needless zeros', ACCEPTED, leaf(OID.basicConstraints, '30840000 0003 010100')],
  ['a small tag written as a large one', ACCEPTED, leaf(OID.basicConstraints, '3f10 03 010100')],
  ['a value cut off', NO_ISSUER, leaf(OID.basicConstraints, '3004 010100')],
  ['no value at all', NO_ISSUER, leaf(OID.keyUsage, '')],
  ['key usage without any', NO_ISSUER, leaf(OID.keyUsage, '0302 0700')],
  ['key usage with eight bits unused', NO_ISSUER, leaf(OID.keyUsage, '0302 0880')],
  ['key usage without the byte that counts them', NO_ISSUER, leaf(OID.keyUsage, '0300')],
  ['key usage in pieces', ACCEPTED, leaf(OID.keyUsage, '2306 0401 07 0401 80')],
  ['key usage in pieces without an end', ACCEPTED, leaf(OID.keyUsage, '2380 0402 0780 0000')],
  ['key usage in pieces six deep', NO_ISSUER, leaf(OID.keyUsage, '2310 240e 240c 240a 2408 2406 2404 0402 0780')],
  ['a key identifier that is no OCTET STRING', NO_ISSUER, leaf(OID.subjectKeyId, '0500')],
  [
    'an authority key identifier with a serial number that is padded',
    NO_ISSUER,
    leaf(OID.authorityKeyId, '3004 82020002'),
  ],
  [
    'an authority key identifier with a serial number of another sign',
    NO_ISSUER,
    leaf(OID.authorityKeyId, '3003 8201fe'),
  ],
  ['an authority key identifier with the serial number', ACCEPTED, leaf(OID.authorityKeyId, '3003 820102')],
  [
    'name constraints whose minimum is padded',
    NO_ISSUER,
    issuer(OID.nameConstraints, '3011 a00f 300d 8107652e6c61622e61 80020000'),
  ],
  ['name constraints of no kind there is', NO_ISSUER, issuer(OID.nameConstraints, '3006 a004 3002 8900')],
  ['Netscape types that are no BIT STRING', NO_ISSUER, leaf(OID.netscapeType, '0500')],
  ['proxy information that is none', NO_ISSUER, leaf(OID.proxy, '3000')],
  ['policies that are none are not looked at', ACCEPTED, leaf(OID.policies, '0500')],
  ['issuer alternative names that are none are not looked at', ACCEPTED, leaf(OID.issuerAltNames, '0500')],
  [
    'a distribution point relative to the issuer',
    ACCEPTED,
    leaf(OID.distributionPoints, '3012 3010 a00e a10c 300a 0603550403 0c03616263'),
  ],
  [
    'a distribution point that is relative and no name',
    NO_ISSUER,
    leaf(OID.distributionPoints, '3008 3006 a004 a102 0500'),
  ],
  [
    'a relative distribution point whose string is none: OpenSSL forgets the rest of the certificate',
    '!CA signature digest algorithm too weak',
    leaf(OID.distributionPoints, '3010 300e a00c a10a 3008 0603550403 0c01e9'),
  ],
  [
    'the same in an issuer that is sent: not found at the first look',
    NO_ISSUER,
    issuer(OID.distributionPoints, '3010 300e a00c a10a 3008 0603550403 0c01e9'),
  ],
  [
    'the same in a root: found at the second look',
    ACCEPTED,
    root(OID.distributionPoints, '3010 300e a00c a10a 3008 0603550403 0c01e9'),
  ],
  ['reasons with eight bits unused', NO_ISSUER, leaf(OID.distributionPoints, '300c 300a a004 a002 8600 8102 0880')],
  ['IP addresses with eight bits unused', NO_ISSUER, leaf('1.3.6.1.5.5.7.1.7', '300c 300a 0402 0001 3004 0302 080a')],
  ['AS numbers that are padded', NO_ISSUER, leaf('1.3.6.1.5.5.7.1.8', '3008 a006 3004 02020001')],
]

const around: readonly Fact[] = [
  [
    'a value in pieces',
    ACCEPTED,
    {
      leaf: {
        extensions: [
          oddExtension(
            OID.keyUsage,
            element(0x24, octetString(Buffer.from('03', 'hex')), octetString(Buffer.from('020780', 'hex'))),
          ),
        ],
      },
    },
  ],
  [
    'an extension twice',
    NO_ISSUER,
    { leaf: { extensions: [extensionOf(OID.keyUsage, '03020780'), extensionOf(OID.keyUsage, '03020780')] } },
  ],
  [
    'an extension twice that is not looked at',
    ACCEPTED,
    { leaf: { extensions: [extensionOf(OID.policies, '3000'), extensionOf(OID.policies, '3000')] } },
  ],
  [
    'a key identifier may not be critical',
    '!unhandled critical extension',
    { leaf: { extensions: [extensionOf(OID.subjectKeyId, '040101', true)] } },
  ],
  [
    'an empty SET more in the issuer name',
    ACCEPTED,
    {
      issuer: {
        issuer: sequence(
          setOf(),
          setOf(sequence(Buffer.from('060355040a', 'hex'), utf8('Example'))),
          setOf(oneString(0x0c, 'Root')),
        ),
      },
    },
  ],
  [
    'a common name that is no string',
    'Subject checks failed',
    {
      leaf: {
        subject: sequence(setOf(oneString(0x0d, 'wlb.example.lab'))),
        extensions: [extensionOf(OID.altNames, '3000')],
      },
    },
  ],
  [
    'case counts in strings of a type nobody knows',
    NO_ISSUER,
    {
      issuer: { subject: sequence(setOf(oneString(0x0d, 'A'))) },
      leaf: { issuer: sequence(setOf(oneString(0x0d, 'a'))) },
    },
  ],
  [
    'case and blanks do not count in the types that are known',
    ACCEPTED,
    {
      issuer: { subject: sequence(setOf(oneString(0x14, 'A  b'))) },
      leaf: { issuer: sequence(setOf(oneString(0x16, ' a b'))) },
    },
  ],
  [
    'a SEQUENCE for a name without the bit for parts',
    ACCEPTED,
    { issuer: { subject: element(0x10, setOf(oneString(0x0c, 'A'))) } },
  ],
  ['a permitted name of an empty SET', ACCEPTED, issuer(OID.nameConstraints, '300a a008 3006 a404 3002 3100')],
  [
    'a serial number below zero is not the one above',
    ACCEPTED,
    { leaf: { serial: integer(-1) }, list: { serials: [integer(255)] } },
  ],
  [
    'a serial number below zero is itself',
    '!certificate revoked',
    { leaf: { serial: integer(-1) }, list: { serials: [integer(-1)] } },
  ],
]

const RELATIVE = 'a10c 300a 0603550403 0c03616263'
const FULL = sequence(
  setOf(sequence(Buffer.from('060355040a', 'hex'), utf8('Example'))),
  setOf(oneString(0x0c, 'Issuer')),
  setOf(oneString(0x0c, 'abc')),
)
const fullPoint = wrapped(0, wrapped(4, FULL)).toString('hex')
const point = (hex: string) =>
  sequence(sequence(wrapped(0, Buffer.from(hex.replaceAll(' ', ''), 'hex')))).toString('hex')
const scope = (hex: string) => sequence(wrapped(0, Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toString('hex')
const at = (certificate: string, list: string): RarePath => ({
  leaf: { extensions: [extensionOf(OID.distributionPoints, point(certificate))] },
  list: { extensions: [extensionOf(OID.issuingPoint, scope(list), true)] },
})

const lists: readonly Fact[] = [
  ['relative in the certificate, in full in the list', ACCEPTED, at(RELATIVE, fullPoint)],
  ['in full in the certificate, relative in the list', ACCEPTED, at(fullPoint, RELATIVE)],
  ['relative in both', ACCEPTED, at(RELATIVE, RELATIVE)],
  ['relative, and another one', '!different CRL scope', at(RELATIVE, 'a10c 300a 0603550403 0c03616264')],
  ['relative and no name in the list', '!different CRL scope', at(RELATIVE, 'a10a 3008 0603550403 0c01e9')],
  [
    'an entry whose reason is padded',
    '!certificate revoked',
    { list: { serials: [integer(3)], entryExtensions: [extensionOf(OID.reason, '0a020008')] } },
  ],
  [
    'an entry that is taken off the list',
    ACCEPTED,
    { list: { serials: [integer(3)], entryExtensions: [extensionOf(OID.reason, '0a0108')] } },
  ],
  [
    'an entry whose reason is 2^32 + 8, of which an int keeps the 8',
    ACCEPTED,
    { list: { serials: [integer(3)], entryExtensions: [extensionOf(OID.reason, '0a050100000008')] } },
  ],
  [
    'an entry whose reason is 2^64 + 8',
    '!certificate revoked',
    { list: { serials: [integer(3)], entryExtensions: [extensionOf(OID.reason, '0a09010000000000000008')] } },
  ],
]

describe.skipIf(requirePart('openssl') === undefined)('rare encodings (needs openssl)', () => {
  const keys = createRareKeys()

  it.each([...extensions, ...around, ...lists])('%s: %s', async (_what, answer, path) => {
    const set = makePath(path, keys, new Date())
    expect(describeAnswer(askOurs(set))).toBe(answer)
    const judge = await askOpenssl(set)
    expect(judge && describeAnswer(judge)).toBe(answer)
  })
})

test('a name that is asked about twice leaves no error behind for the next key', () => {
  const [served] = makePath(
    { leaf: { extensions: [extensionOf(OID.altNames, '3002 3000')] } },
    createRareKeys(),
    new Date(),
  ).sent
  if (!served) throw new Error('no leaf')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  for (const _time of [1, 2, 3]) {
    expect(checkHost(served, NAME)).toBe(true)
    expect(createPrivateKey(pem).type).toBe('private')
  }
})

describe.skipIf(requirePart('stunnel') === undefined)('rare encodings (needs stunnel)', () => {
  const keys = createRareKeys('rsa')

  it.each([...extensions, ...around, ...lists])('%s: %s', { tags: 'long' }, async (_what, answer, path) => {
    expect(describeAnswer(await askStunnel(makePath(path, keys, new Date())))).toBe(answer)
  })
})
