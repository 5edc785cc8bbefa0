/**
 * RSA keys for whatever needs one and says nothing about its making. A key of 2048 bits costs a seventh of a second of
 * processor time, one of 4096 a second, so the whole run makes each once: a file's first key is every file's first key.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder they are kept in; outside of a run of tests there is none, and nothing is kept. */
export const KEYS_VARIABLE = 'OPENWLB_TEST_KEYS'

const caches: Map<unknown, unknown>[] = []
const taken = cacheForFile<number, number>()

/** What one file of tests keeps from its first line to its last, and none of what another one kept. */
export function cacheForFile<Key, Value>(): Map<Key, Value> {
  const cache = new Map<Key, Value>()
  caches.push(cache)
  return cache
}

/** Files share a process: run before each of them (test/own-keys.ts). */
export function emptyCaches(): void {
  for (const cache of caches) cache.clear()
}

/** Another one with every call in a test file. */
export function nextRsaKey(bits: number): KeyObject {
  const folder = process.env[KEYS_VARIABLE]
  if (folder === undefined) return makeKey(bits)
  const index = taken.get(bits) ?? 0
  taken.set(bits, index + 1)
  const file = join(folder, `${bits}-${index}.pem`)
  if (existsSync(file)) return createPrivateKey(readFileSync(file))
  const key = makeKey(bits)
  const own = `${file}.${process.pid}`
  writeFileSync(own, key.export({ type: 'pkcs8', format: 'pem' }))
  renameSync(own, file)
  return key
}

function makeKey(bits: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey
}
