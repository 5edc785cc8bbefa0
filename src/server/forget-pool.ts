/** Forgetting a pool from the appliance's side, for when the pool can no longer say goodbye itself (docs/setup.md). */
import { z } from 'zod'
import { WlbError } from '../base/error.js'
import { askAppliance } from '../config/control.js'
import { paths } from '../config/paths.js'

const ANSWER = z.object({ forgotten: z.boolean() })
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Removes a pool's registration, stored credentials, configuration and pinned certificates. Tells whether there was one.
 *
 * @throws POOL_UUID_INVALID when `uuid` is none.
 * @throws NOT_RUNNING when no appliance runs here: only the running process may touch its database.
 * @throws APPLIANCE_SILENT when it does not answer.
 */
export async function forgetPool(root: string, uuid: string): Promise<boolean> {
  if (!UUID.test(uuid)) throw invalidUuid(uuid)
  const answer = await askAppliance(paths(root).controlSocket, 'DELETE', `/pools/${uuid}`)
  if (answer === undefined) throw notRunning(root)
  return ANSWER.parse(answer).forgotten
}

function invalidUuid(given: string): WlbError {
  return new WlbError('POOL_UUID_INVALID', 'That is not the UUID of a pool.', { given }, 'wlb status')
}

function notRunning(root: string): WlbError {
  return new WlbError('NOT_RUNNING', 'No appliance is running here.', { root }, 'wlb serve')
}
