/**
 * `npm run bench` prints one table; every figure is a ratio against a peer measured in the same run. `npm run bench -- NAME...`
 * measures only the groups that are named.
 */
import { renderTable } from '../src/cli/terminal/print.js'
import { type BenchAppliance, openBenchAppliance } from './appliance.js'
import { fleet } from './fleet.js'
import { handshakes } from './handshakes.js'
import { install } from './install.js'
import { metrics } from './metrics.js'
import { migrations } from './migrations.js'
import type { Row } from './row.js'
import { soap } from './soap.js'
import { start } from './start.js'
import { sync } from './sync.js'
import { trust } from './trust.js'
import { verdict } from './verdict.js'

/** Groups that measure a running appliance, which they share; `install` is last, because it changes the certificate. */
const withAppliance: Readonly<Record<string, (appliance: BenchAppliance) => Promise<readonly Row[]>>> = {
  handshakes,
  soap,
  trust,
  fleet,
  install,
}
const alone: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  verdict,
  sync,
  migrations,
  metrics,
  start: async () => start(),
}

const names = [...Object.keys(withAppliance), ...Object.keys(alone)]
const chosen = process.argv.length > 2 ? process.argv.slice(2) : names
const unknown = chosen.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`bench: there is no ${unknown.join(', ')}; choose from ${names.join(', ')}\n`)
  process.exit(2)
}

const rows: Row[] = []
const measured = Object.entries(withAppliance).filter(([name]) => chosen.includes(name))
if (measured.length > 0) {
  const appliance = await openBenchAppliance()
  try {
    for (const [, measure] of measured) rows.push(...(await measure(appliance)))
  } finally {
    await appliance.close()
  }
}
for (const [name, measure] of Object.entries(alone)) if (chosen.includes(name)) rows.push(...(await measure()))

process.stdout.write(
  `${renderTable(
    ['what', 'ours', 'peer', 'ratio', 'what limits it'],
    rows.map(({ what, ours, peer, ratio, limit }) => [what, ours, peer, ratio, limit]),
  )}\n`,
)
