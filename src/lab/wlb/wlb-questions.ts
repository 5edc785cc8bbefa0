/** What a pool asks its appliance about VMs and hosts, and how it checks the answers (docs/protocol/wlb.md). */
import { ApiFailure } from '../../xapi/index.js'
import type { Database } from '../database/database.js'
import { type Coordinator, isLive, type LabHost } from '../host/host.js'
import { readWlbSettings } from './wlb-settings.js'

interface Asker {
  readonly host: LabHost
  readonly coordinator: Coordinator
}

export interface Rating {
  readonly host: string
  readonly stars: number
  /** As it was received. */
  readonly recommendationId: string
  /** Why not, where there are no stars. */
  readonly reason: string
}

/** Asks where a VM might start: a rating for each live host. @throws ApiFailure when the answer is not that. */
export async function askForPlacement({ host, coordinator }: Asker, vmRef: string): Promise<readonly Rating[]> {
  const { database } = coordinator
  const vmUuid = String(database.get('VM', vmRef).uuid)
  const settings = readWlbSettings(coordinator, true)
  const method = 'VMGetRecommendations'
  const call = { method, request: { poolUuid: settings.poolUuid, vmUuid } } as const
  const { recommendations } = await host.wlb.call(call, settings)
  const live = database.refs('host').filter((ref) => isLive(coordinator, ref)).length
  if (recommendations.length !== live) {
    // The misspelling is xapi's own; clients may match it.
    const text = 'List of returned reccomendations is not equal to the number of hosts in pool'
    throw new ApiFailure('WLB_MALFORMED_RESPONSE', [method, text, 'unknown'])
  }
  const ratings = recommendations.map(({ hostUuid, stars, recommendationId, zeroScoreReason }) => ({
    host: refOfUuid(database, 'host', hostUuid, method),
    stars,
    recommendationId,
    reason: zeroScoreReason,
  }))
  if (new Set(ratings.map((rating) => rating.host)).size !== live) {
    const text = 'VM recommendations must only target live hosts and target all of them'
    throw new ApiFailure('WLB_MALFORMED_RESPONSE', [method, text, 'Unknown'])
  }
  return ratings
}

/** Asks where the VMs of a host go; the appliance may leave some out. @throws ApiFailure when the answer is not that. */
export async function askForEvacuation(
  { host, coordinator }: Asker,
  hostRef: string,
): Promise<ReadonlyMap<string, string>> {
  const { database } = coordinator
  const settings = readWlbSettings(coordinator, true)
  const method = 'HostGetRecommendations'
  const request = { hostUuid: String(database.get('host', hostRef).uuid), poolUuid: settings.poolUuid }
  const { recommendations } = await host.wlb.call({ method, request }, settings)
  const plan = new Map<string, string>()
  for (const { vmUuid, hostUuid } of recommendations) {
    const vm = refOfUuid(database, 'VM', vmUuid, method)
    const target = refOfUuid(database, 'host', hostUuid, method)
    if (database.get('VM', vm).resident_on === target) {
      const name = database.get('VM', vm).name_label
      const text = `WLB recommends migrating VM ${name} to the same server it is being evacuated from.`
      throw new ApiFailure('WLB_MALFORMED_RESPONSE', [text])
    }
    plan.set(vm, target)
  }
  return plan
}

/** @throws ApiFailure WLB_MALFORMED_RESPONSE when the appliance names an object that the pool does not have. */
export function refOfUuid(database: Database, className: string, uuid: string, method: string): string {
  const found = database.rows(className).find(([, record]) => record.uuid === uuid)
  if (!found) throw new ApiFailure('WLB_MALFORMED_RESPONSE', [method, 'Invalid VM or host UUID', 'unknown'])
  return found[0]
}
