/**
 * `openssl verify` with the settings stunnel gives to OpenSSL. It answers for any clock and any key, and prints every
 * error in the order in which OpenSSL meets them; stunnel's host name is asked about before name constraints.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkHost } from '../../src/x509/index.js'
import { ACCEPTED, type Answer, type JudgedSet, PREFIX, refused, WRONG_NAME } from './judge.js'

/** What OpenSSL looks at when stunnel has already looked at the host name. */
const AFTER_NAME = { first: 47, last: 53 }

/** undefined where the bundle is one that `openssl verify` does not start with, and stunnel might. */
export async function askOpenssl(set: JudgedSet): Promise<Answer | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'differential-'))
  try {
    const [leaf] = set.sent
    if (!leaf || set.bundle === undefined) return undefined
    const crls = Object.values(set.crlFiles)
    await Promise.all([
      writeFile(join(directory, 'leaf.pem'), leaf.toString()),
      writeFile(join(directory, 'sent.pem'), set.sent.map(String).join('')),
      writeFile(join(directory, 'bundle.pem'), set.bundle),
      writeFile(join(directory, 'crls.pem'), crls.map(String).join('')),
    ])
    const output = await verify(directory, [
      ...(crls.length > 0 ? ['-crl_check', '-CRLfile', 'crls.pem'] : []),
      ...(set.clock ? ['-attime', String(set.clock.getTime() / 1000)] : []),
    ])
    return readAnswer(output, checkHost(leaf, set.name))
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function verify(directory: string, more: readonly string[]): Promise<string> {
  const args = ['-no-CApath', '-no-CAstore', '-CAfile', 'bundle.pem', '-untrusted', 'sent.pem']
  args.push('-purpose', 'sslserver', '-auth_level', '2', ...more, 'leaf.pem')
  return new Promise((resolve, reject) => {
    const child = spawn('openssl', ['verify', ...args], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', () => resolve(output))
  })
}

function readAnswer(output: string, nameFits: boolean): Answer | undefined {
  const [, number = '', text = ''] = /^error (\d+) at \d+ depth lookup: ?(.*)$/m.exec(output) ?? []
  if (number === '' && !/^leaf\.pem: OK$/m.test(output)) return undefined
  const isEarly = number !== '' && !(Number(number) >= AFTER_NAME.first && Number(number) <= AFTER_NAME.last)
  if (isEarly) return refused(PREFIX + text)
  if (!nameFits) return refused(WRONG_NAME)
  return number === '' ? ACCEPTED : refused(PREFIX + text)
}
