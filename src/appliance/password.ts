/** The hash of the password that pools present: scrypt (RFC 7914) with its parameters beside it, so that they can grow. */
import { type BinaryLike, randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { WlbError } from '../error.js'
import { systemCode, touching } from './file-failure.js'

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

/**
 * Reads a password from the first line of a file, its line end left out.
 *
 * @throws PASSWORD_FILE_MISSING when there is no such file.
 * @throws PASSWORD_EMPTY when the line is empty.
 */
export async function readPasswordFile(path: string): Promise<string> {
  const text = await touching(path, () => readFile(path, 'utf8')).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? passwordFileMissing(path, error) : error
  })
  const password = text.split(/\r?\n/, 1).join('')
  if (password === '') throw passwordEmpty(path)
  return password
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

function passwordFileMissing(file: string, cause: unknown): WlbError {
  return new WlbError('PASSWORD_FILE_MISSING', 'The password file does not exist.', { file }, `ls -l ${file}`, cause)
}

function passwordEmpty(file: string): WlbError {
  return new WlbError(
    'PASSWORD_EMPTY',
    'The first line of the password file is empty; a password needs a character.',
    { file },
    'wlb setup --password-file FILE',
  )
}
