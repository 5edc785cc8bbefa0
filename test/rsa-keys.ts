/**
 * RSA keys for whatever needs one and says nothing about its making. A key of 2048 bits costs a seventh of a second of
 * processor time, one of 4096 a second, so the whole run makes each once: a file's first key is every file's first key.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cacheForFile } from './file-cache.js'
import { runFolder } from './run-folder.js'

const taken = cacheForFile<number, number>()

/** Another one with every call in a test file. */
export function nextRsaKey(bits: number): KeyObject {
  const folder = runFolder('keys')
  if (folder === undefined) return makeKey(bits)
  const index = taken.get(bits) ?? 0
  taken.set(bits, index + 1)
  const file = join(folder, `${bits}-${index}.pem`)
  if (!existsSync(file)) keepFirst(file, makeKey(bits))
  return createPrivateKey(readFileSync(file))
}

/** Of two processes that make the same key at once, the first one's is every one's. */
function keepFirst(file: string, key: KeyObject): void {
  const own = `${file}.${process.pid}`
  writeFileSync(own, key.export({ type: 'pkcs8', format: 'pem' }))
  try {
    linkSync(own, file)
  } catch (error) {
    if (!existsSync(file)) throw error
  }
  unlinkSync(own)
}

function makeKey(bits: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey
}
