/** The hash of the password that pools present: scrypt (RFC 7914) with its parameters beside it, so that they can grow. */
import { type BinaryLike, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'

/** What HTTP Basic (RFC 7617) carries: the header that has it is limited, in pools as here. */
export const PASSWORD_LIMIT_BYTES = 1024

/** Says, as the end of a sentence, why a pool could not present a password; undefined when it could. */
export function whyNotPresentable(password: string): string | undefined {
  if (password === '') return 'is empty'
  if (/\p{Cc}/u.test(password)) return 'has a control character, which HTTP cannot carry'
  const bytes = Buffer.byteLength(password)
  return bytes > PASSWORD_LIMIT_BYTES ? `has ${bytes} bytes: HTTP carries ${PASSWORD_LIMIT_BYTES}` : undefined
}

/** 32 MB and about 80 ms a guess. */
const COST = { N: 2 ** 15, r: 8, p: 1 }
const HASH_BYTES = 32

/** Returns `scrypt$N$r$p$salt$hash`, salt and hash in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await derive(password, salt, HASH_BYTES, COST)
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64'), hash.toString('base64')].join('$')
}

/** Compares in a time that does not depend on how much of it is right. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const parts = readHash(stored)
  if (!parts) return false
  const { cost, salt, hash } = parts
  return timingSafeEqual(await derive(password, salt, hash.length, cost), hash)
}

export function isPasswordHash(text: string): boolean {
  return readHash(text) !== undefined
}

function readHash(text: string): { cost: typeof COST; salt: Buffer; hash: Buffer } | undefined {
  const found = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]{22}==)\$([A-Za-z0-9+/]{43}=)$/.exec(text)
  if (!found) return undefined
  const [, N, r, p, salt = '', hash = ''] = found
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  const isPowerOfTwo = cost.N > 1 && Number.isInteger(Math.log2(cost.N))
  if (!isPowerOfTwo || cost.r < 1 || cost.p < 1) return undefined
  return { cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') }
}

function derive(password: BinaryLike, salt: Buffer, length: number, cost: typeof COST): Promise<Buffer> {
  const options: ScryptOptions = { ...cost, maxmem: 256 * cost.N * cost.r }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, hash) => (error ? reject(error) : resolve(hash)))
  })
}
