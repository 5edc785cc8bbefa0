/** Runs a program named in the settings, without a shell and with a time limit, and keeps the end of its output. */
import { spawn } from 'node:child_process'
import { findStartFault } from './files/program-file.js'

/** How a command ended. */
export interface CommandRun {
  /** As it would be typed. */
  readonly command: string
  /** Null when it could not be started or was killed for taking too long. */
  readonly exitCode: number | null
  /** The end of both outputs, or why it did not run. */
  readonly output: string
}

const OUTPUT_LIMIT = 1000

export interface CommandOptions {
  /** Added to our own. */
  readonly environment?: Readonly<Record<string, string>>
  /** Ends it early. */
  readonly signal?: AbortSignal | undefined
}

/** `words` are passed as they are: no patterns, no variables. */
export function runCommand(
  words: readonly string[],
  timeoutMs: number,
  { environment, signal }: CommandOptions = {},
): Promise<CommandRun> {
  const [program = '', ...args] = words
  const command = words.join(' ')
  const env = { ...process.env, ...environment }
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', detached: true, env })
    let output = ''
    const keep = (piece: string) => {
      output = `${output}${piece}`.slice(-OUTPUT_LIMIT)
    }
    // with too many open files there are no streams, and an error follows
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', keep)
    let why: string | undefined
    const kill = (reason: string) => {
      why = reason
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL') // with the processes it started
    }
    const timer = setTimeout(() => kill(`not done after ${timeoutMs} ms`), timeoutMs)
    const breakOff = () => kill('broken off')
    signal?.addEventListener('abort', breakOff)
    const end = (exitCode: number | null) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', breakOff)
      for (const stream of [child.stdout, child.stderr]) stream?.destroy() // a server that it started may hold them open
      resolve({ command, exitCode, output: [output.trim(), why].filter(Boolean).join('; ') })
    }
    child.once('error', async (error) => {
      why = (await findStartFault(program).catch(() => undefined))?.why ?? error.message
      end(null)
    })
    child.once('exit', (exitCode) => setImmediate(() => end(why === undefined ? exitCode : null)))
  })
}
