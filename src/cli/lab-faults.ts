/** `wlb lab fault inject|clear|list`, printed for people and for programs. */
import { clearFaults, type FaultRow, injectFault, listFaults } from '../lab/index.js'
import { inRoot, printJson, renderTable } from './print.js'

export interface InjectOptions {
  readonly host?: string
  readonly variant?: string
  readonly json?: boolean
}

export async function inject(root: string, row: number, { host, variant, json = false }: InjectOptions): Promise<void> {
  const { fault, already } = await injectFault({ root, row, host, variant })
  if (json) return printJson({ ...fault, host: host ?? null, variant: variant ?? null, already })
  const where = host ?? fault.where
  process.stdout.write(`row ${row} (${where}): ${fault.what}${already ? ' (already so)' : ''}\n`)
  process.stdout.write(`take it back: ${inRoot('wlb lab fault clear', root)}\n`)
}

export async function clear(root: string, json: boolean): Promise<void> {
  const { cleared } = await clearFaults(root)
  if (json) return printJson({ cleared, already: cleared.length === 0 })
  process.stdout.write(cleared.length === 0 ? 'Nothing was injected.\n' : `taken back: row ${cleared.join(', row ')}\n`)
}

export function list(json: boolean): void {
  const rows = listFaults()
  if (json) printJson(rows)
  else process.stdout.write(`${renderTable(['row', 'where', 'what happens'], rows.map(describe))}\n`)
}

function describe({ row, where, what, variants }: FaultRow): string[] {
  return [String(row), where, variants.length === 0 ? what : `${what} (--variant ${variants.join(', ')})`]
}
