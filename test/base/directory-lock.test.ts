/** One process owns a directory, nobody but its owner can take it, and the kernel lets go of it when that process is gone. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { type DirectoryLock, LOCK_FILE, lockDirectory } from '../../src/base/files/directory-lock.js'

const top = mkdtempSync(join(tmpdir(), 'openwlb-lock-'))
chmodSync(top, 0o755)
const holder = join(top, 'holder.mjs')
const held: DirectoryLock[] = []
let number = 0
let folder: string

beforeAll(async () => {
  const source = join(import.meta.dirname, 'lock-holder-program.ts')
  await build({
    entryPoints: [source],
    outfile: holder,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
  })
})
beforeEach(() => {
  folder = join(top, `d${number++}`)
  mkdirSync(folder)
})
afterAll(async () => {
  for (const lock of held) await lock.release()
  rmSync(top, { recursive: true, force: true })
})

const lockFile = () => join(folder, LOCK_FILE)
const keep = async (directory: string) => held.push(await lockDirectory(directory))
const isRoot = process.getuid?.() === 0
const NOBODY = 65_534

/** The code, with what was found where that says which. */
async function outcomeOf(directory: string): Promise<string> {
  try {
    await (await lockDirectory(directory)).release()
    return 'free'
  } catch (error) {
    if (!(error instanceof WlbError)) throw error
    return [error.code, error.facts.found ?? error.facts.systemError].filter(Boolean).join(': ')
  }
}

/** A process that holds `directory`; `as` is the user's number. */
async function holdElsewhere(directory: string, ...words: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [holder, directory, ...words], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await once(child.stdout, 'data')
  expect(String(said)).toContain('held')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('held once, under whatever name the directory is called; free again after release, and the file stays', async () => {
  symlinkSync(folder, join(top, 'alias'))
  const lock = await lockDirectory(folder)
  for (const name of [folder, `${folder}/.`, join(top, 'alias')])
    await expect(lockDirectory(name)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE', facts: { pid: process.pid } })
  const { ino, mode } = statSync(lockFile())
  expect(mode & 0o777).toBe(0o600)
  await lock.release()
  await (await lockDirectory(folder)).release()
  expect(statSync(lockFile()).ino).toBe(ino)
})

test('the error says which program holds it and since when, and recommends no kill', async () => {
  const child = await holdElsewhere(folder)
  const error = await lockDirectory(folder).catch((thrown: unknown) => thrown)
  await end(child)
  expect(error).toMatchObject({ code: 'DIRECTORY_IN_USE', facts: { directory: folder, pid: child.pid } })
  if (!(error instanceof WlbError)) throw error
  expect(error.facts.program).toBe(`${process.execPath} ${holder} ${folder}`)
  expect(Math.abs(Date.parse(String(error.facts.since)) - Date.now())).toBeLessThan(60_000)
  expect(error.remedy).toBe('wlb status')
})

test('a killed holder holds nothing, although its number is still in the file', async () => {
  const child = await holdElsewhere(folder)
  expect(await outcomeOf(folder)).toBe('DIRECTORY_IN_USE')
  await end(child)
  expect(readFileSync(lockFile(), 'utf8').trim()).toBe(String(child.pid))
  expect(await outcomeOf(folder)).toBe('free')
})

test('a program that the holder started and that outlives it holds nothing', async () => {
  const child = await holdElsewhere(folder, 'with-child')
  const grandchild = Number(readFileSync(join(folder, 'child'), 'utf8'))
  await end(child)
  try {
    expect(existsSync(`/proc/${grandchild}`)).toBe(true)
    expect(await outcomeOf(folder)).toBe('free')
  } finally {
    process.kill(grandchild, 'SIGKILL')
  }
})

test('whoever waits gets it when the holder lets go', async () => {
  const lock = await lockDirectory(folder)
  const waiting = lockDirectory(folder, 20_000)
  await expect(lockDirectory(folder, 150)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE' })
  await lock.release()
  await (await waiting).release()
})

/** Each of two processes adds one to a number in a file, `rounds` times, each time under the lock. */
async function countTogether(rounds: number): Promise<string> {
  writeFileSync(join(folder, 'count'), '0')
  const both = [1, 2].map(() => spawn(process.execPath, [holder, folder, 'count', `${rounds}`], { stdio: 'inherit' }))
  await Promise.all(both.map((child) => once(child, 'exit')))
  return readFileSync(join(folder, 'count'), 'utf8')
}

test('two processes at once, 10 times', async () => {
  expect(await countTogether(10)).toBe('20')
})
test('two processes at once, 100 times', { tags: ['long'], timeout: 120_000 }, async () => {
  expect(await countTogether(100)).toBe('200')
})

test('locking takes milliseconds', async () => {
  const started = performance.now()
  for (let round = 0; round < 20; round++) await (await lockDirectory(folder)).release()
  expect((performance.now() - started) / 20).toBeLessThan(100)
})

describe('the lock file is the owner’s own', () => {
  const victim = join(top, 'victim')
  const planted: [what: string, plant: () => void, outcome: string][] = [
    ['nothing', () => {}, 'free'],
    ['an old one with a number in it', () => writeFileSync(lockFile(), '1\n', { mode: 0o600 }), 'free'],
    ['one that others may read: closed to them', () => writeFileSync(lockFile(), '', { mode: 0o666 }), 'free'],
    ['a symbolic link', () => symlinkSync(victim, lockFile()), 'LOCK_FILE_UNUSABLE: it is a symbolic link'],
    ['a dangling one', () => symlinkSync(join(top, 'none'), lockFile()), 'LOCK_FILE_UNUSABLE: it is a symbolic link'],
    ['a hard link', () => linkSync(victim, lockFile()), 'LOCK_FILE_UNUSABLE: it is a hard link'],
    ['a folder', () => mkdirSync(lockFile()), 'LOCK_FILE_UNUSABLE: it is not a file'],
    ['a fifo', () => execFileSync('mkfifo', [lockFile()]), 'LOCK_FILE_UNUSABLE: it is not a file'],
    ['a socket', () => createServer().listen(lockFile()).unref(), 'LOCK_FILE_UNUSABLE: it is not a file'],
  ]
  it.each(planted)('%s', async (_, plant, outcome) => {
    writeFileSync(victim, 'keep')
    plant()
    expect(await outcomeOf(folder)).toBe(outcome)
    expect(readFileSync(victim, 'utf8')).toBe('keep')
    expect(existsSync(join(top, 'none'))).toBe(false)
    if (outcome === 'free') expect(lstatSync(lockFile()).mode & 0o777).toBe(0o600)
  })

  test('no name outside of the directory is a lock: the abstract one of older versions keeps nobody out', async () => {
    const { dev, ino } = statSync(folder, { bigint: true })
    const squatter = createServer().listen(`\0openwlb-directory-${dev}-${ino}`)
    await once(squatter, 'listening')
    expect(await outcomeOf(folder)).toBe('free')
    squatter.close()
  })
})

test.runIf(isRoot)('another user can neither take the lock nor make us wait for it', async () => {
  await (await lockDirectory(folder)).release()
  for (const how of ['-x', '-s']) {
    const { status, stderr } = spawnSync('flock', ['-n', how, lockFile(), 'true'], { uid: NOBODY, encoding: 'utf8' })
    expect(status, stderr).not.toBe(0)
  }
  const refused = spawnSync(process.execPath, [holder, folder], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
  expect(refused.stdout.trim()).toBe('PATH_NOT_PERMITTED')
  expect(await outcomeOf(folder)).toBe('free')
})

test.runIf(isRoot)('a file planted by another user is refused, named, and not written to', async () => {
  writeFileSync(lockFile(), '', { mode: 0o600 })
  chownSync(lockFile(), NOBODY, NOBODY)
  expect(await outcomeOf(folder)).toBe('LOCK_FILE_UNUSABLE: it belongs to the user 65534')
  expect(readFileSync(lockFile(), 'utf8')).toBe('')
})

test.runIf(isRoot)('what root locks in another user’s directory, that user can lock afterwards', async () => {
  chownSync(folder, NOBODY, NOBODY)
  expect(await outcomeOf(folder)).toBe('free')
  const child = spawn(process.execPath, [holder, folder], {
    uid: NOBODY,
    gid: NOBODY,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(String((await once(child.stdout, 'data'))[0]).trim()).toBe('held')
  await expect(lockDirectory(folder)).rejects.toMatchObject({ code: 'DIRECTORY_IN_USE', facts: { pid: child.pid } })
  await end(child)
})

test.runIf(isRoot)('a holder that cannot be looked at is not named', async () => {
  chownSync(folder, NOBODY, NOBODY)
  const lock = await lockDirectory(folder)
  const refused = spawnSync(process.execPath, [holder, folder], { uid: NOBODY, gid: NOBODY, encoding: 'utf8' })
  await lock.release()
  expect(refused.stdout.trim()).toBe('DIRECTORY_IN_USE')
})

test('a number in the file that belongs to a process without the file is not named', async () => {
  await keep(folder)
  for (const claim of ['1', `${process.ppid}`, '-1', '99999999', 'x', '1;reboot']) {
    writeFileSync(lockFile(), `${claim}\n`)
    const error = await lockDirectory(folder).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'DIRECTORY_IN_USE', facts: { directory: folder }, remedy: 'wlb status' })
    expect(error).not.toHaveProperty('facts.pid')
  }
})

test('a directory replaced while held: the new one is free, the old one is held under its new name', async () => {
  await keep(folder)
  renameSync(folder, `${folder}-old`)
  mkdirSync(folder)
  expect(await outcomeOf(folder)).toBe('free')
  expect(await outcomeOf(`${folder}-old`)).toBe('DIRECTORY_IN_USE')
})

test('the file replaced between opening and locking: the new one is locked', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  // a flock that replaces the file once before it locks
  writeFileSync(
    join(bin, 'flock'),
    `#!/bin/sh\n[ -e ${folder}/done ] || { touch ${folder}/done; mv ${lockFile()} ${folder}/moved; touch ${lockFile()}; }\nexec ${flockPath()} "$@"\n`,
    { mode: 0o755 },
  )
  const path = process.env.PATH
  process.env.PATH = `${bin}:${path}`
  try {
    await keep(folder)
  } finally {
    process.env.PATH = path
  }
  const tried = (name: string) => spawnSync('flock', ['-n', join(folder, name), 'true']).status
  expect([tried('moved'), tried(LOCK_FILE)]).toEqual([0, 1])
})

test('no program flock: the error says what to install, and nothing stays open', async () => {
  const path = process.env.PATH
  process.env.PATH = folder
  try {
    await expect(lockDirectory(folder)).rejects.toMatchObject({
      code: 'LOCK_PROGRAM_MISSING',
      remedy: 'apt-get install util-linux',
    })
  } finally {
    process.env.PATH = path
  }
  const open = readdirSync('/proc/self/fd').map((name) => statSync(`/proc/self/fd/${name}`, { throwIfNoEntry: false }))
  expect(open.some((file) => file?.ino === statSync(lockFile()).ino)).toBe(false)
})

test('a file system that gives no locks says why', async () => {
  writeFileSync(join(folder, 'flock'), '#!/bin/sh\necho "flock: 3: No locks available" >&2\nexit 71\n', { mode: 0o755 })
  const path = process.env.PATH
  process.env.PATH = `${folder}:${path}`
  try {
    await expect(lockDirectory(folder)).rejects.toMatchObject({
      code: 'LOCK_IMPOSSIBLE',
      facts: { reason: 'flock: 3: No locks available' },
    })
  } finally {
    process.env.PATH = path
  }
})

describe.runIf(isRoot)('on a file system of its own', () => {
  const mount = (...words: string[]) => spawnSync('mount', words, { encoding: 'utf8' })
  const canMount = isRoot && mountWorks()

  test.runIf(canMount)(
    'read-only: PATH_NOT_PERMITTED; full: held all the same, or DISK_FULL where the file is not there',
    async () => {
      mount('-t', 'tmpfs', '-o', 'size=64k,nr_inodes=4', 'none', folder)
      try {
        await (await lockDirectory(folder)).release()
        spawnSync('dd', ['if=/dev/zero', `of=${folder}/filler`, 'bs=1k'])
        expect(await outcomeOf(folder)).toBe('free')
        mount('-o', 'remount,ro', folder)
        expect(await outcomeOf(folder)).toBe('PATH_NOT_PERMITTED: EROFS')
        mount('-o', 'remount,rw', folder)
        unlinkSync(lockFile())
        for (const name of ['a', 'b', 'c']) spawnSync('touch', [join(folder, name)])
        expect(await outcomeOf(folder)).toBe('DISK_FULL')
      } finally {
        spawnSync('umount', [folder])
      }
    },
  )

  function mountWorks(): boolean {
    const place = join(top, 'try')
    mkdirSync(place)
    const works = mount('-t', 'tmpfs', 'none', place).status === 0
    if (works) spawnSync('umount', [place])
    return works
  }
})

function flockPath(): string {
  return execFileSync('sh', ['-c', 'command -v flock'], { encoding: 'utf8' }).trim()
}
