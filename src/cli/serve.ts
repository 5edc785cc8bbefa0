/** `wlb serve`: one line on stdout once it accepts connections, the log on stderr, until a signal ends it. */
import { isIPv6 } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { openLineSink } from '../base/text/line-sink.js'
import { applianceParts, serve } from '../server/index.js'

/**
 * How far the heap may grow over what is alive before it is collected. By its own rule V8 lets it double or more, and
 * requests are no faster for it. test/server/memory.test.ts holds the memory of the whole appliance to a tenth.
 */
const HEAP_GROWTH_PERCENT = 20

export async function serveCommand(root: string): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`)
  const appliance = await serve({ root }, applianceParts)
  const host = isIPv6(appliance.address) ? `[${appliance.address}]` : appliance.address
  openLineSink(1, { describeLoss: () => '' }).write(`ready https://${host}:${appliance.port}\n`)
  await appliance.closed
  process.exit() // a call to a pool may still be waiting for its answer, which is no longer needed
}
