/**
 * Encryption under a password as keys and PKCS#12 files carry it (RFC 8018 PBES1 and PBES2, RFC 7914 scrypt, RFC 7292
 * appendix B): which scheme it is, what opening it would cost, and opening it.
 */
import { createDecipheriv, createHash, pbkdf2Sync, scryptSync } from 'node:crypto'
import { type DerElement, fieldsOf, readOid, readWholeNumber, TAG } from '../encoding/der.js'
import { fail } from '../errors.js'

export type PasswordScheme =
  | {
      readonly kind: 'pbkdf2'
      readonly salt: Buffer
      readonly rounds: number
      readonly digest: string
      readonly cipher: Cipher
    }
  | {
      readonly kind: 'scrypt'
      readonly salt: Buffer
      readonly cost: number
      readonly blockSize: number
      readonly parallel: number
      readonly cipher: Cipher
    }
  | { readonly kind: 'pkcs12'; readonly salt: Buffer; readonly rounds: number; readonly cipher: PlainCipher }
  /** Known by name; OpenSSL 3 opens it with its legacy provider only. */
  | { readonly kind: 'unsupported'; readonly name: string }

interface PlainCipher {
  readonly name: string
  readonly keyBytes: number
}

interface Cipher extends PlainCipher {
  readonly vector: Buffer
}

const PBES2 = '1.2.840.113549.1.5.13'
const PBKDF2 = '1.2.840.113549.1.5.12'
const SCRYPT = '1.3.6.1.4.1.11591.4.11'

const PKCS12_CIPHERS: Readonly<Record<string, PlainCipher>> = {
  '1.2.840.113549.1.12.1.3': { name: 'des-ede3-cbc', keyBytes: 24 },
  '1.2.840.113549.1.12.1.4': { name: 'des-ede-cbc', keyBytes: 16 },
}

const CIPHERS: Readonly<Record<string, PlainCipher>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
}

const UNSUPPORTED: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.5.1': 'PBES1 with MD2 and DES',
  '1.2.840.113549.1.5.3': 'PBES1 with MD5 and DES',
  '1.2.840.113549.1.5.4': 'PBES1 with MD2 and RC2',
  '1.2.840.113549.1.5.6': 'PBES1 with MD5 and RC2',
  '1.2.840.113549.1.5.10': 'PBES1 with SHA-1 and DES',
  '1.2.840.113549.1.5.11': 'PBES1 with SHA-1 and RC2',
  '1.2.840.113549.1.12.1.1': '128-bit RC4',
  '1.2.840.113549.1.12.1.2': '40-bit RC4',
  '1.2.840.113549.1.12.1.5': '128-bit RC2',
  '1.2.840.113549.1.12.1.6': '40-bit RC2',
  '1.2.840.113549.3.2': 'RC2',
  '1.3.14.3.2.7': 'single DES',
}

const DIGESTS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}

/** Real salts have 8 to 64 bytes; a long one would be hashed in every round. */
const SALT_LIMIT = 1024

/** Reads an AlgorithmIdentifier; undefined when it is malformed. */
export function readPasswordScheme(algorithm: DerElement | undefined): PasswordScheme | undefined {
  const { oid, parameters } = readAlgorithm(algorithm)
  if (oid === undefined) return undefined
  if (oid === PBES2) return readPbes2(parameters)
  const cipher = PKCS12_CIPHERS[oid]
  if (!cipher) return { kind: 'unsupported', name: UNSUPPORTED[oid] ?? oid }
  const [salt, count] = fieldsOf(parameters)
  const rounds = readWholeNumber(count)
  return isSalt(salt) && rounds ? { kind: 'pkcs12', salt: salt.content, rounds, cipher } : undefined
}

/** Reads PBKDF2's own parameters: PKCS#12 files of OpenSSL 3.4 and later use them for their MAC too (RFC 9579). */
export function readPbkdf2(algorithm: DerElement | undefined) {
  const { oid, parameters } = readAlgorithm(algorithm)
  const [salt, count, ...rest] = fieldsOf(parameters)
  const rounds = readWholeNumber(count)
  if (oid !== PBKDF2 || !isSalt(salt) || !rounds) return undefined
  const keyBytes = readWholeNumber(rest[0])
  const prf = rest.find(({ tag }) => tag === TAG.sequence)
  const digest = prf ? DIGESTS[readAlgorithm(prf).oid ?? ''] : 'sha1'
  return digest ? { salt: salt.content, rounds, digest, keyBytes } : undefined
}

function readPbes2(parameters: DerElement | undefined): PasswordScheme | undefined {
  const [derivation, encryption] = fieldsOf(parameters)
  const { oid: cipherOid = '', parameters: vector } = readAlgorithm(encryption)
  const plain = CIPHERS[cipherOid]
  if (!plain) return { kind: 'unsupported', name: UNSUPPORTED[cipherOid] ?? cipherOid }
  if (vector?.tag !== TAG.octetString) return undefined
  const cipher = { ...plain, vector: vector.content }
  const { oid, parameters: own } = readAlgorithm(derivation)
  if (oid === SCRYPT) {
    const [salt, ...numbers] = fieldsOf(own)
    const [cost, blockSize, parallel] = numbers.map(readWholeNumber)
    if (!isSalt(salt) || !cost || !blockSize || !parallel) return undefined
    return { kind: 'scrypt', salt: salt.content, cost, blockSize, parallel, cipher }
  }
  if (oid !== PBKDF2) return { kind: 'unsupported', name: oid ?? 'none' }
  const derived = readPbkdf2(derivation)
  return derived && { kind: 'pbkdf2', ...derived, cipher }
}

/**
 * One unit is a round of SHA-1 (measured: 0.08 µs on a machine that was quiet). Twenty million, two seconds at most, may be asked for by all
 * that a file holds: NSS and GnuTLS write 600,000 rounds three or four times, which comes to six million.
 */
const WORK_LIMIT = 20_000_000
/** A quarter of a second. */
export const SLOW_WORK = 2_500_000
/** A round with SHA-256, in which such counts are usually given. */
const SHA256_ROUND = 2

/** What opening would take, in the units of `WORK_LIMIT`; OpenSSL does the rounds of PKCS#12 faster than we do. */
export function workOf(scheme: PasswordScheme, by: 'openssl' | 'us'): number {
  switch (scheme.kind) {
    case 'pbkdf2':
      return workOfPbkdf2(scheme.rounds, scheme.digest, scheme.cipher.keyBytes)
    case 'scrypt': // 16384 x 8 x 1, what OpenSSL writes, takes as long as 200,000 rounds
      return scheme.cost * scheme.blockSize * scheme.parallel * 1.6
    case 'pkcs12': // two blocks of SHA-1 for the key, one for the vector
      return scheme.rounds * 3 * (by === 'us' ? PKCS12_ROUND_COST : 1)
    case 'unsupported':
      return 0
  }
}

/** The bytes a digest makes, and the cost of a round with it. */
const PBKDF2_COSTS: Readonly<Record<string, readonly [bytes: number, weight: number]>> = {
  sha1: [20, 1],
  sha224: [28, SHA256_ROUND],
  sha256: [32, SHA256_ROUND],
  sha384: [48, 2.5],
  sha512: [64, 2.5],
}

export function workOfPbkdf2(rounds: number, digest: string, keyBytes: number): number {
  const [digestBytes, weight] = PBKDF2_COSTS[digest] ?? [20, 2.5]
  return rounds * weight * Math.ceil(keyBytes / digestBytes)
}

/** @throws PASSWORD_TOO_COSTLY when `work` is more than two seconds of it. */
export function checkWork(work: number, file: string): void {
  if (!(work <= WORK_LIMIT)) {
    throw fail('PASSWORD_TOO_COSTLY', { file, rounds: work / SHA256_ROUND, limit: WORK_LIMIT / SHA256_ROUND })
  }
}

/** Decrypts; undefined when the password (or the file) is wrong. The caller has checked the work. */
export function decryptWithPassword(scheme: PasswordScheme, sealed: Buffer, password: string | null) {
  if (scheme.kind === 'unsupported') return undefined
  const { name, keyBytes } = scheme.cipher
  try {
    const decipher = createDecipheriv(name, ...deriveKey(scheme, keyBytes, password))
    return Buffer.concat([decipher.update(sealed), decipher.final()])
  } catch {
    return undefined
  }
}

function deriveKey(
  scheme: Exclude<PasswordScheme, { kind: 'unsupported' }>,
  keyBytes: number,
  password: string | null,
): [key: Buffer, vector: Buffer] {
  const { salt } = scheme
  switch (scheme.kind) {
    case 'pbkdf2':
      return [pbkdf2Sync(password ?? '', salt, scheme.rounds, keyBytes, scheme.digest), scheme.cipher.vector]
    case 'scrypt': {
      const { cost, blockSize, parallel: parallelization } = scheme
      return [scryptSync(password ?? '', salt, keyBytes, { cost, blockSize, parallelization }), scheme.cipher.vector]
    }
    case 'pkcs12': {
      const { rounds } = scheme
      const encoded = encodePkcs12Password(password)
      return [
        derivePkcs12Key({ digest: 'sha1', password: encoded, salt, purpose: PKCS12_KEY, rounds, length: keyBytes }),
        derivePkcs12Key({ digest: 'sha1', password: encoded, salt, purpose: PKCS12_VECTOR, rounds, length: 8 }),
      ]
    }
  }
}

/** AlgorithmIdentifier ::= SEQUENCE { algorithm OBJECT IDENTIFIER, parameters ANY OPTIONAL }. */
export function readAlgorithm(element: DerElement | undefined): {
  readonly oid: string | undefined
  readonly parameters: DerElement | undefined
} {
  const [oid, parameters] = fieldsOf(element)
  return { oid: oid?.tag === TAG.oid && oid.content.length < 32 ? readOid(oid.content) : undefined, parameters }
}

function isSalt(element: DerElement | undefined): element is DerElement {
  return element?.tag === TAG.octetString && element.content.length <= SALT_LIMIT
}

/** What derived bytes are for (RFC 7292, appendix B.3). */
const PKCS12_KEY = 1
const PKCS12_VECTOR = 2
export const PKCS12_MAC = 3

/** A round costs six of those inside OpenSSL (measured: 1.3 µs against 0.22). */
export const PKCS12_ROUND_COST = 6

const BLOCK_BYTES: Readonly<Record<string, number>> = {
  sha384: 128,
  sha512: 128,
  'sha512-224': 128,
  'sha512-256': 128,
  'sha3-224': 144,
  'sha3-256': 136,
  'sha3-384': 104,
  'sha3-512': 72,
  blake2b512: 128,
}

/** UTF-16 with a final zero. No password at all gives no bytes, which differs from the empty password. */
export function encodePkcs12Password(password: string | null): Buffer {
  return password === null ? Buffer.alloc(0) : Buffer.from(`${password}\0`, 'utf16le').swap16()
}

/** Derives a key from a password as PKCS#12 does (RFC 7292, appendix B.2): node:crypto has every way but this one. */
export function derivePkcs12Key(question: {
  readonly digest: string
  readonly password: Buffer
  readonly salt: Buffer
  readonly purpose: number
  readonly rounds: number
  readonly length: number
}): Buffer {
  const { digest, password, salt, purpose, rounds, length } = question
  const size = BLOCK_BYTES[digest] ?? 64
  const diversifier = Buffer.alloc(size, purpose)
  const seed = Buffer.concat([repeat(salt, size), repeat(password, size)])
  const made: Buffer[] = []
  for (let bytes = 0; bytes < length; ) {
    let block = createHash(digest).update(diversifier).update(seed).digest()
    for (let round = 1; round < rounds; round++) block = createHash(digest).update(block).digest()
    made.push(block)
    bytes += block.length
    addToEach(seed, size, Buffer.alloc(size, block))
  }
  return Buffer.concat(made).subarray(0, length)
}

/** Copies of `bytes`, cut off at a multiple of `size`. */
function repeat(bytes: Buffer, size: number): Buffer {
  return bytes.length === 0 ? bytes : Buffer.alloc(size * Math.ceil(bytes.length / size), bytes)
}

/** Every piece of `size` bytes becomes itself + addend + 1, without what runs over. */
function addToEach(bytes: Buffer, size: number, addend: Buffer): void {
  for (let start = 0; start < bytes.length; start += size) {
    let carry = 1
    for (let index = size - 1; index >= 0; index--) {
      carry += (bytes[start + index] ?? 0) + (addend[index] ?? 0)
      bytes[start + index] = carry & 0xff
      carry >>= 8
    }
  }
}
