/** `wlb balance place`: stars for every live host. */

import { type Pool, place, type Rating } from '../../balance/index.js'
import { visible } from '../../base/text/printable.js'
import { fail } from '../errors.js'
import { printJson, printText, renderTable } from '../terminal/print.js'
import type { PlaceFlags } from './commands.js'
import { hostName } from './plan.js'
import { nameOf, readDocument } from './read-document.js'

/** @throws POOL_DOCUMENT_INVALID, POOL_DOCUMENT_LACKS */
export async function balancePlace({ poolFile, vm, json }: PlaceFlags): Promise<void> {
  const pool = await readDocument(poolFile)
  const hosts = place(pool, vm)
  if (!hosts) throw fail('POOL_DOCUMENT_LACKS', { file: nameOf(poolFile), kind: 'VM', uuid: vm })
  if (json) printJson({ hosts })
  else printText(`${describe(visible(pool), visible(hosts))}\n`)
}

function describe(pool: Pool, ratings: readonly Rating[]): string {
  if (ratings.length === 0) return 'No host is live.'
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
