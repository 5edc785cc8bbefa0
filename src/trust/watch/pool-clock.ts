/** How far a pool's clock is from ours: one login, three calls, nothing else of the pool. */
import { WlbError } from '../../base/error.js'
import { ApiFailure, withPool } from '../../xapi/index.js'
import type { FleetMember } from '../connection/fleet.js'
import { readClock } from '../connection/observe.js'

/** Of the coordinator, less ours; undefined where the pool does not tell, for whatever reason of its own. */
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
