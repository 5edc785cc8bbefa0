/** The appliance as a process of its own, as `wlb serve` runs it. */
import { serve } from '../../src/appliance/index.js'

const { port, closed } = await serve({ root: process.argv[2] ?? '', signals: process })
process.stdout.write(`ready ${port}\n`)
await closed
