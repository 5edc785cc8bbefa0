/** The pools that registered, as somebody who logs in to them needs them: where, as whom, and by which certificate. */

import { unseal } from '../config/secret.js'
import type { CertificatePin, Pool, PoolStore } from '../store/index.js'

export interface RegisteredPool {
  readonly uuid: string
  /** The host that let us in when the pool registered, and the certificate it showed then. */
  readonly coordinator: CertificatePin
  readonly userName: string
  /** @throws SECRET_UNREADABLE */
  readonly openPassword: () => string
}

/** In order of registration. */
export async function listRegistered(pools: PoolStore, secretKey: Buffer): Promise<readonly RegisteredPool[]> {
  return (await pools.list()).flatMap((pool) => describeRegistered(pool, secretKey))
}

/** A pool is saved together with what its coordinator showed: one without has never been. */
function describeRegistered(pool: Pool, secretKey: Buffer): RegisteredPool[] {
  const { uuid, userName, sealedPassword, coordinatorAddress, pins } = pool
  const coordinator = pins.findLast(({ address }) => address === coordinatorAddress)
  return coordinator
    ? [{ uuid, coordinator, userName, openPassword: () => unseal(sealedPassword, uuid, secretKey) }]
    : []
}
