/** An appliance in a temporary folder, set up and served by the shipped program. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../test/free-port.js'

export interface BenchAppliance {
  readonly folder: string
  readonly port: number
  readonly certificate: string
  readonly key: string
  readonly authorization: string
  close(): Promise<void>
}

export const PROGRAM = join(import.meta.dirname, '../dist/wlb.cjs')

export async function openBenchAppliance(): Promise<BenchAppliance> {
  const folder = mkdtempSync(join(tmpdir(), 'openwlb-bench-'))
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, 'bench\n', { mode: 0o600 })
  const port = await freePort()
  const setup = [
    '--root',
    folder,
    'setup',
    '--hostname',
    'wlb.bench.internal',
    '--address',
    '127.0.0.1',
    '--port',
    String(port),
    '--username',
    'wlbuser',
    '--password-file',
    passwordFile,
    '--yes',
  ]
  execFileSync(process.execPath, [PROGRAM, ...setup], { stdio: 'ignore' })
  const served = spawn(process.execPath, [PROGRAM, '--root', folder, 'serve'], { stdio: ['ignore', 'pipe', 'ignore'] })
  await once(served.stdout, 'data')
  return {
    folder,
    port,
    certificate: join(folder, 'etc/ssl/certs/server.pem'),
    key: join(folder, 'etc/ssl/certs/server.key'),
    authorization: `Basic ${Buffer.from('wlbuser:bench').toString('base64')}`,
    close: async () => {
      await stop(served)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** The middle of several runs: one slow run on a shared machine does not move it. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
