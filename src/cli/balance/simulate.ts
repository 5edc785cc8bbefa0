/** `wlb balance simulate`: the day of a document as it was and with advice, as a table, as maps, and as a page. */
import { type Pool, type Simulation, simulateDay } from '../../balance/index.js'
import { visible } from '../../base/text/printable.js'
import { fail } from '../errors.js'
import { type Coloured, printColoured, printJson, printText, renderTable } from '../terminal/print.js'
import type { SimulateFlags } from './commands.js'
import { describeDay, figuresOf } from './day-text.js'
import { heatMap, legend, type MapRow } from './heat-map.js'
import { hostName } from './plan.js'
import { nameOf, readDocument } from './read-document.js'
import { startDayProgress } from './simulate-progress.js'

/** Of a pipe or file. */
const COLUMNS = 80

/** @throws POOL_DOCUMENT_INVALID, POOL_DOCUMENT_WITHOUT_HISTORY, and what writing the page throws. */
export async function balanceSimulate({ poolFile, mode, horizon, html, json }: SimulateFlags): Promise<void> {
  const read = await readDocument(poolFile)
  const pool = {
    ...read,
    mode: mode ?? read.mode,
    settings: { ...read.settings, horizonMinutes: horizon ?? read.settings.horizonMinutes },
  }
  const progress = startDayProgress()
  const simulation = simulateDay(pool, progress.tell)
  progress.stop()
  if (simulation.hosts.every(({ nothing }) => nothing.length === 0)) {
    throw fail('POOL_DOCUMENT_WITHOUT_HISTORY', { file: nameOf(poolFile) })
  }
  if (html !== undefined) {
    const { writeDayPage } = await import('./day-page.js')
    await writeDayPage(html, visible(pool), visible(simulation))
  }
  if (json) printJson(simulation)
  else printDay(visible(pool), visible(simulation))
}

function printDay(pool: Pool, simulation: Simulation): void {
  printText(`${describeDay(simulation)}\n\n${renderTable(['', 'as it was', 'with advice'], figuresOf(simulation))}\n\n`)
  const span = { from: new Date(simulation.from), stepMinutes: simulation.stepMinutes }
  const columns = process.stdout.columns ?? COLUMNS
  const map = (title: string, of: 'nothing' | 'ours'): readonly Coloured[] => [
    [[title, undefined]],
    ...heatMap(
      simulation.hosts.map((day): MapRow => ({ name: hostName(pool, day.host), shares: day[of] })),
      span,
      columns,
    ),
    [],
  ]
  printColoured([...map('How full the hosts were:', 'nothing'), ...map('With advice:', 'ours'), ...legend(columns)])
}
