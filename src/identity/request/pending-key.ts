/**
 * The key of a certificate request, kept beside the key in service until the certificate arrives. That may take weeks: later
 * requests use the same key, and a key that is replaced is kept, since a certificate for it may still arrive.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { replaceFile, syncFolder } from '../../base/files/durable-file.js'
import { touching } from '../../base/files/file-failure.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import { type AppliancePaths, giveFileToOwner } from '../../config/index.js'
import { createRsaKey, exportPrivateKey, readPrivateKey } from '../../x509/index.js'
import { fail } from '../errors.js'

const KEY_BITS = [2048, 3072, 4096] as const

export interface KeyWish {
  /** An existing key's file, encrypted or not. */
  readonly given?: { readonly file: string; readonly passphrase: string | undefined } | undefined
  /** Of a new key; by default 2048, or what the waiting one has. */
  readonly bits?: number | undefined
  readonly isNew: boolean
}

export interface ChosenKey {
  readonly key: KeyObject
  readonly bits: number
  readonly origin: 'created' | 'waiting' | 'given'
}

/**
 * Finds or makes the key of a request; nothing is written.
 *
 * @throws KEY_NOT_RSA, KEY_TOO_SHORT when pools could not use it; PENDING_KEY_DIFFERS when another one is waiting.
 * @throws FILE_MISSING, KEY_MISSING, KEY_PASSPHRASE_NEEDED, KEY_PASSPHRASE_WRONG, ... when a key cannot be read.
 */
export async function chooseKey({ pendingKey }: AppliancePaths, wish: KeyWish): Promise<ChosenKey> {
  if (wish.given) {
    const { file, passphrase } = wish.given
    return checked(readPrivateKey(await readLimitedFile(file), passphrase, file), file, 'given')
  }
  if (wish.isNew || !existsSync(pendingKey)) {
    return checked(await createRsaKey(wish.bits ?? KEY_BITS[0]), pendingKey, 'created')
  }
  const waiting = checked(
    readPrivateKey(await readLimitedFile(pendingKey), undefined, pendingKey),
    pendingKey,
    'waiting',
  )
  if (wish.bits !== undefined && wish.bits !== waiting.bits) {
    throw fail('PENDING_KEY_DIFFERS', { file: pendingKey, bits: waiting.bits, wanted: wish.bits })
  }
  return waiting
}

export interface Placed {
  /** Where the key that was waiting before is kept. */
  readonly previous: string | undefined
  /** Puts everything back. */
  undo(): Promise<void>
}

/** Writes the key, readable by its owner only from the first byte on; another key that waited there is kept. */
export async function placePendingKey(paths: AppliancePaths, key: KeyObject): Promise<Placed> {
  const { pendingKey, certificateFolder } = paths
  const waiting = existsSync(pendingKey) ? await readWaiting(pendingKey) : undefined
  if (waiting && isSameKey(waiting, key)) return { previous: undefined, undo: async () => {} }
  return touching(pendingKey, async () => {
    const previous = existsSync(pendingKey)
      ? await freeName(certificateFolder, `${basename(pendingKey)}_orig`)
      : undefined
    if (previous) await rename(pendingKey, previous)
    const undo = async () => {
      if (previous) await rename(previous, pendingKey)
      else await rm(pendingKey, { force: true })
      await syncFolder(certificateFolder)
    }
    try {
      await replaceFile(pendingKey, exportPrivateKey(key), 0o600)
      await giveFileToOwner(pendingKey, paths)
    } catch (error) {
      await undo()
      throw error
    }
    return { previous, undo }
  })
}

/** Undefined for a file that holds no key: it is moved aside like another key. */
async function readWaiting(file: string): Promise<KeyObject | undefined> {
  const bytes = await readLimitedFile(file)
  try {
    return readPrivateKey(bytes, undefined, file)
  } catch (error) {
    if (error instanceof WlbError) return undefined
    throw error
  }
}

function isSameKey(one: KeyObject, other: KeyObject): boolean {
  return createPublicKey(one).equals(createPublicKey(other))
}

/** The name itself, or with the first free number from 2 on. */
export async function freeName(folder: string, name: string): Promise<string> {
  const taken = new Set(await readdir(folder))
  if (!taken.has(name)) return join(folder, name)
  let number = 2
  while (taken.has(`${name}${number}`)) number++
  return join(folder, `${name}${number}`)
}

function checked(key: KeyObject, file: string, origin: ChosenKey['origin']): ChosenKey {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails } = key
  if (type !== 'rsa') throw fail('KEY_NOT_RSA', { file, type })
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < KEY_BITS[0]) throw fail('KEY_TOO_SHORT', { file, bits })
  return { key, bits, origin }
}
