/** What people see of a text that is hostile. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { quoteWord } from '../../../src/base/text/quote-word.js'

export const EVIL =
  "\u001b]0;owned\u0007\u001b[2J\u009b31m\n\twlb: done\r\u202exyz\u2066\u200b\u2028';touch owned;$(touch owned)`touch owned`\u0000"

/** All but the ends of our own lines. */
export const HIDDEN = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

/** Of at most 64 characters each, as names in certificates are. */
const EVIL_SUBJECT = [
  'O=a\u001b[2J\n\twlb: done\r\u202ex;touch owned',
  `OU=<script>alert(1)</script>"'$(touch owned)\u2028y\u0007`,
]

/** A self-signed certificate, or a request, with all of that in its names. */
export function makeEvilCertificate(
  to: string,
  keyFile: string,
  kind: 'certificate' | 'request' = 'certificate',
): void {
  const subject = ['/CN=wlb.example.com', ...EVIL_SUBJECT.map((part) => part.replaceAll('/', '\\/'))].join('/')
  const names = ['-addext', 'subjectAltName=DNS:wlb.example.com,DNS:b\u001b[2Jx,URI:http://x\u0007y']
  const how = kind === 'request' ? ['-new'] : ['-x509', '-days', '30', ...names]
  const words = ['req', ...how, '-newkey', 'rsa:2048', '-nodes', '-utf8', '-subj', subject]
  execFileSync('openssl', [...words, '-keyout', keyFile, '-out', to], { stdio: 'ignore' })
}

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
