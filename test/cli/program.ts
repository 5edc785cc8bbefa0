/** Runs the shipped programs as a person would, in a folder of the test's own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const dist = join(import.meta.dirname, '../../dist')

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
}

export interface Running {
  readonly child: ChildProcess
  /** The first line of stdout. */
  readonly line: string
  /** On stderr, so far. */
  said(): string
  stop(): Promise<void>
}

export function makeFolder(): string {
  return mkdtempSync(join(tmpdir(), 'openwlb-cli-'))
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true })
}

export async function run(
  program: 'wlb' | 'xe',
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  folder?: string,
): Promise<Ended> {
  const child = start(program, args, env, folder)
  let [stdout, stderr] = ['', '']
  child.stdout?.on('data', (piece: Buffer) => {
    stdout += piece
  })
  child.stderr?.on('data', (piece: Buffer) => {
    stderr += piece
  })
  const [exitCode]: (number | null)[] = await once(child, 'close')
  return { stdout, stderr, exitCode: exitCode ?? null }
}

/** Starts something that stays up and says so with one line. */
export async function runUntilReady(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Running> {
  const child = start('wlb', args, env)
  let stderr = ''
  child.stderr?.on('data', (piece: Buffer) => {
    stderr += piece
  })
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (piece: Buffer) => resolve(piece.toString()))
    child.once('exit', () => reject(new Error(`it ended: ${stderr}`)))
  })
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  return { child, line, said: () => stderr, stop }
}

function start(
  program: 'wlb' | 'xe',
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  folder = process.cwd(),
): ChildProcess {
  const bare = { ...process.env, NO_COLOR: '1', COLUMNS: '80', ...env }
  // vitest.config.ts says why
  return spawn(process.execPath, ['--liftoff-only', join(dist, `${program}.js`), ...args], {
    env: bare,
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
