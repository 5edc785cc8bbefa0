/** Limits of the system that are too small: what is missing is named, and nothing is called a defect. */
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it, test } from 'vitest'
import { explainShortage } from '../../src/base/file-failure.js'
import { makeFolder, removeFolder } from './program.js'

const folder = makeFolder()
afterAll(() => removeFolder(folder))
const wlb = join(import.meta.dirname, '../../dist/wlb.js')
const passwordFile = join(folder, 'password')
writeFileSync(passwordFile, 'geheim\n')

function under(limit: string, ...args: string[]) {
  const command = [process.execPath, wlb, '--root', join(folder, limit.replaceAll(' ', '')), ...args]
  return spawnSync('bash', ['-c', `ulimit ${limit}; exec "$@"`, 'bash', ...command], {
    encoding: 'utf8',
    timeout: 30_000,
  })
}

describe('open files', () => {
  // with fewer than 19, Node itself does not start
  it.each([19, 20, 22, 24, 28, 32, 36])('%i are too few to set an appliance up, and it says so', (count) => {
    const ended = under(
      `-n ${count}`,
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
    const { stdout } = under(`-n ${count}`, 'status', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'TOO_MANY_OPEN_FILES', remedy: 'ulimit -n 1024' } })
  })

  it.each([40, 64])('%i are enough to say that there is no appliance yet', (count) => {
    const { stderr } = under(`-n ${count}`, 'status')
    expect(stderr).toContain('[NOT_SET_UP]')
  })
})

test('the size of a file: named, and the file is not left half written', () => {
  const ended = under('-f 1', 'ca', 'create', '--passphrase-file', passwordFile, '--yes')
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
