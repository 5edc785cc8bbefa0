/** The identities of an appliance: the one in place, the one it replaced, and every one before. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type AppliancePaths, paths, readSettings } from '../../config/index.js'
import type { ServedIdentity } from '../../tls/index.js'
import { fail } from '../errors.js'
import { recordInPlace, settleIfLeft } from './identity-change.js'
import { CERTIFICATE_FILE, checkStoredIdentity, KEY_FILE, readKept, readOriginal, readPair } from './identity-files.js'
import { describePair, type IdentityRecord, identityId, listRecords } from './identity-history.js'

export interface KeptIdentity extends IdentityRecord {
  readonly isInPlace: boolean
  /** Held by `server.pem_orig` and `server.key_orig`. */
  readonly isOriginal: boolean
}

/**
 * The newest first, including a pair that was put in place by hand and is not in the history yet.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID
 */
export async function listIdentities(root: string): Promise<KeptIdentity[]> {
  const place = paths(root)
  await readSettings(place.settings)
  await settleIfLeft(place)
  const records = await listRecords(place.identities)
  const inPlace = await findInPlace(place)
  const original = await readOriginal(place).catch(() => undefined) // an incomplete `_orig` pair counts as none
  const originalId = original && identityId(original)
  const others = records.filter(({ id }) => id !== inPlace?.id)
  return [...others, ...(inPlace ? [inPlace] : [])]
    .sort((a, b) => b.sequence - a.sequence)
    .map((record) => ({
      ...record,
      isInPlace: record.id === inPlace?.id,
      isOriginal: record.id === originalId,
    }))
}

async function findInPlace(place: AppliancePaths): Promise<IdentityRecord | undefined> {
  const pair = await readPair(place)
  if (pair.certificatePem === undefined && pair.privateKeyPem === undefined) return undefined
  return recordInPlace(place, pair)
}

export interface RollbackTarget {
  readonly record: IdentityRecord
  readonly identity: ServedIdentity
  /** The files it comes from. */
  readonly from: { readonly certificate: string; readonly key: string }
  /** Nothing has to be done. */
  readonly isInPlace: boolean
}

/**
 * Finds an identity and checks that it can be served. `id` may be a prefix that only one identity has.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, IDENTITY_UNKNOWN, IDENTITY_NO_PREVIOUS, IDENTITY_INCOMPLETE, and the codes of
 * `checkIdentity`.
 */
export async function findRollback(root: string, id?: string): Promise<RollbackTarget> {
  const place = paths(root)
  await readSettings(place.settings)
  await settleIfLeft(place)
  const inPlace = identityId(await readPair(place))
  const found = id === undefined ? await findOriginal(place) : await findKept(place, id)
  return { ...found, isInPlace: found.record.id === inPlace }
}

async function findOriginal(place: AppliancePaths): Promise<Omit<RollbackTarget, 'isInPlace'>> {
  const { originalCertificate, originalKey } = place
  const identity = await readOriginal(place)
  if (!identity) throw fail('IDENTITY_NO_PREVIOUS', { missing: originalCertificate })
  checkStoredIdentity({ certificate: originalCertificate, key: originalKey }, identity)
  const known = (await listRecords(place.identities)).find((record) => record.id === identityId(identity))
  const from = { certificate: originalCertificate, key: originalKey }
  if (known) return { record: known, identity, from }
  // kept by hand with `mv`, which preserves the modification time
  const installedAt = (await stat(originalCertificate)).mtime.toISOString()
  const record = describePair(identity, { sequence: 0, how: 'found', installedAt })
  return { record, identity, from }
}

async function findKept(place: AppliancePaths, id: string): Promise<Omit<RollbackTarget, 'isInPlace'>> {
  const records = await listRecords(place.identities)
  const matching = records.filter((record) => record.id.startsWith(id))
  const [record] = matching
  if (!record || matching.length > 1 || id === '') {
    throw fail('IDENTITY_UNKNOWN', { id, matches: matching.length })
  }
  const folder = join(place.identities, record.id)
  const identity = await readKept(folder)
  const from = { certificate: join(folder, CERTIFICATE_FILE), key: join(folder, KEY_FILE) }
  checkStoredIdentity(from, identity)
  return { record, identity, from }
}
