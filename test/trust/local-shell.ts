/** What a command over SSH would do, done by a shell of this machine: for what is asked of it, and not for how it gets there. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { SshConnection, SshTarget } from '../../src/ssh/index.js'

/** `before` is put in front of the shell. */
export function localShell(target: SshTarget, before: readonly string[] = []): SshConnection {
  return {
    target,
    run: async (command) => {
      const [program = '', ...args] = [...before, 'sh', '-c', command]
      const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      const pieces: Buffer[] = []
      child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
      const [exitCode]: (number | null)[] = await once(child, 'close')
      return { exitCode: exitCode ?? undefined, stdout: Buffer.concat(pieces), stderrTail: '' }
    },
    forward: () => {
      throw new Error('nothing is reached by a shell')
    },
    openSocket: async () => undefined,
    close: () => {},
  }
}
