/** The pools that have registered, as the watch inside `wlb serve` and the bringer of a new anchor reach them. */

import type { Log } from '../config/index.js'
import type { AnchorInstaller } from '../identity/index.js'
import { reachable } from '../tls/index.js'
import type { FleetMember } from '../trust/connection/fleet.js'
import { configFolder } from '../xapi/index.js'
import type { Beside } from './serve.js'

const CALL_TIMEOUT_MS = 20_000
/** A large pool writes its stores one member after the other. */
const STORE_TIMEOUT_MS = 300_000

/** By its uuid, as in every line of the log; the appliance it is to trust is this one, wherever the pool looks for it. */
export function memberOf(
  pool: Awaited<ReturnType<Beside['pools']>>[number],
  { address, port }: Beside,
  root: string,
): FleetMember {
  const { uuid, coordinator, userName, openPassword } = pool
  return {
    name: uuid,
    access: async () => ({
      address: coordinator.address,
      port: coordinator.tlsPort,
      userName,
      password: openPassword(),
      trust: { kind: 'pin', fingerprintSha256: coordinator.fingerprintSha256 },
      timeoutMs: CALL_TIMEOUT_MS,
      storeTimeoutMs: STORE_TIMEOUT_MS,
    }),
    appliance: { host: reachable(address), port },
    applianceRoot: root,
  }
}

/** What `wlb trust renew` does, in all pools that have registered. */
export function openBringer(root: string, log: Log, beside: Beside): AnchorInstaller {
  const registered = async () => (await beside.pools()).map((pool) => memberOf(pool, beside, root))
  return {
    isUnfinished: async () => {
      const { isAnchorUnfinished } = await import('../trust/index.js')
      const uuids = (await beside.pools()).map(({ uuid }) => uuid)
      return isAnchorUnfinished(uuids, { root, home: configFolder() })
    },
    install: async (signal) => {
      const { installAnchor } = await import('../trust/index.js')
      const request = { root, home: configFolder(), members: await registered(), now: new Date() }
      return installAnchor(request, {
        signal,
        onStep: (poolUuid, { id, title, state, error }) =>
          log.info({ poolUuid, step: id, state, ...(error && { code: error.code }) }, title),
      })
    },
  }
}
