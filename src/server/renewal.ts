/** The parts that renew the certificate of an ACME authority: one installs a new trust anchor in the pools, one renews. */

import { type AnchorInstaller, startRenewalKeeper } from '../identity/index.js'
import { configFolder } from '../xapi/index.js'
import type { Given } from './appliance-files.js'
import type { Opened } from './part-list.js'
import type { PoolsPart } from './pools/registered-pools.js'

export interface AnchorPart {
  readonly anchorInstaller: AnchorInstaller
}

/** Does what `wlb trust renew` does, in all pools that have registered. */
export async function anchorInstaller({
  root,
  log,
  clock,
  registered,
}: Given & PoolsPart): Promise<Opened<AnchorPart>> {
  const installer: AnchorInstaller = {
    isUnfinished: async () => {
      const { isAnchorUnfinished } = await import('../trust/index.js')
      const uuids = (await registered()).map(({ name }) => name)
      return isAnchorUnfinished(uuids, { root, home: configFolder() })
    },
    install: async (signal) => {
      const { installAnchor } = await import('../trust/index.js')
      const request = { root, home: configFolder(), members: await registered(), now: clock.now() }
      return installAnchor(request, {
        signal,
        onStep: (poolUuid, { id, title, state, error }) =>
          log.info({ poolUuid, step: id, state, code: error?.code }, title),
      })
    },
  }
  return { provides: { anchorInstaller: installer } }
}

export async function renewal({ root, log, clock, anchorInstaller }: Given & AnchorPart): Promise<Opened<object>> {
  const keeper = startRenewalKeeper({ root, log, ...clock, anchorInstaller })
  return { provides: {}, close: () => keeper.close() }
}
