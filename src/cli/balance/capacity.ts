/** `wlb balance capacity`: failures, growth, and how many more VMs fit. */

import { type Capacity, capacity, type Pool } from '../../balance/index.js'
import { visible } from '../../base/text/printable.js'
import { fail } from '../errors.js'
import { printJson, printText, renderFacts, renderTable } from '../terminal/print.js'
import type { CapacityFlags } from './commands.js'
import { hostName, vmName } from './plan.js'
import { nameOf, readDocument } from './read-document.js'

/** @throws POOL_DOCUMENT_INVALID, POOL_DOCUMENT_LACKS */
export async function balanceCapacity({ poolFile, vm, json }: CapacityFlags): Promise<void> {
  const pool = await readDocument(poolFile)
  const room = capacity(pool, vm)
  if (!room) throw fail('POOL_DOCUMENT_LACKS', { file: nameOf(poolFile), kind: 'VM', uuid: vm ?? '' })
  if (json) printJson(room)
  else printText(`${describeCapacity(visible(pool), visible(room))}\n`)
}

export function describeCapacity(pool: Pool, { failures, trends, more }: Capacity): string {
  return [
    renderFacts([
      ['hosts that may fail', `${failures.hosts}`],
      ...trends.map(({ resource, fullAt, why }): [string, string] => [
        `${resource} reaches 90 %`,
        fullAt === null ? `not known: ${why}` : `${fullAt} (${why})`,
      ]),
      ...(more ? [[`more like ${vmName(pool, more.vm)}`, `${more.total}, limited by ${more.limitedBy}`] as const] : []),
    ]),
    ...(more
      ? [
          '',
          renderTable(
            ['host', 'more', 'limited by'],
            more.hosts.map((one) => [hostName(pool, one.host), `${one.more}`, one.limitedBy]),
          ),
        ]
      : []),
  ].join('\n')
}
