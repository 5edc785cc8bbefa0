/** Private keys of the stand-in, made when they are first asked for and kept under their names. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureFolder, replaceFile } from '../../base/durable-file.js'
import { createRsaKey, exportPrivateKey } from '../../x509/index.js'

export type KeyName = 'root' | 'issuing' | 'below-issuing' | 'leaf' | 'other-root' | 'weak' | 'weak-issuing' | 'ec'

const WEAK_BITS = 1024
const BITS = 2048

export async function keyOf(folder: string, name: KeyName): Promise<KeyObject> {
  const path = join(folder, `${name}.key`)
  try {
    return createPrivateKey(await readFile(path))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
  const key = await makeKey(name)
  await ensureFolder(folder, 0o700)
  await replaceFile(path, exportPrivateKey(key), 0o600)
  return key
}

async function makeKey(name: KeyName): Promise<KeyObject> {
  if (name === 'ec') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return createRsaKey(name.startsWith('weak') ? WEAK_BITS : BITS)
}
