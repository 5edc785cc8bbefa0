/** System calls of a running process that fail from now on, until told otherwise: strace attaches to it and its children. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

/** `inject` as strace has it: `fsync:error=EIO`; of all files, or of `path` only. */
export async function spoilCalls(strace: string, pids: readonly number[], inject: readonly string[], path?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-strace-'))
  const log = join(folder, 'log')
  const names = inject.map((one) => one.split(':')[0]).join(',')
  const options = ['-f', '-o', log, '-e', `trace=${names}`, ...inject.flatMap((one) => ['-e', `inject=${one}`])]
  if (path !== undefined) options.push('-P', path)
  const child = spawn(strace, [...options, ...pids.flatMap((pid) => ['-p', `${pid}`])], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    said += piece
  })
  const endMs = performance.now() + 10_000
  while (pids.some((pid) => !said.includes(`Process ${pid} attached`))) {
    if (performance.now() > endMs || child.exitCode !== null) throw new Error(`strace did not attach: ${said}`)
    await pause(20)
  }
  return {
    /** How many calls have failed so far. */
    count: () => readFileSync(log, 'utf8').split('(INJECTED)').length - 1,
    mend: async () => {
      child.kill('SIGINT')
      await once(child, 'exit')
      rmSync(folder, { recursive: true })
    },
  }
}
