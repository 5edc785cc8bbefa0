/** Fifty pools of a host each looked at in one call, every pool a process of its own, against one pool looked at alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mapBounded } from '../src/base/bounded.js'
import type { BenchAppliance } from './appliance.js'
import { type BenchPool, connectPool, openBenchPool, timeWlb } from './bench-pool.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const POOLS = rounds(50)
const STARTED_AT_ONCE = 4

export async function fleet(appliance: BenchAppliance): Promise<Row[]> {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-bench-'))
  const opened: BenchPool[] = []
  try {
    await mapBounded(
      Array.from({ length: POOLS }, (_, index) => join(root, `pool-${index}`)),
      STARTED_AT_ONCE,
      async (folder) => {
        const pool = await openBenchPool(folder, 1)
        opened.push(pool)
        await connectPool(pool, appliance)
      },
    )
    const entries = opened.map((pool, index) => entryOf(`pool-${index}`, pool, appliance))
    const look = (pools: readonly string[]) => {
      const file = join(root, 'fleet.toml')
      writeFileSync(file, pools.join('\n'))
      return timeWlb(['trust', 'status', '--fleet', file], root)
    }
    const [oneMs, allMs] = [await look(entries.slice(0, 1)), await look(entries)]
    return [
      {
        what: `wlb trust status --fleet, ${POOLS} pools`,
        ours: `${(allMs / 1000).toFixed(1)} s`,
        peer: `${(oneMs / 1000).toFixed(2)} s, one pool`,
        ratio: (allMs / oneMs).toFixed(1),
        limit: 'five handshakes a pool, appliance and pools on the same two cores',
      },
    ]
  } finally {
    await Promise.all(opened.map((pool) => pool.close()))
    rmSync(root, { recursive: true, force: true })
  }
}

function entryOf(name: string, { url, passwordFile }: BenchPool, { port }: BenchAppliance): string {
  const place = `password_file = "${passwordFile}"\nappliance = "127.0.0.1:${port}"\ninsecure = true`
  return `[[pool]]\nname = "${name}"\nurl = "${url}"\n${place}\n`
}
