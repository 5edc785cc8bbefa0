/** `wlb serve`: one line on stdout once it accepts connections, the log on stderr, until a signal ends it. */
import { isIPv6 } from 'node:net'
import { openLog, paths, readSettings, serve } from '../appliance/index.js'
import { parseWlbAddress } from '../trust/wlb-address.js'

export async function serveCommand(root: string): Promise<void> {
  const log = openLog()
  const appliance = await serve({ root, log, signals: process })
  const host = isIPv6(appliance.address) ? `[${appliance.address}]` : appliance.address
  process.stdout.write(`ready https://${host}:${appliance.port}\n`)
  const { watch } = await readSettings(paths(root).settings)
  const { watchBesideAppliance } = await import('../trust/watch/index.js')
  const watching = watchBesideAppliance({
    root,
    log,
    now: () => new Date(),
    ...(watch && { pools: await poolsOf(watch) }),
  })
  await appliance.closed
  await watching.close()
}

async function poolsOf(watch: NonNullable<Awaited<ReturnType<typeof readSettings>>['watch']>) {
  const { channelsOf, knownMembers, watchFolder } = await import('./watch.js')
  const { everySeconds, webhook, mailTo, mailFrom } = watch
  const smtp = watch.smtp === undefined ? undefined : parseWlbAddress(watch.smtp)
  const channels = channelsOf({
    ...(webhook !== undefined && { webhook }),
    ...(mailTo !== undefined && { mailTo }),
    ...(mailFrom !== undefined && { mailFrom }),
    ...(smtp && { smtp }),
  })
  return { everyMs: everySeconds * 1000, members: knownMembers, channels, folder: watchFolder() }
}
