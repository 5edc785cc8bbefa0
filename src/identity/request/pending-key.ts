/**
 * The key of a request, waiting for the certificate beside the key in service. An authority may take weeks: it is used
 * again by every later request, and one that is replaced is kept, since a certificate for it may still arrive.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { replaceFile, syncFolder } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'
import { touching } from '../../base/file-failure.js'
import { readLimitedFile } from '../../base/limited-file.js'
import { giveFileToOwner } from '../../config/owner.js'
import type { AppliancePaths } from '../../config/paths.js'
import { createRsaKey, exportPrivateKey, readPrivateKey } from '../../x509/index.js'

const KEY_BITS = [2048, 3072, 4096] as const

export interface KeyWish {
  /** An existing key's file, encrypted or not. */
  readonly given?: { readonly file: string; readonly passphrase: string | undefined } | undefined
  /** What a new key shall have; without it 2048, or what the waiting one has. */
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
  if (wish.bits !== undefined && wish.bits !== waiting.bits)
    throw pendingKeyDiffers(pendingKey, waiting.bits, wish.bits)
  return waiting
}

export interface Placed {
  /** Where the key that was waiting before is kept. */
  readonly previous: string | undefined
  /** Puts everything back. */
  undo(): Promise<void>
}

/** Puts the key in its place, for its owner alone from the first byte on; another one that waited there is kept. */
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

/** What is no key is moved aside like any other. */
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

/** The name itself, or with the first number from 2 on that is not taken. */
export async function freeName(folder: string, name: string): Promise<string> {
  const taken = new Set(await readdir(folder))
  if (!taken.has(name)) return join(folder, name)
  let number = 2
  while (taken.has(`${name}${number}`)) number++
  return join(folder, `${name}${number}`)
}

function checked(key: KeyObject, file: string, origin: ChosenKey['origin']): ChosenKey {
  const { asymmetricKeyType: type = 'unknown', asymmetricKeyDetails } = key
  if (type !== 'rsa') throw keyNotRsa(file, type)
  const bits = asymmetricKeyDetails?.modulusLength ?? 0
  if (bits < KEY_BITS[0]) throw keyTooShort(file, bits)
  return { key, bits, origin }
}

function keyNotRsa(file: string, type: string): WlbError {
  return new WlbError(
    'KEY_NOT_RSA',
    'Pools offer TLS suites for RSA keys only: with a key of another kind no handshake succeeds.',
    { file, type },
    'wlb cert request --new-key',
  )
}

function keyTooShort(file: string, bits: number): WlbError {
  return new WlbError(
    'KEY_TOO_SHORT',
    'Pools refuse RSA keys of less than 2048 bits.',
    { file, bits },
    'wlb cert request --new-key',
  )
}

function pendingKeyDiffers(file: string, bits: number, wanted: number): WlbError {
  return new WlbError(
    'PENDING_KEY_DIFFERS',
    'A key of another size is waiting for its certificate; a new one has to be asked for (it is kept beside the new one).',
    { file, bits, wanted },
    `wlb cert request --new-key --key-bits ${wanted}`,
  )
}
