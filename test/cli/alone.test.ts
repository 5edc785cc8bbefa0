/** An appliance that nobody has connected to yet: what its commands show, and what none of them ever shows. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { leaves } from '../../scripts/reference-page.js'
import { commandLine } from '../../src/cli/command-line.js'
import { placeDatabase } from '../empty-database.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { makeFolder, removeFolder, run } from './program.js'
import { runHere } from './run-here.js'

const root = makeFolder()
const elsewhere = makeFolder()
const wlb = (...args: string[]) => run('wlb', ['--root', root, ...args], {}, elsewhere)
const wlbHere = (...args: string[]) => runHere(['--root', root, ...args], elsewhere)
let port: number

beforeAll(async () => {
  const passwordFile = join(elsewhere, 'password')
  writeFileSync(passwordFile, 'geheim\n')
  port = await freePort()
  const choices = ['--hostname', 'wlb.lab.internal', '--address', OWN_ADDRESS, '--port', String(port)]
  placeDatabase(root)
  const made = await wlb('setup', ...choices, '--username', 'u', '--password-file', passwordFile, '--yes')
  expect(made).toMatchObject({ exitCode: 0 })
})

afterAll(() => {
  removeFolder(root)
  removeFolder(elsewhere)
})

describe('the self-signed certificate stands in for a real one, and is called so', () => {
  it.each(['setup', 'status', 'cert show'])('wlb %s', async (words) => {
    const { stdout } = await wlb(...words.split(' '), ...(words === 'setup' ? ['--yes'] : []))
    expect(stdout).toMatch(/self-signed.*placeholder/)
  })
})

test('status names the command that leads to a signed certificate, and there is such a command', async () => {
  const { stdout } = await wlb('status')
  expect(stdout).toContain(`for a signed one:  wlb --root ${root} cert request`)
  expect(leaves(commandLine()).map(({ words }) => words.join(' '))).toContain('wlb cert request')
})

test('the request is shown as it is written, ready to be copied', async () => {
  const about = ['--country', 'CA', '--state', 'Alberta', '--locality', 'Calgary', '--organization', 'Example']
  const { stdout, exitCode } = await wlb('cert', 'request', ...about, '--email', 'admin@example.com', '--yes')
  expect(exitCode).toBe(0)
  expect(stdout.startsWith(readFileSync(join(elsewhere, 'csr'), 'utf8'))).toBe(true)
  expect(stdout).toMatch(/^-----BEGIN CERTIFICATE REQUEST-----$/m)
})

describe('the private key stays where it is', () => {
  const keyFile = join(root, 'etc/ssl/certs/server.key')
  const keyLines = () => readFileSync(keyFile, 'utf8').trim().split('\n').slice(1, -1)
  /** These stay up, or change what lies beside the appliance. */
  const others = ['wlb serve', 'wlb demo', 'wlb lab up', 'wlb lab down']
  const commands = leaves(commandLine())
    .filter(({ words }) => !others.includes(words.join(' ')))
    .map(({ words, command }): [words: string, args: string[], help: string] => [
      words.join(' '),
      [...words.slice(1), ...command.registeredArguments.filter(({ required }) => required).map(() => 'x')],
      command.helpInformation(),
    ])

  it.each(commands)('%s shows nothing of it, nor does it copy it', async (_words, args, help) => {
    const before = keyLines()
    const some = [before[1] ?? '', before[12] ?? '']
    const ended = [await wlbHere(...args)]
    if (help.includes('--json')) ended.push(await wlbHere(...args, '--json'))
    for (const line of before) expect(help).not.toContain(line)
    for (const { stdout, stderr } of ended) {
      expect(stdout + stderr).not.toContain('PRIVATE KEY')
      for (const line of before) expect(stdout + stderr).not.toContain(line)
    }
    expect(keyLines()).toEqual(before)
    expect(filesWith(elsewhere, some)).toEqual([])
    expect(filesWith(root, some).map(placeAndMode)).toEqual([
      'etc/ssl/certs/server.key 600',
      expect.stringMatching(/^var\/lib\/openwlb\/identities\/[0-9a-f]+\/server\.key 600$/), // the history
    ])
  })

  const placeAndMode = (path: string) => `${relative(root, path)} ${(statSync(path).mode & 0o777).toString(8)}`

  function filesWith(folder: string, lines: readonly string[]): string[] {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => {
        const bytes = readFileSync(path)
        return lines.some((line) => bytes.includes(line))
      })
      .sort()
  }
})

test('a port that is taken: the error names it and what to do', async () => {
  const taken = createServer().listen(port, OWN_ADDRESS)
  await new Promise((resolve) => taken.once('listening', resolve))
  const ended = await wlb('serve')
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' })
  expect(ended.stderr).toContain(`port: ${port}`)
  taken.close()
})
