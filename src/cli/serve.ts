/** `wlb serve`: one line on stdout once it accepts connections, the log on stderr, until a signal ends it. */
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { type Log, openLog, paths, readSettings } from '../config/index.js'
import { type Beside, serve } from '../server/index.js'
import { memberOf, openBringer } from '../server/reach-pools.js'
import { parseWlbAddress } from '../xapi/pool/wlb-address.js'

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
  const { watchBesideAppliance } = await import('../trust/index.js')
  return watchBesideAppliance({
    root,
    log,
    now: () => new Date(),
    members: async () => (await beside.pools()).map((pool) => memberOf(pool, beside, root)),
    folder: join(place.stateFolder, 'watch'),
    ...(watch && { pools: { everyMs: watch.everySeconds * 1000, channels: await channelsOf(watch) } }),
  })
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
