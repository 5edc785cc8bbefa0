/**
 * The disk under the embedded database fails while pools ask: what was acknowledged is there afterwards, each request has its
 * answer within ten seconds, `wlb status` tells, and the appliance goes on by itself (docs/database.md).
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { readStatus } from '../../src/identity/index.js'
import { openSmallDisk } from '../identity/small-disk.js'
import { mayTrace } from '../identity/system-calls.js'
import { requirePart } from '../real-parts.js'
import { requireRunFolder } from '../run-folder.js'
import { call } from '../server/raw-client.js'
import { setUpForTests } from '../server/test-appliance.js'
import { startXenApiHost, type XenApiHost } from '../server/xen-api-host.js'
import {
  askSteadily,
  commandOf,
  endServe,
  enginesOf,
  POOL,
  readNumber,
  runWlb,
  type ServeProcess,
  type SteadyClient,
  startServe,
} from './serve-process.js'
import { spoilCalls } from './spoiled-calls.js'

/** What pools are promised, and what a busy machine adds. */
const ANSWER_LIMIT_MS = 10_000
const ENGINE = join(import.meta.dirname, '../../src/store/embedded-engine.ts')
const strace = requirePart('strace')
const traceable = strace !== undefined && mayTrace(strace)
const small = openSmallDisk('160m')

let host: XenApiHost
let client: SteadyClient | undefined
let serve: ServeProcess | undefined
const roots: string[] = []

beforeAll(async () => {
  host = await startXenApiHost({ poolUuid: POOL, hostUuids: ['h1'], password: 'secret' })
})
afterEach(async () => {
  await client?.stop()
  if (serve) await endServe(serve, 'SIGKILL')
})
afterAll(async () => {
  await host.close()
  for (const root of roots) rmSync(root, { recursive: true, force: true })
  small?.remove()
})

/** A registered pool, and a client that has had two changes stored. */
async function begin(root: string, filler?: () => string): Promise<{ serve: ServeProcess; client: SteadyClient }> {
  await setUpForTests(root)
  const started = await startServe(root)
  serve = started
  const request = { password: 'secret', poolUuid: POOL, userName: 'root', xenServerUrl: host.url }
  expect(await call(started.port, { method: 'AddXenServer', request })).toMatchObject({ kind: 'result' })
  const steady = askSteadily(() => serve?.port ?? 0, filler)
  client = steady
  await steady.see('stored', 2, 10_000)
  return { serve: started, client: steady }
}

function newRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-faults-'))
  roots.push(root)
  return root
}

/** The facts that hold after each fault: answers in time, one line in the log, nothing lost by a restart. */
async function expectWhole(root: string, steady: SteadyClient): Promise<void> {
  await steady.stop()
  const slowest = Math.max(...steady.answers.map(({ ms }) => ms))
  expect(slowest).toBeLessThan(ANSWER_LIMIT_MS)
  for (const { text } of steady.answers.filter(({ outcome }) => outcome === 'fault'))
    expect(text).toMatch(/The database (cannot be used at the moment|broke off)/)
  expect(steady.answers.filter(({ outcome }) => outcome === 'none')).toEqual([])
  expect((await readStatus(root)).databaseTrouble).toBeNull()
  const logged = serve?.logged.join('\n') ?? ''
  expect(logged.match(/the database cannot be used/g)?.length ?? 0).toBeLessThanOrEqual(2)
  expect(logged).not.toContain('a request could not be answered')

  if (serve) expect(await endServe(serve, 'SIGTERM')).toBe(0)
  serve = await startServe(root)
  const number = await readNumber(serve.port)
  expect(number).toBeGreaterThanOrEqual(steady.stored())
  expect(number).toBeLessThanOrEqual(steady.sent())
}

describe.skipIf(!traceable)('system calls that fail (strace)', { tags: 'long', timeout: 60_000 }, () => {
  const faults: [title: string, inject: string[]][] = [
    ['flushing: EIO', ['fsync:error=EIO']],
    ['writing: EIO', ['pwrite64:error=EIO']],
    ['writing: ENOSPC', ['pwrite64:error=ENOSPC']],
    ['reading: EIO', ['pread64:error=EIO']],
    ['a file system that has become read-only', ['pwrite64:error=EROFS', 'fsync:error=EROFS']],
    ['a flush that takes a minute', ['fsync:delay_enter=60000000']],
  ]
  test.each(faults)('%s', async (title, inject) => {
    const root = newRoot()
    const { serve, client } = await begin(root)
    const engines = enginesOf(serve.pid)
    const disk = await spoilCalls(strace!, [serve.pid, ...engines], inject)
    if (title.startsWith('reading')) for (const engine of engines) process.kill(engine, 'SIGKILL') // all it needs, it has read
    await client.see('fault', 2, 20_000)
    expect((await readStatus(root)).databaseTrouble).toMatchObject({ reason: expect.any(String) })
    if (!inject.some((one) => one.includes('delay'))) expect(disk.count()).toBeGreaterThan(0) // strace logs a call that returns
    await disk.mend()
    await client.see('stored', 2, 20_000)
    await expectWhole(root, client)
  })
})

describe('an engine that is gone or hangs', { tags: 'long', timeout: 60_000 }, () => {
  test.each<[title: string, signal: NodeJS.Signals]>([
    ['killed', 'SIGKILL'],
    ['stopped', 'SIGSTOP'],
  ])('%s', async (_, signal) => {
    const root = newRoot()
    const { serve, client } = await begin(root)
    const [engine = 0] = enginesOf(serve.pid)
    process.kill(engine, signal)
    await client.see('stored', 3, 20_000)
    expect(enginesOf(serve.pid)).not.toContain(engine)
    await expectWhole(root, client)
  })

  test('while it is stopped, SIGTERM ends the appliance with 0 within ten seconds', async () => {
    const { serve, client } = await begin(newRoot())
    const [engine = 0] = enginesOf(serve.pid)
    process.kill(engine, 'SIGSTOP')
    await client.stop()
    const startedMs = performance.now()
    expect(await endServe(serve, 'SIGTERM')).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    await expect.poll(() => commandOf(engine), { timeout: 5000 }).toBe('')
  })

  test.skipIf(!traceable)(
    'not even SIGKILL ends it: no second one is started beside it, and nothing is lost',
    async () => {
      const root = newRoot()
      const { serve: first, client } = await begin(root)
      const [engine = 0] = enginesOf(first.pid)
      const disk = await spoilCalls(strace!, [engine], ['fsync:delay_enter=60000000']) // strace keeps it until that is over
      await expect.poll(() => client.sent() - client.answers.length, { timeout: 10_000 }).toBeGreaterThan(3)
      await endServe(first, 'SIGKILL')
      await client.stop()
      const { exitCode, stderr } = await runWlb(root, ['serve'])
      expect({ exitCode, stderr }).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('[DATABASE_UNUSABLE]'),
      })
      expect(stderr).toContain('Another process is using this directory')
      await disk.mend()
      serve = await startServe(root)
      expect(commandOf(engine)).toBe('')
      expect(await readNumber(serve.port)).toBeGreaterThanOrEqual(client.stored())
    },
  )

  test('hanging in a statement when the appliance is killed: it ends by itself', async () => {
    const directory = join(newRoot(), 'db')
    cpSync(requireRunFolder('db'), directory, { recursive: true })
    const program = `import { openEngine } from '${ENGINE}'
      const session = await openEngine(${JSON.stringify(directory)})
      console.log('open')
      await session.query('select count(*) from generate_series(1, 100000000000::bigint)', [])`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout, 'data')
    const [engine = 0] = enginesOf(child.pid ?? 0)
    expect(commandOf(engine)).toContain(directory)
    await pause(500) // it is in the statement now, or will be: it ends either way
    child.kill('SIGKILL')
    await expect.poll(() => commandOf(engine), { timeout: 10_000 }).toBe('')
  })
})

describe.skipIf(!small)('a disk that fills up', { tags: 'long', timeout: 90_000 }, () => {
  test('changes are refused; with space again all is well', async () => {
    const root = join(small!.folder, 'root')
    const { serve, client } = await begin(root, () => randomBytes(50_000).toString('hex'))
    small!.fill()
    await client.see('fault', 2, 30_000)
    const status = await readStatus(root)
    expect(status.databaseTrouble).toMatchObject({ reason: expect.any(String) })
    expect(await runWlb(root, ['status'])).toMatchObject({
      exitCode: 1,
      stdout: expect.stringMatching(/^UNUSABLE: +the database, since/m),
    })
    expect(serve.child.exitCode).toBeNull()
    small!.empty()
    await client.see('stored', 2, 20_000)
    await expectWhole(root, client)
  })
})

describe.skipIf(!traceable)('a start that fails (strace)', { tags: 'long', timeout: 60_000 }, () => {
  test.each<[title: string, inject: string]>([
    ['reading: EIO', 'pread64:error=EIO:when=20+'],
    ['flushing: EIO', 'fsync:error=EIO'],
  ])('%s: it says so and ends with 1', async (_, inject) => {
    const root = newRoot()
    const { serve: first, client } = await begin(root)
    await client.stop()
    await endServe(first, 'SIGKILL') // so that the next one has something to recover
    const [name = ''] = inject.split(':')
    const tracer = [strace!, '-f', '--seccomp-bpf', '-o', '/dev/null', '-e', `trace=${name}`, '-e', `inject=${inject}`]
    const { exitCode, stderr, afterMs } = await runWlb(root, ['serve'], tracer)
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/\[DATABASE_UNUSABLE\]|\[DISK_FAULTY\]/),
    })
    expect(afterMs).toBeLessThan(30_000)
    serve = await startServe(root)
    expect(await readNumber(serve.port)).toBeGreaterThanOrEqual(client.stored())
  })
})
