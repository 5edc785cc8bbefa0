/** `wlb serve` answers its pools whatever becomes of its log: a full disk, a reader that has stopped, one that is gone. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { paths, readSettings } from '../../src/config/index.js'
import { openSmallDisk } from '../identity/small-disk.js'
import { basic, setUpForTests } from '../server/test-appliance.js'
import { run } from './program.js'

const WLB = join(import.meta.dirname, '../../dist/wlb.js')
const LIMIT_MS = 2000
const root = mkdtempSync(join(tmpdir(), 'openwlb-serve-log-'))
const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 4 })
let address: string
let port: number
let serving: ChildProcess | undefined

beforeAll(async () => {
  await setUpForTests(root)
  ;({ address, port } = await readSettings(paths(root).settings))
})
afterEach(async () => {
  if (serving?.exitCode === null) {
    serving.kill('SIGTERM')
    await once(serving, 'exit')
  }
})
afterAll(() => {
  agent.destroy()
  rmSync(root, { recursive: true, force: true })
})

/** `log` is where its stderr leads. */
async function serve(log: number | 'pipe'): Promise<ChildProcess> {
  const child = spawn(process.execPath, [WLB, '--root', root, 'serve'], { stdio: ['ignore', 'pipe', log] })
  serving = child
  if (child.stdout) await once(child.stdout, 'data')
  return child
}

/** Every request writes a line. Returns the longest time that one took; a request that fails throws. */
async function ask(count: number): Promise<number> {
  let longestMs = 0
  for (let at = 0; at < count; at += 4) {
    const started = performance.now()
    await Promise.all([1, 2, 3, 4].map(askOnce))
    longestMs = Math.max(longestMs, performance.now() - started)
  }
  return longestMs
}

function askOnce(): Promise<void> {
  const headers = { Authorization: basic() }
  return new Promise((resolve, reject) => {
    request({ host: address, port, agent, method: 'GET', path: '/', headers }, (response) => {
      response.resume().once('end', () => (response.statusCode === 404 ? resolve() : reject(response.statusCode)))
    })
      .once('error', reject)
      .end()
  })
}

async function lostLines(): Promise<number> {
  const { stdout, exitCode } = await run('wlb', ['--root', root, 'status', '--json'])
  expect(exitCode).toBe(0)
  return JSON.parse(stdout).log.lostLines
}

async function stopped(): Promise<void> {
  serving?.kill('SIGTERM')
  const [code] = serving ? await once(serving, 'exit') : []
  expect(code).toBe(0)
}

test('a device that is always full', async () => {
  const full = openSync('/dev/full', 'w')
  await serve(full)
  closeSync(full)
  expect(await ask(400)).toBeLessThan(LIMIT_MS)
  expect(await lostLines()).toBe(0) // they wait
  await stopped()
})

test('a disk that fills up and is emptied: the log goes on, and nothing that could wait is lost', async () => {
  const disk = openSmallDisk('64k')
  if (!disk) return
  try {
    const path = join(disk.folder, 'log')
    const file = openSync(path, 'a')
    await serve(file)
    closeSync(file)
    disk.fill()
    expect(await ask(100)).toBeLessThan(LIMIT_MS)
    disk.empty()
    expect(await ask(4)).toBeLessThan(LIMIT_MS)
    await stopped()
    const lines = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg)
    expect(lines).toEqual(['ready', ...Array.from({ length: 104 }, () => 'request'), 'stopped'])
  } finally {
    if (serving?.exitCode === null) await stopped()
    disk.remove()
  }
})

test('a pipe whose reader has stopped, then reads on', async () => {
  const path = join(root, 'log-pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  await serve(writer)
  closeSync(writer)
  expect(await ask(800)).toBeLessThan(LIMIT_MS) // 64 kB of lines fill the pipe
  expect(await lostLines()).toBe(0)
  const read = readLater(reader)
  await stopped()
  const lines = (await read).trim().split('\n')
  expect(lines.filter((line) => JSON.parse(line).msg === 'request')).toHaveLength(800)
  expect(JSON.parse(lines.at(-1) ?? '').msg).toBe('stopped')
  closeSync(reader)
})

/** To the end. */
async function readLater(reader: number): Promise<string> {
  const bytes = Buffer.alloc(100_000)
  let text = ''
  for (;;) {
    try {
      const count = readSync(reader, bytes)
      if (count === 0) return text
      text += bytes.toString('utf8', 0, count)
    } catch {
      await pause(5)
    }
  }
}

test('a reader that ends', async () => {
  const child = await serve('pipe')
  child.stderr?.destroy()
  expect(await ask(400)).toBeLessThan(LIMIT_MS)
  await stopped()
})

test('more lines than may wait: counted, and wlb status says so', { tags: ['long'], timeout: 120_000 }, async () => {
  const path = join(root, 'long-pipe')
  execFileSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  await serve(writer)
  closeSync(writer)
  expect(await ask(12_000)).toBeLessThan(LIMIT_MS)
  const lost = await lostLines()
  expect(lost).toBeGreaterThan(1000)
  const { stdout } = await run('wlb', ['--root', root, 'status'])
  expect(stdout).toContain(`LOG: `)
  expect(stdout).toContain(`${lost} lines could not be written`)
  const read = readLater(reader)
  await stopped()
  const lines = (await read)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.find(({ msg }) => msg === 'log lines were lost')).toMatchObject({ level: 'warn', lost })
  expect(lines.filter(({ msg }) => msg === 'request')).toHaveLength(12_000 - lost)
  closeSync(reader)
})
