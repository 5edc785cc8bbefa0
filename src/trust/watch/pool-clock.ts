/** Reads how far a pool's clock is from ours, with one login and three calls. */
import { WlbError } from '../../base/error.js'
import { ApiFailure, withPool } from '../../xapi/index.js'
import type { FleetMember } from '../connection/fleet.js'
import { readClock } from '../connection/observe.js'

/** The coordinator's clock less ours; undefined where it cannot be read. */
export async function readPoolClock({ access }: FleetMember): Promise<number | undefined> {
  try {
    return await withPool(await access(), async (session) => {
      const [pool] = Object.values(await session.call('pool.get_all'))
      return readClock(session, String(await session.call('pool.get_master', String(pool))))
    })
  } catch (error) {
    if (error instanceof WlbError || error instanceof ApiFailure) return undefined
    throw error
  }
}
