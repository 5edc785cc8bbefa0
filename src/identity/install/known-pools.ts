/** What the running appliance knows of its pools, for those who are about to change its certificate. */
import { WlbError } from '../../base/error.js'
import { readStatus } from '../appliance-status.js'

export interface KnownPools {
  readonly registered: number
  /** What they have connected to since the start, the latest last. */
  readonly addressesUsed: readonly string[]
}

/** Null where it is not running, or does not say. */
export async function askAboutPools(root: string): Promise<KnownPools | null> {
  try {
    const { pools, addressesUsed } = await readStatus(root)
    return pools && addressesUsed && { registered: pools.length, addressesUsed }
  } catch (error) {
    if (error instanceof WlbError) return null
    throw error
  }
}
