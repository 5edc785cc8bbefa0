/** Limits of the system that are too small: what is missing is named, and nothing is called a defect. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { leaves } from '../../scripts/reference-page.js'
import { explainShortage } from '../../src/base/files/file-failure.js'
import { commandLine } from '../../src/cli/command-line.js'
import { makeFolder, removeFolder } from './program.js'

const folder = makeFolder()
afterAll(() => removeFolder(folder))
const wlb = join(import.meta.dirname, '../../dist/wlb.js')
const passwordFile = join(folder, 'password')
writeFileSync(passwordFile, 'geheim\n')

function under(
  limit: string,
  { env = {}, timeout = 30_000 }: { env?: NodeJS.ProcessEnv; timeout?: number },
  ...args: string[]
) {
  const command = [process.execPath, wlb, '--root', join(folder, limit.replaceAll(' ', '')), ...args]
  return spawnSync('bash', ['-c', `ulimit ${limit}; exec "$@"`, 'bash', ...command], {
    encoding: 'utf8',
    env: { ...process.env, XDG_CONFIG_HOME: join(folder, 'config'), ...env },
    cwd: folder,
    timeout,
    killSignal: 'SIGINT', // a demo or a lab that has begun is taken down again
  })
}

describe('open files', () => {
  // with fewer than 19, Node itself does not start
  it.each([19, 20, 22, 24, 28, 32, 36])('%i are too few to set an appliance up, and it says so', (count) => {
    const ended = under(
      `-n ${count}`,
      {},
      'setup',
      '--hostname',
      'wlb.lab.internal',
      '--password-file',
      passwordFile,
      '--yes',
    )
    expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('[TOO_MANY_OPEN_FILES]')])
    expect(ended.stderr).toContain('try: ulimit -n 1024')
    expect(ended.stdout).toBe('')
  })

  it.each([20, 32])('%i: programs get a document too', (count) => {
    const { stdout } = under(`-n ${count}`, {}, 'status', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'TOO_MANY_OPEN_FILES', remedy: 'ulimit -n 1024' } })
  })

  it.each([64, 96])('%i are enough to say that there is no appliance yet', (count) => {
    const { stderr } = under(`-n ${count}`, {}, 'status')
    expect(stderr).toContain('[NOT_SET_UP]')
  })
})

/** Enough words for each command to begin its work: what it must be given, and a yes. */
const everyCommand = leaves(commandLine()).map(({ words, command }): [words: string, given: string[]] => {
  const has = (long: string) => command.options.some((option) => option.long === long)
  const given = command.registeredArguments.filter(({ required }) => required).map(() => 'bash')
  const flags = ['--yes', '--json'].filter(has)
  if (has('--passphrase-file')) flags.push('--passphrase-file', passwordFile)
  if (has('--password-file')) flags.push('--password-file', passwordFile)
  if (has('--hostname')) flags.push('--hostname', 'wlb.lab.internal')
  if (has('--pool')) flags.push('--pool', 'https://127.0.0.1:1')
  return [words.slice(1).join(' '), [...given, ...flags]]
})
const limits: [what: string, limit: string, env: NodeJS.ProcessEnv][] = [
  ['24 descriptors', '-n 24', {}],
  ['files of 1 KB', '-f 1', {}],
  ['no temporary folder', '-c 0', { TMPDIR: join(folder, 'nowhere') }],
]
describe.each(limits)('every command with %s', (_what, limit, env) => {
  it.each(everyCommand)('wlb %s: no defect', { tags: 'long', timeout: 60_000 }, (words, given) => {
    const ended = under(limit, { env, timeout: 20_000 }, ...words.split(' '), ...given)
    if (words === 'lab up') under('-c 0', {}, 'lab', 'down')
    expect(`${ended.stdout}${ended.stderr}`).not.toMatch(/INTERNAL_ERROR|^ +at .*\.js:\d+/m)
    expect([0, 1, 2, 130, null]).toContain(ended.status)
  })
})

const places: [what: string, make: (path: string) => void, code: string][] = [
  ['is not there', () => {}, 'TEMPORARY_FOLDER_MISSING'],
  ['is a file', (path) => writeFileSync(path, ''), 'PATH_OCCUPIED'],
]
it.each(places)('a folder for temporary files that %s: %s', (what, make, code) => {
  const path = join(folder, `temporary that ${what}`)
  make(path)
  const { status, stderr } = under('-c 0', { env: { TMPDIR: path } }, 'demo')
  expect([status, stderr]).toEqual([1, expect.stringContaining(`[${code}]`)])
})

test('a folder for temporary files in which this user may not write', () => {
  const path = join(folder, 'temporary of another')
  mkdirSync(path, { mode: 0o755 })
  const args = ['--reuid', '4242', '--clear-groups', process.execPath, wlb, 'demo']
  const env = { PATH: process.env.PATH, HOME: path, TMPDIR: path }
  const { status, stderr } = spawnSync('setpriv', args, { encoding: 'utf8', env, cwd: '/' })
  expect([status, stderr]).toEqual([1, expect.stringContaining('[TEMPORARY_FOLDER_NOT_PERMITTED]')])
  expect(stderr).toContain(`folder: ${path}\n  systemError: EACCES\n  try: TMPDIR=/tmp wlb demo`)
})

test('the size of a file: named, and the file is not left half written', () => {
  const ended = under('-f 1', {}, 'ca', 'create', '--passphrase-file', passwordFile, '--yes')
  expect([ended.status, ended.stderr]).toEqual([1, expect.stringContaining('[FILE_SIZE_LIMITED]')])
  expect(existsSync(join(folder, '-f1', 'authority', 'index.json'))).toBe(false)
})

const homes: [what: string, env: NodeJS.ProcessEnv, words: string][] = [
  ['empty', { HOME: '' }, 'status'],
  ['empty', { HOME: '' }, 'trust status --pool https://pool.example.com'],
  ['unknown', {}, 'status'],
]
it.each(homes)('a home folder that is %j: wlb %j %s', (_what, env, words) => {
  const command = [process.execPath, wlb, ...words.split(' ')]
  const [program = '', ...args] =
    env.HOME === undefined ? ['setpriv', '--reuid', '4242', '--clear-groups', ...command] : command
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { PATH: process.env.PATH, ...env } })
  expect([status, stderr]).toEqual([1, expect.stringContaining('[HOME_UNKNOWN]')])
})

const shortages: [code: string, syscall: string, outcome: string | undefined][] = [
  ['EMFILE', 'open', 'TOO_MANY_OPEN_FILES'],
  ['ENFILE', 'socket', 'TOO_MANY_OPEN_FILES'],
  ['ENOMEM', 'read', 'MEMORY_EXHAUSTED'],
  ['EAGAIN', 'spawn', 'TOO_MANY_PROCESSES'],
  ['EAGAIN', 'read', undefined],
  ['EFBIG', 'write', 'FILE_SIZE_LIMITED'],
  ['ENOENT', 'open', undefined],
]
it.each(shortages)('%s of %s, wrapped in another error: %s', (code, syscall, outcome) => {
  const cause = Object.assign(new Error('from the system'), { code, syscall })
  expect(explainShortage(new Error('what was being done', { cause }))?.code).toBe(outcome)
})
