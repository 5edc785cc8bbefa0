/** `xe` as people run it: built as it is shipped, started as a process of its own. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuildResult, build } from 'esbuild'

export interface Run {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number | null
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly stdin?: string
  /** Stops reading what it prints before it has printed anything. */
  readonly closeOutput?: boolean
  /** Called with the process id as soon as there is one. */
  readonly onStart?: (pid: number) => void
}

export interface XeProgram {
  readonly file: string
  /** Home of the user and root of the host; empty, and gone at the end. */
  readonly folder: string
  /** Every file that went into the program. */
  readonly inputs: readonly string[]
  run(args: readonly string[], options?: RunOptions): Promise<Run>
  remove(): Promise<void>
}

export async function buildXe(): Promise<XeProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'xe-test-'))
  const file = join(folder, 'xe.mjs')
  const built: BuildResult<{ metafile: true }> = await build({
    entryPoints: ['src/cli/xe.ts'],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    outfile: file,
    metafile: true,
    logLevel: 'error',
  })
  return {
    file,
    folder,
    inputs: Object.keys(built.metafile.inputs),
    run: (args, options) => run(file, folder, args, options),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

function run(file: string, folder: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { env, cwd = folder, stdin = '', closeOutput, onStart } = options
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...args], {
      cwd,
      env: { PATH: process.env.PATH, HOME: folder, XE_ROOT: folder, ...env },
      timeout: 20_000,
    })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (piece: Buffer) => stdout.push(piece))
    if (closeOutput) child.stdout.destroy()
    child.stderr.on('data', (piece: Buffer) => stderr.push(piece))
    child.on('error', reject)
    child.on('close', (exitCode) => {
      resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), exitCode })
    })
    child.stdin.on('error', () => {}) // it may leave without reading
    child.stdin.end(stdin)
    if (child.pid !== undefined) onStart?.(child.pid)
  })
}
