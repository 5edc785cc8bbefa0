/** Time of `xe pool-certificate-sync` as an operator sees it, for a small and a large pool. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, PROGRAM } from './appliance.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const ROUNDS = rounds(5)

export async function sync(): Promise<Row[]> {
  const [small, large] = [timeOf(3), timeOf(16)]
  return [
    {
      what: 'pool-certificate-sync, 16 hosts',
      ours: `${large.toFixed(0)} ms`,
      peer: `${small.toFixed(0)} ms with 3 hosts`,
      ratio: (large / small).toFixed(2),
      limit: 'one member after the other, each with several flushed files; about 100 ms are the start of two programs',
    },
  ]
}

function timeOf(hosts: number): number {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-bench-'))
  const wlb = (...args: string[]) =>
    execFileSync(process.execPath, [PROGRAM, '--root', folder, 'lab', ...args], { encoding: 'utf8' })
  try {
    const lab: { hosts: { name: string }[] } = JSON.parse(wlb('up', '--hosts', String(hosts), '--json'))
    const coordinator = lab.hosts[0]?.name ?? ''
    const times = Array.from({ length: ROUNDS }, () => {
      const before = performance.now()
      wlb('exec', coordinator, '--', 'xe', 'pool-certificate-sync')
      return performance.now() - before
    })
    return median(times)
  } finally {
    wlb('down')
    rmSync(folder, { recursive: true, force: true })
  }
}
