/**
 * Signature algorithms (RFC 3279, RFC 4055, RFC 5758, RFC 8410): their names, the digest and kind of key each one takes,
 * how strong OpenSSL 3.0 counts it, and whether a signature is right.
 */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type AnyValue, any, type Bits, decode, explicit, integer, map, oid, readInt, sequence } from './asn1-types.js'
import { encodeElement, TAG } from './der.js'

type KeyKind = 'rsa' | 'rsa-pss' | 'ec' | 'dsa' | 'ed25519' | 'ed448' | 'sm2' | 'none of ours'

interface Known {
  /** As `openssl x509 -text` prints it. */
  readonly name: string
  /** What node:crypto calls the digest; null where the key or the parameters decide. */
  readonly digest: string | null
  /** Absent where OpenSSL 3.0 knows the name and not what it means (obj_xref.txt). */
  readonly key?: KeyKind
}

const known = (name: string, digest: string | null, key?: KeyKind): Known => ({ name, digest, ...(key && { key }) })
const agreement = (kind: string, digest: string) =>
  known(`dhSinglePass-${kind}DH-${digest}kdf-scheme`, digest, 'none of ours')
const gost = (name: string) => known(name, 'gost', 'none of ours')

const BY_OID: Readonly<Record<string, Known>> = {
  '1.2.840.113549.1.1.2': known('md2WithRSAEncryption', 'md2', 'rsa'),
  '1.2.840.113549.1.1.3': known('md4WithRSAEncryption', 'md4', 'rsa'),
  '1.2.840.113549.1.1.4': known('md5WithRSAEncryption', 'md5', 'rsa'),
  '1.2.840.113549.1.1.5': known('sha1WithRSAEncryption', 'sha1', 'rsa'),
  '1.2.840.113549.1.1.10': known('rsassaPss', null, 'rsa-pss'),
  '1.2.840.113549.1.1.11': known('sha256WithRSAEncryption', 'sha256', 'rsa'),
  '1.2.840.113549.1.1.12': known('sha384WithRSAEncryption', 'sha384', 'rsa'),
  '1.2.840.113549.1.1.13': known('sha512WithRSAEncryption', 'sha512', 'rsa'),
  '1.2.840.113549.1.1.14': known('sha224WithRSAEncryption', 'sha224', 'rsa'),
  '1.2.840.113549.1.1.15': known('sha512-224WithRSAEncryption', 'sha512-224'),
  '1.2.840.113549.1.1.16': known('sha512-256WithRSAEncryption', 'sha512-256'),
  '1.3.14.3.2.3': known('md5WithRSA', 'md5', 'rsa'),
  '1.3.14.3.2.15': known('shaWithRSAEncryption', 'sha', 'rsa'),
  '1.3.14.3.2.29': known('sha1WithRSA', 'sha1', 'rsa'),
  '1.3.36.3.3.1.2': known('ripemd160WithRSA', 'ripemd160', 'rsa'),
  '2.5.8.3.100': known('mdc2WithRSA', 'mdc2', 'rsa'),
  '2.16.840.1.101.3.4.3.13': known('RSA-SHA3-224', 'sha3-224', 'rsa'),
  '2.16.840.1.101.3.4.3.14': known('RSA-SHA3-256', 'sha3-256', 'rsa'),
  '2.16.840.1.101.3.4.3.15': known('RSA-SHA3-384', 'sha3-384', 'rsa'),
  '2.16.840.1.101.3.4.3.16': known('RSA-SHA3-512', 'sha3-512', 'rsa'),
  '1.2.840.10045.4.1': known('ecdsa-with-SHA1', 'sha1', 'ec'),
  '1.2.840.10045.4.2': known('ecdsa-with-Recommended', 'unsaid', 'ec'),
  '1.2.840.10045.4.3': known('ecdsa-with-Specified', 'unsaid', 'ec'),
  '1.2.840.10045.4.3.1': known('ecdsa-with-SHA224', 'sha224', 'ec'),
  '1.2.840.10045.4.3.2': known('ecdsa-with-SHA256', 'sha256', 'ec'),
  '1.2.840.10045.4.3.3': known('ecdsa-with-SHA384', 'sha384', 'ec'),
  '1.2.840.10045.4.3.4': known('ecdsa-with-SHA512', 'sha512', 'ec'),
  '2.16.840.1.101.3.4.3.9': known('ecdsa_with_SHA3-224', 'sha3-224'),
  '2.16.840.1.101.3.4.3.10': known('ecdsa_with_SHA3-256', 'sha3-256'),
  '2.16.840.1.101.3.4.3.11': known('ecdsa_with_SHA3-384', 'sha3-384'),
  '2.16.840.1.101.3.4.3.12': known('ecdsa_with_SHA3-512', 'sha3-512'),
  '1.2.840.10040.4.3': known('dsaWithSHA1', 'sha1', 'dsa'),
  '1.3.14.3.2.13': known('dsaWithSHA', 'sha', 'dsa'),
  '1.3.14.3.2.27': known('dsaWithSHA1-old', 'sha1', 'dsa'),
  '2.16.840.1.101.3.4.3.1': known('dsa_with_SHA224', 'sha224', 'dsa'),
  '2.16.840.1.101.3.4.3.2': known('dsa_with_SHA256', 'sha256', 'dsa'),
  '1.3.101.112': known('ED25519', null, 'ed25519'),
  '1.3.101.113': known('ED448', null, 'ed448'),
  '1.2.156.10197.1.501': known('SM2-with-SM3', 'sm3', 'sm2'),
  '1.3.133.16.840.63.0.2': agreement('std', 'sha1'),
  '1.3.132.1.11.0': agreement('std', 'sha224'),
  '1.3.132.1.11.1': agreement('std', 'sha256'),
  '1.3.132.1.11.2': agreement('std', 'sha384'),
  '1.3.132.1.11.3': agreement('std', 'sha512'),
  '1.3.133.16.840.63.0.3': agreement('cofactor', 'sha1'),
  '1.3.132.1.14.0': agreement('cofactor', 'sha224'),
  '1.3.132.1.14.1': agreement('cofactor', 'sha256'),
  '1.3.132.1.14.2': agreement('cofactor', 'sha384'),
  '1.3.132.1.14.3': agreement('cofactor', 'sha512'),
  '1.2.643.2.2.3': gost('GOST R 34.11-94 with GOST R 34.10-2001'),
  '1.2.643.2.2.4': gost('GOST R 34.11-94 with GOST R 34.10-94'),
  '1.2.643.7.1.1.3.2': gost('GOST R 34.10-2012 with GOST R 34.11-2012 (256 bit)'),
  '1.2.643.7.1.1.3.3': gost('GOST R 34.10-2012 with GOST R 34.11-2012 (512 bit)'),
}

/** Half the length of a digest; because of collisions SHA-1 and MD5 count less. One that OpenSSL 3.0 cannot compute counts nothing. */
const DIGEST_BITS: Readonly<Record<string, number>> = {
  md4: 64,
  md5: 39,
  sha1: 63,
  ripemd160: 80,
  shake128: 64,
  sha224: 112,
  'sha512-224': 112,
  'sha3-224': 112,
  sha256: 128,
  'sha512-256': 128,
  'sha3-256': 128,
  blake2s256: 128,
  shake256: 128,
  sm3: 128,
  sha384: 192,
  'sha3-384': 192,
  sha512: 256,
  'sha3-512': 256,
  blake2b512: 256,
  whirlpool: 256,
}

export interface SignatureAlgorithm {
  readonly oid: string
  /** The object identifier where the algorithm has none. */
  readonly name: string
  readonly digest: string | null
  readonly key?: KeyKind
  readonly parameters: AnyValue | undefined
  /** What RSASSA-PSS says beside that; undefined where it is unusable. */
  readonly pss?: PssParameters | undefined
}

/** AlgorithmIdentifier. */
export const algorithmIdentifier = map(
  sequence(({ required, optional }) => ({ oid: required(oid), parameters: optional(any) })),
  ({ oid: id, parameters }): SignatureAlgorithm => {
    const algorithm = { oid: id, ...(BY_OID[id] ?? { name: id, digest: null }), parameters }
    return algorithm.key === 'rsa-pss' ? { ...algorithm, pss: readPssParameters(parameters) } : algorithm
  },
)

/** X509_ALGOR_cmp. */
export function isSameAlgorithm(a: SignatureAlgorithm, b: SignatureAlgorithm): boolean {
  if (a.oid !== b.oid || !a.parameters || !b.parameters) return a.oid === b.oid && a.parameters === b.parameters
  return a.parameters.tag === b.parameters.tag && a.parameters.content.equals(b.parameters.content)
}

/** Tells whether a key is of the kind that makes such signatures; PSS signatures come from plain RSA keys too. */
export function canHaveSigned(key: KeyObject | undefined, { key: wanted }: SignatureAlgorithm): boolean {
  if (!key || !wanted) return false
  const kind = key.asymmetricKeyType ?? (isSm2(key) ? 'sm2' : undefined)
  return kind === wanted || (wanted === 'rsa-pss' && kind === 'rsa')
}

/** Node has no name for this kind. */
const SM2_CURVE = Buffer.from('06082a811ccf5501822d', 'hex')

function isSm2(key: KeyObject): boolean {
  return key.export({ type: 'spki', format: 'der' }).includes(SM2_CURVE)
}

/**
 * Verifies what `signature` says of `signed`. False also for a key of another kind than the algorithm's, and for algorithms that
 * are not on the list.
 */
export function isSignatureOf(signature: Bits, algorithm: SignatureAlgorithm, signed: Buffer, key: KeyObject): boolean {
  if (!canHaveSigned(key, algorithm) || signature.unused !== 0) return false
  const { pss } = algorithm
  try {
    if (algorithm.key !== 'rsa-pss') return verify(algorithm.digest, signed, key, signature.bytes)
    if (!pss) return false
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const { digest, maskDigest, saltBytes: saltLength } = pss
    const verifier = maskDigest === digest ? key : withMask(key, algorithm)
    return verify(digest, signed, { key: verifier, padding, saltLength }, signature.bytes)
  } catch {
    return false
  }
}

/** The key bound to the parameters of a signature: node:crypto takes the digest of the mask from nowhere else. */
function withMask(key: KeyObject, { parameters }: SignatureAlgorithm): KeyObject {
  if (key.asymmetricKeyType === 'rsa-pss') return key // it has its own, or none but the digest's
  const identifier = [encodeElement(TAG.oid, PSS_IDENTIFIER), parameters?.content ?? Buffer.alloc(0)]
  const bits = Buffer.concat([Buffer.from([0]), key.export({ type: 'pkcs1', format: 'der' })])
  const info = [encodeElement(TAG.sequence, Buffer.concat(identifier)), encodeElement(TAG.bitString, bits)]
  return createPublicKey({ key: encodeElement(TAG.sequence, Buffer.concat(info)), format: 'der', type: 'spki' })
}

/** 1.2.840.113549.1.1.10. */
const PSS_IDENTIFIER = Buffer.from('2a864886f70d01010a', 'hex')

/** Strength of a signature in bits (x509_sig_info_init); 0 for algorithms that OpenSSL does not know, and for unusable parameters. */
export function signatureStrengthBits({ key, digest, pss }: SignatureAlgorithm): number {
  switch (key) {
    case undefined:
      return 0
    case 'ed25519':
      return 128
    case 'ed448':
      return 224
    case 'rsa-pss':
      return DIGEST_BITS[pss?.digest ?? ''] ?? 0
    default:
      return DIGEST_BITS[digest ?? ''] ?? 0
  }
}

/** Object identifiers of digests; the one of a signature stands for its digest (EVP_get_digestbyobj). */
const DIGESTS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.4': 'md4',
  '1.2.840.113549.2.5': 'md5',
  '1.3.36.3.2.1': 'ripemd160',
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
  '2.16.840.1.101.3.4.2.4': 'sha224',
  '2.16.840.1.101.3.4.2.5': 'sha512-224',
  '2.16.840.1.101.3.4.2.6': 'sha512-256',
  '2.16.840.1.101.3.4.2.7': 'sha3-224',
  '2.16.840.1.101.3.4.2.8': 'sha3-256',
  '2.16.840.1.101.3.4.2.9': 'sha3-384',
  '2.16.840.1.101.3.4.2.10': 'sha3-512',
  '2.16.840.1.101.3.4.2.11': 'shake128',
  '2.16.840.1.101.3.4.2.12': 'shake256',
  '1.0.10118.3.0.55': 'whirlpool',
  '1.3.6.1.4.1.1722.12.2.1.16': 'blake2b512',
  '1.3.6.1.4.1.1722.12.2.2.8': 'blake2s256',
  '1.2.156.10197.1.401': 'sm3',
  '1.2.156.10197.1.504': 'sm3', // sm3WithRSAEncryption
}
const ALSO_DIGESTS = /^(md[45]|sha\d+(-\d+)?)WithRSAEncryption$|^(sha1|ripemd160)WithRSA$|^RSA-SHA3/

interface PssParameters {
  /** Of the message and of the mask, as node:crypto has them. */
  readonly digest: string
  readonly maskDigest: string
  readonly saltBytes: number
}

const MASK_GENERATOR = '1.2.840.113549.1.1.8'
const digestAlgorithm = sequence(({ required, optional }) => ({ id: required(oid), parameters: optional(any) }))

/** RSASSA-PSS-params (RFC 4055, 3.1). */
const pssType = sequence(({ optional }) => ({
  hash: optional(explicit(0, digestAlgorithm)),
  mask: optional(explicit(1, digestAlgorithm)),
  salt: optional(explicit(2, integer)),
  trailer: optional(explicit(3, integer)),
}))

/** Undefined where OpenSSL finds them unusable: an unknown digest or mask, a negative salt, another trailer than 1. */
function readPssParameters(parameters: AnyValue | undefined): PssParameters | undefined {
  const given = parameters?.tag === 16 ? decode(pssType, parameters.content) : undefined
  if (!given) return undefined
  const { mask, salt, trailer } = given
  const maskHash = mask?.parameters?.tag === 16 ? decode(digestAlgorithm, mask.parameters.content) : undefined
  if (mask && (mask.id !== MASK_GENERATOR || !maskHash)) return undefined
  const digest = given.hash ? readDigest(given.hash.id) : 'sha1'
  const maskDigest = maskHash ? readDigest(maskHash.id) : 'sha1'
  const saltBytes = salt ? readInt(salt) : 20
  if (!digest || !maskDigest || saltBytes < 0 || (trailer && readInt(trailer) !== 1)) return undefined
  return { digest, maskDigest, saltBytes }
}

function readDigest(id: string): string | undefined {
  const signature = BY_OID[id]
  return DIGESTS[id] ?? (signature?.digest && ALSO_DIGESTS.test(signature.name) ? signature.digest : undefined)
}
