/** `wlb balance evacuate`: where the VMs of a host go, and which stay. */

import { type Evacuation, evacuate, explainStays, type Pool } from '../../balance/index.js'
import { visible } from '../../base/text/printable.js'
import { fail } from '../errors.js'
import { printJson, printText, renderTable } from '../terminal/print.js'
import type { EvacuateFlags } from './commands.js'
import { hostName, vmName } from './plan.js'
import { nameOf, readDocument } from './read-document.js'

/** @throws POOL_DOCUMENT_INVALID, POOL_DOCUMENT_LACKS */
export async function balanceEvacuate({ poolFile, host, explain = false, json }: EvacuateFlags): Promise<void> {
  const pool = await readDocument(poolFile)
  const evacuation = evacuate(pool, host)
  if (!evacuation) throw fail('POOL_DOCUMENT_LACKS', { file: nameOf(poolFile), kind: 'host', uuid: host })
  const explanation = explain ? explainStays(pool, host) : undefined
  if (json) printJson(explanation ? { ...evacuation, explanation } : evacuation)
  else printText(`${describe(visible(pool), visible(evacuation), visible(explanation))}\n`)
}

function describe(
  pool: Pool,
  { complete, moves, stays }: Evacuation,
  explanation: ReturnType<typeof explainStays>,
): string {
  if (complete && moves.length === 0) return 'No VM is on this host.'
  const targets = renderTable(
    ['VM', 'to', 'seconds'],
    moves.map(({ vm, to, seconds }) => [vmName(pool, vm), hostName(pool, to), `${seconds}`]),
  )
  const staying = renderTable(
    ['VM that stays', 'code', 'why'],
    stays.map(({ vm, code, why }) => [vmName(pool, vm), code, why]),
  )
  return [
    complete ? 'All VMs can leave.' : `${stays.length} of ${moves.length + stays.length} VMs cannot leave.`,
    ...(moves.length > 0 ? ['', targets] : []),
    ...(stays.length > 0 ? ['', staying] : []),
    ...(explanation && moves.length > 0 ? ['', ...new Set(moves.map(({ why }) => why))] : []),
    ...(explanation ?? []).flatMap(({ vm, refused }) => [
      '',
      `${vmName(pool, vm)} stays`,
      ...refused.map((one) => `   not to ${hostName(pool, one.host)}: ${one.why} (${one.code})`),
    ]),
  ].join('\n')
}
