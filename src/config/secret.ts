/**
 * The passwords pools hand over, sealed before they reach the database (AES-256-GCM): who copies the database alone has
 * nothing. The key stays in a file of its own beside the settings.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { replaceFile } from '../base/files/durable-file.js'
import { systemCode, touching } from '../base/files/file-failure.js'
import { readOwnFile } from '../base/files/limited-file.js'
import { fail } from './errors.js'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** The first byte of what is sealed, so that another way can follow this one. */
const VERSION = 1

/** Makes a key where there is none. */
export async function createSecretKey(path: string): Promise<void> {
  await touching(path, () => replaceFile(path, `${randomBytes(KEY_BYTES).toString('base64')}\n`, 0o600))
}

/** @throws SECRET_KEY_UNUSABLE when the file is missing or holds something else. */
export async function readSecretKey(path: string): Promise<Buffer> {
  const text = await touching(path, () => readOwnFile(path)).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw error
    throw fail('SECRET_KEY_UNUSABLE', { file: path, why: 'it does not exist' })
  })
  const key = Buffer.from(text.trim(), 'base64')
  if (key.length !== KEY_BYTES)
    throw fail('SECRET_KEY_UNUSABLE', { file: path, why: `it holds ${key.length} bytes and not ${KEY_BYTES}` })
  return key
}

/** `belongsTo` (the pool's uuid) is sealed in: moved to another pool's row, it does not open. */
export function seal(secret: string, belongsTo: string, key: Buffer): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES }).setAAD(Buffer.from(belongsTo))
  const sealed = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), sealed])
}

/** @throws SECRET_UNREADABLE when it was sealed with another key, for another owner, or is damaged. */
export function unseal(sealed: Uint8Array, belongsTo: string, key: Buffer): string {
  const bytes = Buffer.from(sealed)
  const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
  const tag = bytes.subarray(1 + NONCE_BYTES, 1 + NONCE_BYTES + TAG_BYTES)
  if (bytes[0] !== VERSION || tag.length !== TAG_BYTES) throw fail('SECRET_UNREADABLE', { pool: belongsTo })
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(belongsTo)).setAuthTag(tag)
  try {
    const opened = decipher.update(bytes.subarray(1 + NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([opened, decipher.final()]).toString('utf8')
  } catch (error) {
    throw fail('SECRET_UNREADABLE', { pool: belongsTo }, error)
  }
}
