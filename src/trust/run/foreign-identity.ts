/** What undo leaves: a certificate of the appliance that came after the run, and not by it. */
import { WlbError } from '../../base/error.js'
import { type IdentityRecord, listIdentities } from '../../identity/index.js'
import type { JournalRecord } from './journal-records.js'

/**
 * The certificate that an appliance in `root` has in place, where something else than the run put it there since: ACME, an
 * installation, a rollback. Undefined where there is none, or no appliance.
 */
export async function findForeignIdentity(
  root: string,
  last: JournalRecord | undefined,
): Promise<IdentityRecord | undefined> {
  if (!last) return undefined
  const kept = await listIdentities(root).catch((error: unknown) => {
    if (error instanceof WlbError) return []
    throw error
  })
  const inPlace = kept.find(({ isInPlace }) => isInPlace)
  const orders = last.request?.renewal?.orders ?? []
  const isOwn = orders.some((order) => order.kind === 'identity' && order.staged === inPlace?.id)
  return inPlace && !isOwn && new Date(inPlace.installedAt) > new Date(last.startedAt) ? inPlace : undefined
}
