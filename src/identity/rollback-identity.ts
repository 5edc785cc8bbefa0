/** Which earlier identity to go back to: a named one, or else the one that the pair in place replaced. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { WlbError } from '../base/error.js'
import { type AppliancePaths, paths } from '../config/paths.js'
import { readSettings } from '../config/settings.js'
import type { ServedIdentity } from '../tls/index.js'
import { describePair, type IdentityRecord, identityId, listRecords } from './identity-history.js'
import { settleIfLeft } from './identity-lock.js'
import { CERTIFICATE_FILE, checkStoredIdentity, KEY_FILE, readKept, readOriginal, readPair } from './identity-store.js'

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
