/** `wlb balance place`: stars for every live host. */

import { explainPlace, type Pool, place, type Rating } from '../../balance/index.js'
import { visible } from '../../base/text/printable.js'
import { fail } from '../errors.js'
import { printJson, printText, renderTable } from '../terminal/print.js'
import type { PlaceFlags } from './commands.js'
import { hostName } from './plan.js'
import { nameOf, readDocument } from './read-document.js'

/** @throws POOL_DOCUMENT_INVALID, POOL_DOCUMENT_LACKS */
export async function balancePlace({ poolFile, vm, explain: isExplained = false, json }: PlaceFlags): Promise<void> {
  const pool = await readDocument(poolFile)
  const hosts = place(pool, vm)
  if (!hosts) throw fail('POOL_DOCUMENT_LACKS', { file: nameOf(poolFile), kind: 'VM', uuid: vm })
  const explanation = isExplained ? explainPlace(pool, vm) : undefined
  if (json) printJson(explanation ? { hosts, explanation } : { hosts })
  else printText(`${describe(visible(pool), visible(hosts), visible(explanation))}\n`)
}

type Explanation = ReturnType<typeof explainPlace>

function describe(pool: Pool, ratings: readonly Rating[], explanation: Explanation): string {
  if (ratings.length === 0) return 'No host is live.'
  return [describeStars(pool, ratings), ...(explanation ? ['', describeCosts(pool, explanation)] : [])].join('\n')
}

function describeCosts(pool: Pool, costs: NonNullable<Explanation>): string {
  const table = renderTable(
    ['host', 'congestion', 'preferences', 'unevenness', 'move', 'coordinator', 'in all'],
    costs.map(({ host, ...parts }) => {
      const { congestion, preferences, unevenness, move, coordinator } = parts
      const all = [congestion, preferences, unevenness, move, coordinator]
      return [hostName(pool, host), ...[...all, all.reduce((sum, one) => sum + one, 0)].map((one) => one.toFixed(1))]
    }),
  )
  return `What speaks against each, in congested host-minutes:\n${table}`
}

function describeStars(pool: Pool, ratings: readonly Rating[]): string {
  return renderTable(
    ['host', 'stars', '', 'why'],
    ratings.map(({ host, stars, zeroReason, why }) => [
      hostName(pool, host),
      stars.toFixed(1),
      '*'.repeat(Math.round(stars)),
      zeroReason === 'None' ? why : `${why} (${zeroReason})`,
    ]),
  )
}
