/**
 * A command whose answer can be told from what else the other side prints: login shells greet, and some say goodbye, on both of
 * their outputs.
 */
import { randomBytes } from 'node:crypto'

export interface MarkedCommand {
  /** What is sent: the command between two marks. Its exit code stays. */
  readonly text: string
  /** The answer alone; undefined where the marks are missing. */
  unwrap(output: Buffer): Buffer | undefined
  /** The same for the end of its other output, whose beginning may be cut off. */
  unwrapEnd(text: string): string
}

export function markCommand(command: string): MarkedCommand {
  const mark = randomBytes(12).toString('hex')
  const [begin, end] = [`begin-${mark}\n`, `end-${mark}`]
  const say = (what: string) => `printf '${what}'; printf '${what}' >&2`
  return {
    // a shell of its own, because the command may end with `exit`
    text: `${say(`begin-${mark}\\n`)}; (\n${command}\n); openwlb=$?; ${say(end)}; exit $openwlb`,
    unwrap(output) {
      const from = output.indexOf(begin)
      const to = output.lastIndexOf(end)
      return from < 0 || to < 0 ? undefined : output.subarray(from + begin.length, to)
    },
    unwrapEnd(text) {
      const from = text.indexOf(begin)
      const to = text.lastIndexOf(end)
      return text.slice(from < 0 ? 0 : from + begin.length, to < 0 ? undefined : to)
    },
  }
}
