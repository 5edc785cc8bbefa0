/** The rows `exact` and `roadef` of `npm run quality` print their tables: one pool and one instance stand for all. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const ROWS: [row: string, head: RegExp, line: RegExp][] = [
  ['exact', /^hosts x VMs x scenarios +start +ours +optimum/m, /^worst \(goal: at least 97 %\) +\d/m],
  ['roadef', /^instance +start +ours +best published +score +goal/m, /^(a1_1 +49,528,750 |skipped: )/m],
]
test.for(ROWS)('%s', { tags: 'long', timeout: 120_000 }, ([row, head, line]) => {
  const env = { ...process.env, OPENWLB_BENCH_ONCE: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'bench/quality/main.ts', row], {
    cwd: join(import.meta.dirname, '../..'),
    env,
    encoding: 'utf8',
    timeout: 110_000,
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  expect(stdout).toMatch(head)
  expect(stdout).toMatch(line)
})
