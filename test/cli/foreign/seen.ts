/** What people see of a text that is hostile. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { quoteWord } from '../../../src/base/text/quote-word.js'

export const EVIL =
  "\u001b]0;owned\u0007\u001b[2J\u009b31m\n\twlb: done\r\u202exyz\u2066\u200b\u2028';touch owned;$(touch owned)`touch owned`\u0000"

/** All but the ends of our own lines. */
export const HIDDEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

const WLB = join(import.meta.dirname, '../../../dist/wlb.js')

/** All that `wlb` writes to a terminal, with nothing typed there. */
export async function atTerminal(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const command = [process.execPath, WLB, ...args].map(quoteWord).join(' ')
  const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
    env: { ...process.env, NO_COLOR: '1', TERM: 'xterm', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  await once(child, 'close')
  return text
}
