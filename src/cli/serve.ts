/** `wlb serve`: one line on stdout once it accepts connections, the log on stderr, until a signal ends it. */
import { isIPv6 } from 'node:net'
import { openLineSink } from '../base/line-sink.js'
import { applianceParts, serve } from '../server/index.js'

export async function serveCommand(root: string): Promise<void> {
  const appliance = await serve({ root }, applianceParts)
  const host = isIPv6(appliance.address) ? `[${appliance.address}]` : appliance.address
  openLineSink(1, { describeLoss: () => '' }).write(`ready https://${host}:${appliance.port}\n`)
  await appliance.closed
  process.exit() // a call to a pool may still be waiting for its answer, which is no longer needed
}
