/** Every group of `npm run bench` runs alone, once: what it prints is not looked at but for being there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const GROUPS = ['start', 'install', 'fleet', 'verdict', 'trust', 'soap', 'sync', 'migrations', 'metrics', 'handshakes']

test.for(GROUPS)('%s', { tags: 'long', timeout: 180_000 }, async (group) => {
  const env = { ...process.env, OPENWLB_BENCH_ONCE: '1' }
  const args = ['--import', 'tsx', 'bench/main.ts', group]
  const child = spawn(process.execPath, args, { cwd: join(import.meta.dirname, '..'), env, timeout: 170_000 })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      output += piece
    })
  }
  const [exitCode] = await once(child, 'close')
  expect(exitCode, output).toBe(0)
  expect(output).toMatch(/^what +ours +peer +ratio/m)
})
