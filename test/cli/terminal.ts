/** A program at a real pseudo terminal, which `script` (util-linux) makes: what it shows is awaited, and keys are pressed. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { screenOf } from './screen.js'

export const CTRL_C = '\u0003'
const PROGRAM = join(import.meta.dirname, '../../dist/wlb.js')

export interface Terminal {
  press(keys: string): void
  /** Settles once this was shown, after what was awaited before. */
  shown(text: string): Promise<void>
  /** What stands on the screen in the end, and the exit code behind it. */
  readonly ended: Promise<string>
}

export function wlbAtTerminal(args: readonly string[], env: NodeJS.ProcessEnv, columns = 200): Terminal {
  const command = [process.execPath, '--liftoff-only', PROGRAM, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-q', '-e', '-c', `stty columns ${columns} rows 100; exec ${command}`, '/dev/null'], {
    env: { ...process.env, NO_COLOR: '1', TERM: 'xterm', LANG: 'C.UTF-8', ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let [written, from] = ['', 0]
  const waiting = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    written += piece
    for (const look of waiting) look()
  })
  const closed = once(child, 'close')
  return {
    press: (keys) => void child.stdin.write(keys),
    shown: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const at = written.indexOf(text, from)
          if (at < 0) return
          from = at + text.length
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
        closed.then(() => reject(new Error(`never shown: ${text}\n${screenOf(written)}`)))
      }),
    ended: closed.then(([exitCode]) => `${screenOf(written)}exit ${exitCode}\n`),
  }
}
