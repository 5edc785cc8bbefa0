/** Cases from the field by their names: made here, and read where they lie beside the repository with what OpenSSL and stunnel said. */
import { X509Certificate } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { loadHostStore, readPemBlocks, validate } from '../../../src/x509/index.js'
import { requirePart } from '../../real-parts.js'
import { element, integer, nothing, objectIdentifier, octetString, sequence, setOf, wrapped } from '../der-writer.js'
import { OID } from '../extension-writer.js'
import { describeAnswer } from '../judge.js'
import { askOpenssl } from '../judge-openssl.js'
import { askOurs } from '../judge-ours.js'
import { createRareKeys, extensionOf, makePath, NAME, oddExtension, oneString, type RarePath } from './rare-path.js'

const FOLDER = new URL('../../../../shared/cases/verdict/', import.meta.url)
const expectation = z.object({ name: z.string(), accepted: z.boolean(), opensslNumber: z.number(), reason: z.string() })

const found = existsSync(FOLDER)
  ? readdirSync(FOLDER).filter((name) => existsSync(new URL(`${name}/served.pem`, FOLDER)))
  : []

describe.skipIf(found.length === 0)('cases of verdicts (needs them beside the repository)', () => {
  it.each(found)('%s', (name) => {
    const file = (path: string) => readFileSync(new URL(`${name}/${path}`, FOLDER))
    const expected = expectation.parse(JSON.parse(file('expected.json').toString()))
    const presented = readPemBlocks(file('served.pem').toString()).map(({ der }) => new X509Certificate(der))
    const hasLists = existsSync(new URL(`${name}/crls.pem`, FOLDER))
    const store = loadHostStore(file('bundle.pem'), hasLists ? [file('crls.pem')] : undefined)
    if (store.state === 'unusable') throw new Error(store.why)
    const { accepted, opensslNumber, reason } = validate({
      presented,
      anchors: store.anchors,
      crls: store.crls,
      name: expected.name,
      now: new Date(),
    })
    expect({ accepted, opensslNumber, reason }).toEqual({
      accepted: expected.accepted,
      opensslNumber: expected.opensslNumber,
      reason: expected.reason,
    })
  })
})

const NO_ISSUER = '!unable to get local issuer certificate'
const ADDRESSES = '1.3.6.1.5.5.7.1.7'
const names = (hex: string): RarePath => {
  const all = Buffer.concat([element(0x82, Buffer.from(NAME)), Buffer.from(hex, 'hex')])
  return { leaf: { extensions: [{ oid: OID.altNames, value: sequence(all) }] } }
}
const leaf = (oid: string, hex: string): RarePath => ({ leaf: { extensions: [extensionOf(oid, hex)] } })
const signedAs = (oid: string) => sequence(objectIdentifier(oid), nothing())
const MD5_OIW = '1.3.14.3.2.3'
const SHA512_256 = '1.2.840.113549.1.1.16'
const CUT = '0603550403 0c03616263'
const full = wrapped(0, wrapped(4, sequence(...['Issuer', 'abc'].map((text) => setOf(oneString(0x0c, text))))))

const made: Readonly<Record<string, readonly [answer: string, path: RarePath]>> = {
  'ca-flag-two-bytes': [
    NO_ISSUER,
    { root: { extensions: [extensionOf(OID.basicConstraints, '3004 0102 ffff', true)] } },
  ],
  'common-name-is-no-string': [
    'Subject checks failed',
    {
      leaf: { subject: sequence(setOf(oneString(0x0d, NAME))), extensions: [extensionOf(OID.altNames, '3000')] },
    },
  ],
  'crl-negative-serial': ['accepted', { leaf: { serial: integer(-1) }, list: { serials: [integer(255)] } }],
  'crl-point-relative-and-full': [
    'accepted',
    {
      issuer: { subject: sequence(setOf(oneString(0x0c, 'Issuer'))) },
      leaf: {
        issuer: sequence(setOf(oneString(0x0c, 'Issuer'))),
        extensions: [extensionOf(OID.distributionPoints, `3012 3010 a00e a10c 300a ${CUT}`)],
      },
      list: {
        issuer: sequence(setOf(oneString(0x0c, 'Issuer'))),
        extensions: [
          { oid: OID.issuingPoint, critical: true, value: sequence(wrapped(0, full)) },
          extensionOf(OID.crlNumber, '020101'),
        ],
      },
    },
  ],
  'directory-name-bad-utf8': [NO_ISSUER, names('a4133011310f300d06035504030c065afc72696368')],
  'edi-party-name-primitive-choice': [NO_ISSUER, names('a50c810a13086564695061727479')],
  'eku-oid-padded': [NO_ISSUER, leaf(OID.extendedKeyUsage, '3010 06082b06010505070301 060455800403')],
  'empty-rdn-in-issuer': [
    'accepted',
    {
      issuer: { subject: sequence(setOf(oneString(0x0c, 'Issuer'))) },
      leaf: { issuer: sequence(setOf(), setOf(oneString(0x0c, 'Issuer'))) },
    },
  ],
  'empty-rdn-in-name-constraint': [
    'accepted',
    { issuer: { extensions: [extensionOf(OID.nameConstraints, '300a a008 3006 a404 3002 3100')] } },
  ],
  'extension-value-constructed': [
    'accepted',
    { leaf: { extensions: [oddExtension('1.2.3.4', element(0x24, octetString(sequence())))] } },
  ],
  'ip-resources-not-canonical': [
    '!invalid or inconsistent certificate extension',
    leaf(ADDRESSES, '3010 300e 0402 0001 3008 0302000b 0302000a'),
  ],
  'ip-resources-not-nested': [
    "!RFC 3779 resource not subset of parent's resources",
    leaf(ADDRESSES, '300c 300a 0402 0001 3004 0302000a'),
  ],
  'leaf-signed-md5-oiw': [
    '!CA signature digest algorithm too weak',
    { leaf: { algorithm: signedAs(MD5_OIW), outerAlgorithm: signedAs(MD5_OIW) } },
  ],
  'other-name-oid-unterminated': [NO_ISSUER, names('a00b06035504ffa0040c026162')],
  'path-length-padded': [
    NO_ISSUER,
    { issuer: { extensions: [extensionOf(OID.basicConstraints, '3007 0101ff 02020002', true)] } },
  ],
  'path-length-padded-root': [
    NO_ISSUER,
    { root: { extensions: [extensionOf(OID.basicConstraints, '3007 0101ff 02020002', true)] } },
  ],
  'root-signed-md5-oiw': ['accepted', { root: { algorithm: signedAs(MD5_OIW) } }],
  'root-signed-sha512-256': ['!unable to get issuer certificate', { root: { algorithm: signedAs(SHA512_256) } }],
}

describe.skipIf(requirePart('openssl') === undefined)('cases of verdicts, made here (needs openssl)', () => {
  const keys = createRareKeys('rsa')

  it.each(Object.entries(made))('%s', async (_name, [answer, path]) => {
    const set = makePath(path, keys, new Date())
    expect(describeAnswer(askOurs(set))).toBe(answer)
    const judge = await askOpenssl(set)
    expect(judge && describeAnswer(judge)).toBe(answer)
  })

  it.skipIf(found.length === 0)('each case that is read is made here too', () => {
    expect(Object.keys(made)).toEqual(expect.arrayContaining(found))
  })
})
