/** `npm run bench`: prints one table; every figure is a ratio against a peer measured in the same run. */
import { renderTable } from '../src/cli/print.js'
import { openBenchAppliance } from './appliance.js'
import { fleet } from './fleet.js'
import { handshakes } from './handshakes.js'
import { install } from './install.js'
import type { Row } from './row.js'
import { soap } from './soap.js'
import { start } from './start.js'
import { sync } from './sync.js'
import { trust } from './trust.js'
import { verdict } from './verdict.js'

const appliance = await openBenchAppliance()
const rows: Row[] = []
try {
  rows.push(...(await handshakes(appliance)))
  rows.push(...(await soap(appliance)))
  rows.push(...(await install(appliance)))
  rows.push(...(await trust(appliance)), ...(await fleet(appliance)))
} finally {
  await appliance.close()
}
rows.push(...(await verdict()), ...(await sync()), ...start())
process.stdout.write(
  `${renderTable(
    ['what', 'ours', 'peer', 'ratio', 'what limits it'],
    rows.map(({ what, ours, peer, ratio, limit }) => [what, ours, peer, ratio, limit]),
  )}\n`,
)
