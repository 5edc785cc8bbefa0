/** Calls from the coordinator to the host they are about (docs/protocol/pool.md, a member is down). */
import { setTimeout as pause } from 'node:timers/promises'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { type Coordinator, HostUnreachable, type LabHost } from '../host/host.js'

/** Pools wait ten seconds each time; the lab's network is this machine. */
const RETRIES = 10
const RETRY_PAUSE_MS = 50

/** Every host's reference, the coordinator's own left out, in the database's order. */
export function memberRefs({ database, hostRef }: Coordinator): string[] {
  return database.refs('host').filter((ref) => ref !== hostRef)
}

/** @throws ApiFailure HANDLE_INVALID when there is no such host. */
export function isLive({ database }: Coordinator, hostRef: string): boolean {
  const metrics = database.find('host_metrics', String(database.get('host', hostRef).metrics))
  return metrics?.live === true
}

/**
 * Calls a member under the coordinator's own session.
 *
 * @throws ApiFailure HOST_OFFLINE at once when the member's heartbeat is gone.
 * @throws ApiFailure CANNOT_CONTACT_HOST when it is there and does not answer, after retries.
 */
export async function callMember(
  host: LabHost,
  coordinator: Coordinator,
  hostRef: string,
  method: string,
  ...args: ApiValue[]
): Promise<ApiValue> {
  const { database, sessions } = coordinator
  if (!isLive(coordinator, hostRef)) throw new ApiFailure('HOST_OFFLINE', [hostRef])
  const address = String(database.get('host', hostRef).address)
  const session = sessions.own(coordinator.hostRef)
  for (let attempt = 0; ; attempt++) {
    try {
      return await host.callPool(address, method, [session.ref, ...args])
    } catch (error) {
      if (!(error instanceof HostUnreachable)) throw error
      host.log(`${method} to ${address}: ${error.message}`)
      if (attempt === RETRIES) throw new ApiFailure('CANNOT_CONTACT_HOST', [hostRef])
      await pause(RETRY_PAUSE_MS)
    }
  }
}
