/** The database of a new pool without hosts that run: as the launcher fills it, certificates left out. */
import { Database } from '../../../src/lab/database/database.js'
import { addPool } from '../../../src/lab/vms/inventory/inventory.js'

export const NOW = new Date('2026-11-23T14:53:37Z')

export function newDatabase({ hosts, vms, seed = 7 }: { hosts: number; vms: number; seed?: number }): Database {
  const database = new Database('/nowhere', { generation: 1, internals: {}, tables: {} })
  const named = Array.from({ length: hosts }, (_, index) => ({
    uuid: `00000000-0000-4000-8000-${String(index + 1).padStart(12, '0')}`,
    name: `xs${index + 1}`,
    address: `127.1.1.${index + 1}`,
  }))
  addPool(database, { uuid: '00000000-0000-4000-8000-00000000000f', hosts: named, vms, seed, now: NOW })
  return database
}
