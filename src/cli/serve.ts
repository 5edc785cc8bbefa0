/** `wlb serve`: one line on stdout once it accepts connections, the log on stderr, until a signal ends it. */
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { type AnchorBringer, type Beside, type Log, openLog, paths, readSettings, serve } from '../appliance/index.js'
import { reachable } from '../tls/index.js'
import type { FleetMember } from '../trust/fleet.js'
import { parseWlbAddress } from '../trust/wlb-address.js'

type WatchSettings = NonNullable<Awaited<ReturnType<typeof readSettings>>['watch']>

export async function serveCommand(root: string): Promise<void> {
  const log = openLog()
  const appliance = await serve({
    root,
    log,
    signals: process,
    companion: (beside) => {
      const watching = startWatching(root, log, beside).catch((error: unknown) => {
        log.error({ err: error }, 'nothing is watched')
      })
      return { close: async () => (await watching)?.close() }
    },
    bringer: (beside) => openBringer(root, log, beside),
  })
  const host = isIPv6(appliance.address) ? `[${appliance.address}]` : appliance.address
  process.stdout.write(`ready https://${host}:${appliance.port}\n`)
  await appliance.closed
  process.exit() // a pool that is being looked at may take its time to answer, and nobody waits for it any more
}

async function startWatching(root: string, log: Log, beside: Beside) {
  const place = paths(root)
  const { watch } = await readSettings(place.settings)
  const { watchBesideAppliance } = await import('../trust/watch/index.js')
  return watchBesideAppliance({
    root,
    log,
    now: () => new Date(),
    members: async () => (await beside.pools()).map((pool) => memberOf(pool, beside, root)),
    folder: join(place.stateFolder, 'watch'),
    ...(watch && { pools: { everyMs: watch.everySeconds * 1000, channels: await channelsOf(watch) } }),
  })
}

/** What `wlb trust renew` does, in all pools that have registered. */
function openBringer(root: string, log: Log, beside: Beside): AnchorBringer {
  const registered = async () => (await beside.pools()).map((pool) => memberOf(pool, beside, root))
  return {
    isUnfinished: async () => {
      const { configFolder, isBringUnfinished } = await import('../trust/index.js')
      const uuids = (await beside.pools()).map(({ uuid }) => uuid)
      return isBringUnfinished(uuids, { root, home: configFolder() })
    },
    bring: async (signal) => {
      const { bringAnchor, configFolder } = await import('../trust/index.js')
      const request = { root, home: configFolder(), members: await registered(), now: new Date() }
      return bringAnchor(request, {
        signal,
        onStep: (poolUuid, { id, title, state, error }) =>
          log.info({ poolUuid, step: id, state, ...(error && { code: error.code }) }, title),
      })
    },
  }
}

const CALL_TIMEOUT_MS = 20_000
/** A large pool writes its stores one member after the other. */
const STORE_TIMEOUT_MS = 300_000

/** By its uuid, as in every line of the log; the appliance it is to trust is this one, wherever the pool looks for it. */
function memberOf(
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

async function channelsOf({ webhook, mailTo, mailFrom, smtp }: WatchSettings) {
  const { openChannels } = await import('./watch-channels.js')
  const server = smtp === undefined ? undefined : parseWlbAddress(smtp)
  return openChannels({
    ...(webhook !== undefined && { webhook }),
    ...(mailTo !== undefined && { mailTo }),
    ...(mailFrom !== undefined && { mailFrom }),
    ...(server && { smtp: server }),
  })
}
