/**
 * A TLS server of the site's own before the appliance (stunnel, a proxy) that serves the same two files. It has to be
 * told that they changed, and only a handshake shows whether it heard.
 */
import { spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import { probeServed } from '../tls/index.js'
import type { FrontSettings } from './settings.js'

/** How a command ended that was to reload a front. */
export interface ReloadRun {
  /** As it would be typed. */
  readonly command: string
  /** Null when it could not be started or was killed for taking too long. */
  readonly exitCode: number | null
  /** The end of what it said on both outputs, or why it did not run. */
  readonly output: string
}

const COMMAND_TIMEOUT_MS = 30_000
const OUTPUT_LIMIT = 1000

/** Runs the configured command. No shell: nothing in it is a pattern or a variable. */
export function reloadFront({ reload }: FrontSettings, timeoutMs = COMMAND_TIMEOUT_MS): Promise<ReloadRun> {
  const [program = '', ...args] = reload
  const command = reload.join(' ')
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', detached: true })
    let output = ''
    const keep = (piece: string) => {
      output = `${output}${piece}`.slice(-OUTPUT_LIMIT)
    }
    child.stdout.setEncoding('utf8').on('data', keep)
    child.stderr.setEncoding('utf8').on('data', keep)
    let why: string | undefined
    const timer = setTimeout(() => {
      why = `not done after ${timeoutMs} ms`
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL') // with whatever it started
    }, timeoutMs)
    const end = (exitCode: number | null) => {
      clearTimeout(timer)
      child.stdout.destroy() // a server that the command started may hold them open
      child.stderr.destroy()
      resolve({ command, exitCode, output: [output.trim(), why].filter(Boolean).join('; ') })
    }
    child.once('error', (error) => {
      why = error.message
      end(null)
    })
    child.once('exit', (exitCode) => setImmediate(() => end(why === undefined ? exitCode : null)))
  })
}

const PROOF_MS = 15_000
const PAUSE_MS = 200

/**
 * Shakes hands until that certificate is shown; a reload takes its time. Returns what was seen last: the fingerprint, or
 * why there was no handshake.
 */
export async function awaitServed(
  { address, port }: Pick<FrontSettings, 'address' | 'port'>,
  fingerprintSha256: string,
  patienceMs = PROOF_MS,
): Promise<string> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    const timeoutMs = Math.max(1000, Math.ceil(deadline - performance.now()))
    const served = await probeServed({ address, port, timeoutMs })
    const seen = served.state === 'served' ? served.fingerprintSha256 : served.why
    if (seen === fingerprintSha256 || performance.now() >= deadline) return seen
    await wait(PAUSE_MS)
  }
}
