/** Signature algorithms and kinds of keys, the seldom ones included: each line a fact, held against `openssl verify`. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { requirePart } from '../../real-parts.js'
import { integer, nothing, objectIdentifier, octetString, sequence, wrapped } from '../der-writer.js'
import { describeAnswer } from '../judge.js'
import { askOpenssl } from '../judge-openssl.js'
import { askOurs } from '../judge-ours.js'
import { createRareKeys, makePath, type RareKeys, type RarePath } from './rare-path.js'

const NO_ISSUER = '!unable to get local issuer certificate'
const NO_ROOT = '!unable to get issuer certificate'
const WEAK = '!CA signature digest algorithm too weak'
const WRONG = '!certificate signature failure'
const WEAK_KEY = '!EE certificate key too weak'
const ACCEPTED = 'accepted'

const algorithm = (oid: string, parameters: Buffer = nothing()) => sequence(objectIdentifier(oid), parameters)
const MD5_OIW = '1.3.14.3.2.3'
const SHA256_RSA = '1.2.840.113549.1.1.11'
const SHA256_EC = '1.2.840.10045.4.3.2'

/** What the root's own signature says is not checked, and must all the same be something its key can make. */
const ofRoot: readonly (readonly [name: string, oid: string, keys: 'rsa' | 'ec', answer: string])[] = [
  ['md2WithRSAEncryption', '1.2.840.113549.1.1.2', 'rsa', ACCEPTED],
  ['md4WithRSAEncryption', '1.2.840.113549.1.1.3', 'rsa', ACCEPTED],
  ['md5WithRSA', MD5_OIW, 'rsa', ACCEPTED],
  ['shaWithRSAEncryption', '1.3.14.3.2.15', 'rsa', ACCEPTED],
  ['sha1WithRSA', '1.3.14.3.2.29', 'rsa', ACCEPTED],
  ['ripemd160WithRSA', '1.3.36.3.3.1.2', 'rsa', ACCEPTED],
  ['mdc2WithRSA', '2.5.8.3.100', 'rsa', ACCEPTED],
  ['RSA-SHA3-256', '2.16.840.1.101.3.4.3.14', 'rsa', ACCEPTED],
  ['rsassaPss', '1.2.840.113549.1.1.10', 'rsa', ACCEPTED],
  ['sha512-224WithRSAEncryption', '1.2.840.113549.1.1.15', 'rsa', NO_ROOT],
  ['sha512-256WithRSAEncryption', '1.2.840.113549.1.1.16', 'rsa', NO_ROOT],
  ['rsaEncryption', '1.2.840.113549.1.1.1', 'rsa', NO_ROOT],
  ['sm3WithRSAEncryption', '1.2.156.10197.1.504', 'rsa', NO_ROOT],
  ['RSASSA-PSS-SHAKE128', '1.3.6.1.5.5.7.6.30', 'rsa', NO_ROOT],
  ['ecdsa-with-SHA256, with an RSA key', SHA256_EC, 'rsa', NO_ROOT],
  ['ecdsa-with-SHA1', '1.2.840.10045.4.1', 'ec', ACCEPTED],
  ['ecdsa-with-Recommended', '1.2.840.10045.4.2', 'ec', ACCEPTED],
  ['ecdsa-with-Specified', '1.2.840.10045.4.3', 'ec', ACCEPTED],
  ['ecdsa_with_SHA3-256', '2.16.840.1.101.3.4.3.10', 'ec', NO_ROOT],
  ['SM2-with-SM3, with another curve', '1.2.156.10197.1.501', 'ec', NO_ROOT],
  ['dsaWithSHA1', '1.2.840.10040.4.3', 'ec', NO_ROOT],
  ['ED25519, with an EC key', '1.3.101.112', 'ec', NO_ROOT],
  ['GOST R 34.10-2012', '1.2.643.7.1.1.3.2', 'ec', NO_ROOT],
  ['dhSinglePass-stdDH-sha256kdf-scheme', '1.3.132.1.11.1', 'ec', NO_ROOT],
]

const hash = (oid: string) => sequence(objectIdentifier(oid), nothing())
const SHA256 = '2.16.840.1.101.3.4.2.1'
const MASK = '1.2.840.113549.1.1.8'
const pss = (...fields: readonly Buffer[]) => algorithm('1.2.840.113549.1.1.10', sequence(...fields))
const whole = (salt: number | bigint = 32) => [
  wrapped(0, hash(SHA256)),
  wrapped(1, sequence(objectIdentifier(MASK), hash(SHA256))),
  wrapped(2, integer(salt)),
]

const twice = (algorithm: Buffer) => [algorithm, algorithm] as const

/** What stands in the leaf; only the last of them has the right signature beside it. */
const ofLeaf: readonly (readonly [what: string, inside: Buffer, outside: Buffer, answer: string])[] = [
  ['MD5 of OIW', algorithm(MD5_OIW), algorithm(MD5_OIW), WEAK],
  ['MD2', algorithm('1.2.840.113549.1.1.2'), algorithm('1.2.840.113549.1.1.2'), WEAK],
  [
    'SHA3-256, signed with another digest',
    algorithm('2.16.840.1.101.3.4.3.14'),
    algorithm('2.16.840.1.101.3.4.3.14'),
    WRONG,
  ],
  ['SHA-512/256', algorithm('1.2.840.113549.1.1.16'), algorithm('1.2.840.113549.1.1.16'), NO_ISSUER],
  ['outside SHA-512/256', algorithm(SHA256_RSA), algorithm('1.2.840.113549.1.1.16'), WEAK],
  ['outside a key agreement with SHA-256', algorithm(SHA256_RSA), algorithm('1.3.132.1.11.1'), WRONG],
  ['outside a key agreement with SHA-1', algorithm(SHA256_RSA), algorithm('1.3.133.16.840.63.0.2'), WEAK],
  ['outside GOST', algorithm(SHA256_RSA), algorithm('1.2.643.7.1.1.3.2'), WEAK],
  ['outside ECDSA', algorithm(SHA256_RSA), algorithm(SHA256_EC), WRONG],
  ['PSS without parameters', algorithm('1.2.840.113549.1.1.10'), algorithm('1.2.840.113549.1.1.10'), WEAK],
  ['PSS of defaults, which are SHA-1', pss(), pss(), WEAK],
  ['PSS', pss(...whole()), pss(...whole()), WRONG],
  ['PSS with a salt below zero', pss(...whole(-1)), pss(...whole(-1)), WEAK],
  ['PSS with a salt of 2^32 + 32, of which an int keeps the 32', ...twice(pss(...whole((1n << 32n) + 32n))), WRONG],
  ['PSS with a salt of 2^31', ...twice(pss(...whole(1n << 31n))), WEAK],
  ['PSS with a salt of 2^64 + 32', ...twice(pss(...whole((1n << 64n) + 32n))), WEAK],
  ['PSS with a trailer of 2^32 + 1', ...twice(pss(...whole(), wrapped(3, integer((1n << 32n) + 1n)))), WRONG],
  ['PSS with another trailer', pss(...whole(), wrapped(3, integer(2))), pss(...whole(), wrapped(3, integer(2))), WEAK],
  [
    'PSS with the trailer written down',
    pss(...whole(), wrapped(3, integer(1))),
    pss(...whole(), wrapped(3, integer(1))),
    WRONG,
  ],
  ['PSS with a digest nobody knows', pss(wrapped(0, hash('1.2.3'))), pss(wrapped(0, hash('1.2.3'))), WEAK],
  [
    'PSS with another mask',
    pss(wrapped(0, hash(SHA256)), wrapped(1, hash('1.2.3'))),
    pss(wrapped(0, hash(SHA256)), wrapped(1, hash('1.2.3'))),
    WEAK,
  ],
  ['PSS with a signature for a digest', pss(wrapped(0, hash(SHA256_RSA))), pss(wrapped(0, hash(SHA256_RSA))), WRONG],
  [
    'PSS with SHAKE256',
    pss(wrapped(0, hash('2.16.840.1.101.3.4.2.12'))),
    pss(wrapped(0, hash('2.16.840.1.101.3.4.2.12'))),
    WRONG,
  ],
  ['PSS with a field too many', pss(...whole(), wrapped(4, integer(1))), pss(...whole(), wrapped(4, integer(1))), WEAK],
  ['outside other parameters', algorithm(SHA256_RSA), algorithm(SHA256_RSA, sequence()), WRONG],
  ['SHA-256', algorithm(SHA256_RSA), algorithm(SHA256_RSA), ACCEPTED],
]

const spki = (type: 'x25519' | 'x448' | 'ed448') => {
  const { publicKey } =
    type === 'x25519'
      ? generateKeyPairSync('x25519')
      : type === 'x448'
        ? generateKeyPairSync('x448')
        : generateKeyPairSync('ed448')
  return publicKey.export({ type: 'spki', format: 'der' })
}
const madeByOpenssl = (...options: readonly string[]) => {
  const pem = execFileSync('openssl', ['genpkey', ...options], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return Buffer.from(execFileSync('openssl', ['pkey', '-pubout', '-outform', 'DER'], { input: pem }))
}
const curve = (name: string) => madeByOpenssl('-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${name}`)

const keysOfLeaf: readonly (readonly [what: string, key: () => Buffer, answer: string])[] = [
  ['X25519', () => spki('x25519'), ACCEPTED],
  ['X448', () => spki('x448'), ACCEPTED],
  ['Ed448', () => spki('ed448'), ACCEPTED],
  ['SM2', () => madeByOpenssl('-algorithm', 'SM2'), ACCEPTED],
  ['DH, ffdhe2048', () => madeByOpenssl('-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048'), ACCEPTED],
  ['DH, modp_1536', () => madeByOpenssl('-algorithm', 'DH', '-pkeyopt', 'group:modp_1536'), WEAK_KEY],
  [
    'DH, 1024 bits with a group of 160',
    () => madeByOpenssl('-algorithm', 'DHX', '-pkeyopt', 'group:dh_1024_160'),
    WEAK_KEY,
  ],
  [
    'DH, 2048 bits with a group of 224',
    () => madeByOpenssl('-algorithm', 'DHX', '-pkeyopt', 'group:dh_2048_224'),
    ACCEPTED,
  ],
  ['brainpoolP224r1', () => curve('brainpoolP224r1'), ACCEPTED],
  ['brainpoolP192r1', () => curve('brainpoolP192r1'), WEAK_KEY],
  ['sect233k1', () => curve('sect233k1'), ACCEPTED],
  ['c2tnb239v1', () => curve('c2tnb239v1'), ACCEPTED],
  ['c2pnb208w1, whose order is shorter', () => curve('c2pnb208w1'), WEAK_KEY],
  ['wap-wsg-idm-ecid-wtls12', () => curve('wap-wsg-idm-ecid-wtls12'), ACCEPTED],
  ['wap-wsg-idm-ecid-wtls7', () => curve('wap-wsg-idm-ecid-wtls7'), WEAK_KEY],
  [
    'a key of a kind that nobody knows',
    () => sequence(sequence(objectIdentifier('1.2.3')), Buffer.from('03020000', 'hex')),
    WEAK_KEY,
  ],
]

describe.skipIf(requirePart('openssl') === undefined)('rare algorithms (needs openssl)', () => {
  const keys = { ec: createRareKeys(), rsa: createRareKeys('rsa') }

  async function check(path: RarePath, of: RareKeys, answer: string): Promise<void> {
    const set = makePath(path, of, new Date())
    expect(describeAnswer(askOurs(set))).toBe(answer)
    const judge = await askOpenssl(set)
    expect(judge && describeAnswer(judge)).toBe(answer)
  }

  it.each(ofRoot)('a root that says %s (%s, %s key): %s', (_name, oid, kind, answer) =>
    check({ root: { algorithm: algorithm(oid) } }, keys[kind], answer),
  )

  it.each(ofLeaf)('a leaf that says %s: %#', (_what, inside, outside, answer) =>
    check({ leaf: { algorithm: inside, outerAlgorithm: outside } }, keys.rsa, answer),
  )

  it.each(keysOfLeaf)('a leaf with a key of %s: %#', (_what, key, answer) =>
    check({ leaf: { publicKey: key() } }, keys.ec, answer),
  )

  it('an SM2 key signs as OpenSSL says', async () => {
    const publicKey = createPublicKey({ key: madeByOpenssl('-algorithm', 'SM2'), format: 'der', type: 'spki' })
    const sm2 = { ...keys.ec, root: { ...keys.ec.root, publicKey } }
    const path = { root: { algorithm: sequence(objectIdentifier('1.2.156.10197.1.501')) } }
    await check({ ...path, issuer: { algorithm: sequence(objectIdentifier('1.2.156.10197.1.501')) } }, sm2, WRONG)
  })

  it('a list signed with RSASSA-PSS whose mask has another digest is checked', async () => {
    const mask = sequence(objectIdentifier(MASK), hash('2.16.840.1.101.3.4.2.2'))
    const mixed = pss(wrapped(0, hash(SHA256)), wrapped(1, mask), wrapped(2, integer(32)))
    const pkcs1 = keys.rsa.issuer.privateKey.export({ type: 'pkcs1', format: 'der' })
    const der = sequence(integer(0), mixed, octetString(pkcs1))
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    const signWith = (part: Buffer) => sign('sha256', part, { key, saltLength: 32 })
    const list = { serials: [integer(3)], signature: { algorithm: mixed, sign: signWith } }
    await check({ list }, keys.rsa, '!certificate revoked')
    const wrong = { ...list.signature, sign: (part: Buffer) => signWith(Buffer.concat([part, part])) }
    await check({ list: { ...list, signature: wrong } }, keys.rsa, '!CRL signature failure')
  })
})
