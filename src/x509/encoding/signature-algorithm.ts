/**
 * Signature algorithms (RFC 3279, RFC 4055, RFC 5758, RFC 8410): their names, the digest and kind of key each one takes,
 * how strong OpenSSL 3.0 counts it, and whether a signature is right.
 */
import { constants, type KeyObject, verify } from 'node:crypto'
import { type DerElement, fieldsOf, readElement, readElements, readOid, TAG } from './der.js'

type KeyKind = 'rsa' | 'rsa-pss' | 'ec' | 'dsa' | 'ed25519' | 'ed448'

interface SignatureAlgorithm {
  /** As `openssl x509 -text` prints it. */
  readonly name: string
  /** What node:crypto calls the digest; null where the key or the parameters decide. */
  readonly digest: string | null
  readonly key?: KeyKind
}

const BY_OID: Readonly<Record<string, SignatureAlgorithm>> = {
  '1.2.840.113549.1.1.2': { name: 'md2WithRSAEncryption', digest: 'md2', key: 'rsa' },
  '1.2.840.113549.1.1.3': { name: 'md4WithRSAEncryption', digest: 'md4', key: 'rsa' },
  '1.2.840.113549.1.1.4': { name: 'md5WithRSAEncryption', digest: 'md5', key: 'rsa' },
  '1.2.840.113549.1.1.5': { name: 'sha1WithRSAEncryption', digest: 'sha1', key: 'rsa' },
  '1.2.840.113549.1.1.10': { name: 'rsassaPss', digest: null, key: 'rsa-pss' },
  '1.2.840.113549.1.1.11': { name: 'sha256WithRSAEncryption', digest: 'sha256', key: 'rsa' },
  '1.2.840.113549.1.1.12': { name: 'sha384WithRSAEncryption', digest: 'sha384', key: 'rsa' },
  '1.2.840.113549.1.1.13': { name: 'sha512WithRSAEncryption', digest: 'sha512', key: 'rsa' },
  '1.2.840.113549.1.1.14': { name: 'sha224WithRSAEncryption', digest: 'sha224', key: 'rsa' },
  '1.2.840.113549.1.1.15': { name: 'sha512-224WithRSAEncryption', digest: 'sha512-224', key: 'rsa' },
  '1.2.840.113549.1.1.16': { name: 'sha512-256WithRSAEncryption', digest: 'sha512-256', key: 'rsa' },
  '1.3.14.3.2.29': { name: 'sha1WithRSA', digest: 'sha1', key: 'rsa' },
  '1.3.36.3.3.1.2': { name: 'ripemd160WithRSA', digest: 'ripemd160', key: 'rsa' },
  '2.16.840.1.101.3.4.3.13': { name: 'RSA-SHA3-224', digest: 'sha3-224', key: 'rsa' },
  '2.16.840.1.101.3.4.3.14': { name: 'RSA-SHA3-256', digest: 'sha3-256', key: 'rsa' },
  '2.16.840.1.101.3.4.3.15': { name: 'RSA-SHA3-384', digest: 'sha3-384', key: 'rsa' },
  '2.16.840.1.101.3.4.3.16': { name: 'RSA-SHA3-512', digest: 'sha3-512', key: 'rsa' },
  '1.2.840.10045.4.1': { name: 'ecdsa-with-SHA1', digest: 'sha1', key: 'ec' },
  '1.2.840.10045.4.3.1': { name: 'ecdsa-with-SHA224', digest: 'sha224', key: 'ec' },
  '1.2.840.10045.4.3.2': { name: 'ecdsa-with-SHA256', digest: 'sha256', key: 'ec' },
  '1.2.840.10045.4.3.3': { name: 'ecdsa-with-SHA384', digest: 'sha384', key: 'ec' },
  '1.2.840.10045.4.3.4': { name: 'ecdsa-with-SHA512', digest: 'sha512', key: 'ec' },
  '2.16.840.1.101.3.4.3.9': { name: 'ecdsa_with_SHA3-224', digest: 'sha3-224', key: 'ec' },
  '2.16.840.1.101.3.4.3.10': { name: 'ecdsa_with_SHA3-256', digest: 'sha3-256', key: 'ec' },
  '2.16.840.1.101.3.4.3.11': { name: 'ecdsa_with_SHA3-384', digest: 'sha3-384', key: 'ec' },
  '2.16.840.1.101.3.4.3.12': { name: 'ecdsa_with_SHA3-512', digest: 'sha3-512', key: 'ec' },
  '1.2.840.10040.4.3': { name: 'dsaWithSHA1', digest: 'sha1', key: 'dsa' },
  '2.16.840.1.101.3.4.3.1': { name: 'dsa_with_SHA224', digest: 'sha224', key: 'dsa' },
  '2.16.840.1.101.3.4.3.2': { name: 'dsa_with_SHA256', digest: 'sha256', key: 'dsa' },
  '1.3.101.112': { name: 'ED25519', digest: null, key: 'ed25519' },
  '1.3.101.113': { name: 'ED448', digest: null, key: 'ed448' },
}

/** Reads an AlgorithmIdentifier's content; an algorithm not on the list keeps its object identifier as its name. */
export function readSignatureAlgorithm(content: Buffer): SignatureAlgorithm | undefined {
  const [identifier] = readElements(content) ?? []
  if (identifier?.tag !== TAG.oid) return undefined
  const oid = readOid(identifier.content)
  return BY_OID[oid] ?? { name: oid, digest: null }
}

/** Tells whether a key is of the kind that makes such signatures; PSS signatures come from plain RSA keys too. */
export function canHaveSigned(key: KeyObject | undefined, algorithm: Buffer): boolean {
  const wanted = readSignatureAlgorithm(algorithm)?.key
  const kind = key?.asymmetricKeyType
  return wanted !== undefined && (kind === wanted || (wanted === 'rsa-pss' && kind === 'rsa'))
}

/**
 * Verifies what `signature` (a BIT STRING) says of `signed`; `algorithm` is the content of the AlgorithmIdentifier. False also for
 * a key of another kind than the algorithm's, and for algorithms that are not on the list.
 */
export function isSignatureOf(signature: DerElement, algorithm: Buffer, signed: Buffer, key: KeyObject): boolean {
  const digest = readSignatureAlgorithm(algorithm)?.digest
  if (digest === undefined || !canHaveSigned(key, algorithm)) return false
  const bytes = signature.content.subarray(1)
  const pss = readPssParameters(algorithm)
  try {
    if (!pss) return verify(digest, signed, key, bytes)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    return verify(pss.digest, signed, { key, padding, saltLength: pss.saltBytes }, bytes)
  } catch {
    return false
  }
}

/** Because of collisions, SHA-1 and MD5 count less than half their length. */
const DIGEST_BITS: Readonly<Record<string, number>> = {
  md2: 64,
  md4: 64,
  md5: 39,
  sha1: 63,
  ripemd160: 80,
  sha224: 112,
  'sha512-224': 112,
  'sha3-224': 112,
  sha256: 128,
  'sha512-256': 128,
  'sha3-256': 128,
  sha384: 192,
  'sha3-384': 192,
  sha512: 256,
  'sha3-512': 256,
}

/** Strength of a signature in bits, by its digest (x509_sig_info_init); 0 for algorithms that OpenSSL does not know. */
export function signatureStrengthBits(algorithm: Buffer): number {
  const known = readSignatureAlgorithm(algorithm)
  switch (known?.key) {
    case undefined:
      return 0
    case 'ed25519':
      return 128
    case 'ed448':
      return 224
    case 'rsa-pss':
      return DIGEST_BITS[readPssDigest(algorithm)] ?? 0
    default:
      return DIGEST_BITS[known?.digest ?? ''] ?? 0
  }
}

const PSS_DIGESTS: Readonly<Record<string, string>> = {
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
}

interface PssParameters {
  /** Of the message, and of the mask, as node:crypto has it. */
  readonly digest: string
  readonly saltBytes: number
}

/** Reads the parameters of RSASSA-PSS (RFC 4055, 3.1); undefined for another algorithm, or a mask of another digest. */
function readPssParameters(algorithm: Buffer): PssParameters | undefined {
  const [oid, parameters] = readElements(algorithm) ?? []
  if (!oid || BY_OID[readOid(oid.content)]?.key !== 'rsa-pss') return undefined
  const fields = fieldsOf(parameters)
  const inside = (tag: number) => readElement(fields.find((field) => field.tag === tag)?.content ?? Buffer.alloc(0))
  const [, maskHash] = fieldsOf(inside(0xa1))
  const digest = readPssDigest(algorithm)
  if (digest === '' || readDigest(maskHash) !== digest) return undefined
  const salt = inside(0xa2)
  return { digest, saltBytes: salt ? salt.content.readUIntBE(0, Math.min(salt.content.length, 6)) : 20 }
}

/** hashAlgorithm [0] of RSASSA-PSS-params. */
function readPssDigest(algorithm: Buffer): string {
  const [, parameters] = readElements(algorithm) ?? []
  const hash = fieldsOf(parameters).find(({ tag }) => tag === 0xa0)
  return readDigest(hash && readElement(hash.content))
}

/** An AlgorithmIdentifier of a digest; SHA-1 where it is left out. */
function readDigest(algorithm: DerElement | undefined): string {
  if (!algorithm) return 'sha1'
  const [oid] = fieldsOf(algorithm)
  return PSS_DIGESTS[oid ? readOid(oid.content) : ''] ?? ''
}
