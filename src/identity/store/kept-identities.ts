/** The identities of an appliance: the one in place, the one it replaced, and every one before. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { type AppliancePaths, paths } from '../../config/paths.js'
import { readSettings } from '../../config/settings.js'
import type { ServedIdentity } from '../../tls/index.js'
import { recordInPlace, settleIfLeft } from './identity-change.js'
import { CERTIFICATE_FILE, checkStoredIdentity, KEY_FILE, readKept, readOriginal, readPair } from './identity-files.js'
import { describePair, type IdentityRecord, identityId, listRecords } from './identity-history.js'

export interface KeptIdentity extends IdentityRecord {
  readonly isInPlace: boolean
  /** Held by `server.pem_orig` and `server.key_orig`. */
  readonly isOriginal: boolean
}

/**
 * The newest first. What was put in place by hand is among them before it is ever replaced.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID
 */
export async function listIdentities(root: string): Promise<KeptIdentity[]> {
  const place = paths(root)
  await readSettings(place.settings)
  await settleIfLeft(place)
  const records = await listRecords(place.identities)
  const inPlace = await findInPlace(place)
  const original = await readOriginal(place).catch(() => undefined) // half of one, left by hand, is no identity
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
  /** There is nothing to be done. */
  readonly isInPlace: boolean
}

/**
 * Finds an identity and proves that it still works. `id` may be the beginning of one, if it is the only one so.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, IDENTITY_UNKNOWN, IDENTITY_NO_PREVIOUS, IDENTITY_INCOMPLETE, and the codes of `checkIdentity`.
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
  if (!identity) throw noPrevious(originalCertificate)
  checkStoredIdentity({ certificate: originalCertificate, key: originalKey }, identity)
  const known = (await listRecords(place.identities)).find((record) => record.id === identityId(identity))
  const from = { certificate: originalCertificate, key: originalKey }
  if (known) return { record: known, identity, from }
  // kept by hand, as with the two `mv` of old: they keep the time the file was written
  const installedAt = (await stat(originalCertificate)).mtime.toISOString()
  const record = describePair(identity, { sequence: 0, how: 'found', installedAt })
  return { record, identity, from }
}

async function findKept(place: AppliancePaths, id: string): Promise<Omit<RollbackTarget, 'isInPlace'>> {
  const records = await listRecords(place.identities)
  const matching = records.filter((record) => record.id.startsWith(id))
  const [record] = matching
  if (!record || matching.length > 1 || id === '') throw unknown(id, matching.length)
  const folder = join(place.identities, record.id)
  const identity = await readKept(folder)
  const from = { certificate: join(folder, CERTIFICATE_FILE), key: join(folder, KEY_FILE) }
  checkStoredIdentity(from, identity)
  return { record, identity, from }
}

function unknown(id: string, matches: number): WlbError {
  return new WlbError(
    'IDENTITY_UNKNOWN',
    'The history has no identity of that name, or more than one.',
    { id, matches },
    'wlb cert history',
  )
}

function noPrevious(missing: string): WlbError {
  return new WlbError(
    'IDENTITY_NO_PREVIOUS',
    'The certificate in place has replaced none that works, so there is none to go back to.',
    { missing },
    'wlb cert history',
  )
}
