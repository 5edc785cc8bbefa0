/** How long `xe` takes from nothing to its first word: a shell waits for it at every Tab. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { median } from './appliance.js'
import { rounds } from './rounds.js'
import type { Row } from './row.js'

const XE = join(import.meta.dirname, '../dist/xe.js')
const ROUNDS = rounds(21)

export function start(): Row[] {
  const [ours, bare]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(timeOf([XE, '-version']))
    bare.push(timeOf(['-e', '0']))
  }
  const [a, b] = [median(ours), median(bare)]
  return [
    {
      what: 'xe -version, whole process',
      ours: `${a.toFixed(0)} ms`,
      peer: `${b.toFixed(0)} ms node -e 0`,
      ratio: (a / b).toFixed(2),
      limit: 'the start of Node itself',
    },
  ]
}

function timeOf(args: readonly string[]): number {
  const before = performance.now()
  spawnSync(process.execPath, args, { stdio: 'ignore' })
  return performance.now() - before
}
