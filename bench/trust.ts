/** A pool from stranger to verified, looked at, and diagnosed: how the time grows with the number of its hosts. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BenchAppliance, median } from './appliance.js'
import { openBenchPool, timeWlb } from './bench-pool.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const [FEW, ...MORE] = [3, 16, 64] as const
const LOOKS = rounds(3)

interface Times {
  readonly applyMs: number
  readonly statusMs: number
  readonly doctorMs: number
}

export async function trust(appliance: BenchAppliance): Promise<Row[]> {
  const few = await timesOf(FEW, appliance)
  const rows: Row[] = [doctorRow(FEW, few)]
  for (const hosts of MORE) {
    const many = await timesOf(hosts, appliance)
    rows.push(
      rowOf(
        `wlb trust status, ${hosts} hosts`,
        many.statusMs,
        few.statusMs,
        'every host connects to the appliance itself',
      ),
      rowOf(
        `wlb trust apply, ${hosts} hosts`,
        many.applyMs,
        few.applyMs,
        'the sync of the stores, one member after the other',
      ),
      doctorRow(hosts, many),
    )
  }
  return rows
}

function doctorRow(hosts: number, { doctorMs, statusMs }: Times): Row {
  return {
    what: `wlb doctor, healthy, ${hosts} hosts`,
    ours: `${(doctorMs / 1000).toFixed(2)} s`,
    peer: `${(statusMs / 1000).toFixed(2)} s, wlb trust status`,
    ratio: (doctorMs / statusMs).toFixed(2),
    limit: 'the same, and a question to the appliance through the pool',
  }
}

function rowOf(what: string, manyMs: number, fewMs: number, limit: string): Row {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  return {
    what,
    ours: seconds(manyMs),
    peer: `${seconds(fewMs)} with ${FEW} hosts`,
    ratio: (manyMs / fewMs).toFixed(2),
    limit,
  }
}

async function timesOf(hosts: number, appliance: BenchAppliance): Promise<Times> {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-bench-'))
  const pool = await openBenchPool(join(root, 'pool'), hosts)
  const where = [
    '--root',
    appliance.folder,
    '--pool',
    pool.url,
    '--password-file',
    pool.passwordFile,
    '--pool-insecure',
  ]
  const flags = [...where, '--appliance', `127.0.0.1:${appliance.port}`]
  const account = ['--wlb-username', 'wlbuser', '--wlb-password-file', join(appliance.folder, 'password')]
  try {
    const applyMs = await timeWlb(['trust', 'apply', '--goal', 'self-signed', '--yes', ...flags, ...account], root)
    const [looks, diagnoses]: [number[], number[]] = [[], []]
    for (let look = 0; look < LOOKS; look++) {
      looks.push(await timeWlb(['trust', 'status', ...flags], root))
      diagnoses.push(await timeWlb(['doctor', ...flags], root))
    }
    return { applyMs, statusMs: median(looks), doctorMs: median(diagnoses) }
  } finally {
    await pool.close()
    rmSync(root, { recursive: true, force: true })
  }
}
