/** Runs the user's own `xe`, with the user's own settings, and without the terminal. */
import { spawn } from 'node:child_process'
import type { AskXe } from './xe-answers.js'
import type { ClientOptions } from './xe-options.js'

/** A pool answers sooner; a person does not wait longer. */
const TIMEOUT_MS = 5_000
/** More than the answer of a pool with thousands of machines. */
const MOST_BYTES = 8_388_608

export interface XeProgram {
  /** `xe` on the path, unless it is one of the lab's. */
  readonly command: readonly [string, ...string[]]
  readonly env: NodeJS.ProcessEnv
}

/** An `AskXe` with the client's own options as they were typed. */
export function createAskXe({ command, env }: XeProgram, { options, password }: ClientOptions): AskXe {
  const [program, ...first] = command
  // The environment is not shown in process lists. The variable cannot carry a backslash.
  const isHidden = password !== undefined && !password.includes('\\')
  const variables = isHidden ? { ...env, XE_EXTRA_ARGS: withPassword(env.XE_EXTRA_ARGS, password) } : env
  const before = password === undefined || isHidden ? options : [...options, '-pw', password]
  return (...args) =>
    new Promise((resolve) => {
      const child = spawn(program, [...first, ...before, ...args], {
        env: variables,
        stdio: ['ignore', 'pipe', 'ignore'],
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
      })
      const pieces: Buffer[] = []
      let bytes = 0
      child.stdout.on('data', (piece: Buffer) => {
        bytes += piece.length
        if (bytes > MOST_BYTES) child.kill('SIGKILL')
        else pieces.push(piece)
      })
      child.once('error', () => resolve(''))
      child.once('exit', (code) => {
        if (code === null) resolve('') // killed: half an answer is none
      })
      child.once('close', () => resolve(Buffer.concat(pieces).toString()))
    })
}

/** Items are separated by commas, and the last one of a kind counts. */
function withPassword(extraArgs: string | undefined, password: string): string {
  return [extraArgs, `password=${password.replaceAll(',', '\\,')}`].filter(Boolean).join(',')
}
