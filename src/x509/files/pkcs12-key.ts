/** Keys from passwords as PKCS#12 has them made (RFC 7292, appendix B.2): node:crypto knows every way but this one. */
import { createHash } from 'node:crypto'

/** What the bytes are for (B.3): each purpose gets others. */
export const PKCS12_KEY = 1
export const PKCS12_VECTOR = 2
export const PKCS12_MAC = 3

/** A round costs six of those inside OpenSSL (measured: 1.3 µs against 0.22). */
export const PKCS12_ROUND_COST = 6

const BLOCK_BYTES: Readonly<Record<string, number>> = { sha1: 64, sha224: 64, sha256: 64, sha384: 128, sha512: 128 }

/** UTF-16 with a final zero; no password at all is no bytes at all, which is another one than the empty password. */
export function encodePkcs12Password(password: string | null): Buffer {
  return password === null ? Buffer.alloc(0) : Buffer.from(`${password}\0`, 'utf16le').swap16()
}

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
