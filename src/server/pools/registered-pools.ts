/** The pools that registered: the part that reaches them, and the command that forgets one (docs/setup.md). */
import { z } from 'zod'
import { readHostAddress } from '../../base/names/host-address.js'
import { askAppliance, paths, unseal } from '../../config/index.js'
import { ANSWER_LIMIT_MS } from '../../store/index.js'
import { reachable } from '../../tls/index.js'
import type { FleetMember } from '../../trust/index.js'
import type { WlbAddress } from '../../xapi/index.js'
import type { Given } from '../appliance-files.js'
import type { DatabasePart } from '../database.js'
import { fail } from '../errors.js'
import type { Opened } from '../part-list.js'
import type { ListenerPart } from '../soap-listener.js'

const CALL_TIMEOUT_MS = 20_000
/** A large pool writes its stores one member after the other. */
const STORE_TIMEOUT_MS = 300_000

export interface PoolsPart {
  /** In order of registration. Each is named by its uuid, as in every line of the log. */
  registered(): Promise<readonly FleetMember[]>
}

export async function registeredPools(context: Given & DatabasePart & ListenerPart): Promise<Opened<PoolsPart>> {
  const { root, listener } = context
  const { address, port } = listener.where()
  const appliance = { host: reachable(address), port }
  return {
    provides: {
      registered: async () =>
        (await listRegistered(context, appliance)).map((member) => ({ ...member, applianceRoot: root })),
    },
  }
}

/**
 * Logs in with the stored password, at the coordinator that accepted the registration, which must show the certificate
 * that is pinned for it. The appliance a pool has to trust is this one, by whatever name the pool reaches it.
 */
export async function listRegistered(
  { store, secretKey }: Pick<DatabasePart, 'store' | 'secretKey'>,
  appliance: WlbAddress,
): Promise<readonly FleetMember[]> {
  return (await store.pools.list()).flatMap(
    ({ uuid, userName, sealedPassword, coordinatorAddress, pins }): FleetMember[] => {
      const coordinator = pins.findLast((pin) => pin.address === coordinatorAddress)
      if (!coordinator) return [] // impossible: a pool is saved together with its coordinator's pin
      const access = async () => ({
        address: readHostAddress(coordinator.address, `pool ${uuid}`),
        port: coordinator.tlsPort,
        userName,
        password: unseal(sealedPassword, uuid, secretKey),
        trust: { kind: 'pin', fingerprintSha256: coordinator.fingerprintSha256 } as const,
        timeoutMs: CALL_TIMEOUT_MS,
        storeTimeoutMs: STORE_TIMEOUT_MS,
      })
      return [{ name: uuid, access, appliance }]
    },
  )
}

/** The store may wait for a database that is busy; hearing nothing before would leave it open whether the pool is forgotten. */
const FORGET_LIMIT_MS = ANSWER_LIMIT_MS + 3000

const ANSWER = z.object({ forgotten: z.boolean() })
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * Asks the running appliance to remove a pool's registration, stored credentials, configuration and pinned certificates,
 * for when the pool can no longer do it itself. Returns whether there was one.
 *
 * @throws POOL_UUID_INVALID when `uuid` is none.
 * @throws NOT_RUNNING when no appliance runs here: only the running process may touch its database.
 * @throws APPLIANCE_SILENT when it does not answer.
 */
export async function forgetPool(root: string, uuid: string): Promise<boolean> {
  if (!UUID.test(uuid)) throw fail('POOL_UUID_INVALID', { given: uuid })
  const answer = await askAppliance(paths(root).controlSocket, 'DELETE', `/pools/${uuid}`, FORGET_LIMIT_MS)
  if (answer === undefined) throw fail('NOT_RUNNING', { root })
  return ANSWER.parse(answer).forgotten
}
