/** A connection made as a pool makes it: same limits, same rules, same words when it fails (docs/protocol/pool.md). */
import { dialWithNode } from './node-client.js'
import type { PoolConnection, PoolDial } from './pool-connection.js'
import { dialWithStunnel } from './stunnel-client.js'

/**
 * Connects and shakes hands. The stream belongs to the caller, who ends or destroys it; aborting `signal` destroys it.
 *
 * @throws STUNNEL_NOT_FOUND when `client` is `stunnel` and there is none.
 */
export function dialAsPool(dial: PoolDial): Promise<PoolConnection> {
  return dial.client === 'stunnel' ? dialWithStunnel(dial) : dialWithNode(dial)
}
