/**
 * `npm run quality` measures how good advice is and prints a table for each row; `npm run quality -- NAME...` measures only the rows
 * that are named. What the figures mean and what they should be: docs/quality.md.
 */
import { renderTable } from '../../src/cli/terminal/print.js'
import { exact } from './exact/exact.js'
import type { Table } from './table.js'

const rows: Readonly<Record<string, () => Promise<Table>>> = { exact }

const names = Object.keys(rows)
const chosen = process.argv.length > 2 ? process.argv.slice(2) : names
const unknown = chosen.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`quality: there is no ${unknown.join(', ')}; choose from ${names.join(', ')}\n`)
  process.exit(2)
}
for (const [name, measure] of Object.entries(rows)) {
  if (!chosen.includes(name)) continue
  const { title, head, lines } = await measure()
  process.stdout.write(`${title}\n${renderTable(head, lines)}\n\n`)
}
