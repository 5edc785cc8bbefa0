/** The identities of an appliance: the one in place, the one it replaced, and every one before. */

import { type AppliancePaths, paths } from '../config/paths.js'
import { readSettings } from '../config/settings.js'
import { recordInPlace } from './identity-change.js'
import { type IdentityRecord, identityId, listRecords } from './identity-history.js'
import { settleIfLeft } from './identity-lock.js'
import { readOriginal, readPair } from './identity-store.js'

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
