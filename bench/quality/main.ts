/**
 * `npm run quality` measures how good advice is and prints its tables; `npm run quality -- NAME...` prints those that are named. What
 * the figures mean and what they should be: docs/quality.md.
 */
import { renderTable } from '../../src/cli/terminal/print.js'
import { loads, offices, planetLabDay } from './days.js'
import { density } from './density.js'
import { exact } from './exact/exact.js'
import { laws } from './laws.js'
import { roadef } from './roadef/roadef.js'
import { speed } from './speed.js'
import type { Table } from './table.js'

const judges: Readonly<Record<string, () => readonly Table[] | Promise<readonly Table[]>>> = {
  planetlab: () => planetLabDay('20110303'),
  offices,
  loads,
  exact: async () => [await exact()],
  roadef: () => [roadef()],
  density,
  speed,
  laws,
  'held-out': () => planetLabDay('20110306'),
}

const names = Object.keys(judges)
const chosen = process.argv.length > 2 ? process.argv.slice(2) : names
const unknown = chosen.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`quality: there is no ${unknown.join(', ')}; choose from ${names.join(', ')}\n`)
  process.exit(2)
}
for (const [name, measure] of Object.entries(judges)) {
  if (!chosen.includes(name)) continue
  for (const { title, head, lines } of await measure())
    process.stdout.write(`${title}\n${renderTable(head, lines)}\n\n`)
}
