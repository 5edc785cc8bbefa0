/**
 * The PostgreSQL server fails while pools ask: each request has its answer within ten seconds, the appliance connects again by
 * itself, what was acknowledged is there afterwards, and `wlb status` tells (docs/database.md).
 */
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readStatus } from '../../src/identity/index.js'
import { setUp } from '../../src/server/index.js'
import { freePort } from '../free-port.js'
import { openSmallDisk } from '../identity/small-disk.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { call } from '../server/raw-client.js'
import { HOSTNAME, PASSWORD, USER_NAME } from '../server/test-appliance.js'
import { startXenApiHost } from '../server/xen-api-host.js'
import { type PostgresServer, startPostgres } from '../store/postgres-server.js'
import {
  askSteadily,
  endServe,
  POOL,
  readNumber,
  runWlb,
  type ServeProcess,
  type SteadyClient,
  startServe,
} from './serve-process.js'

const ANSWER_LIMIT_MS = 10_000
const CONNECTIONS = 12
const postgres = requirePart('postgres')
const small = openSmallDisk('24m')

/** What befalls the server, and how it is mended. */
interface Fault {
  begin(): void | Promise<void>
  mend(): void | Promise<void>
  /** In the status. */
  readonly reason: RegExp
}

describe.skipIf(!postgres)('a PostgreSQL server (postgres) that fails', { tags: 'long', timeout: 60_000 }, () => {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-faults-'))
  let server: PostgresServer
  let serve: ServeProcess
  let client: SteadyClient

  beforeAll(async () => {
    server = await startPostgres(postgres!, [`max_connections=${CONNECTIONS}`, 'superuser_reserved_connections=2'])
    server.run('create role openwlb login')
    const url = server.createDatabase('wlb').replace('wlb@', 'openwlb@')
    server.run('alter database wlb owner to openwlb')
    const [hostname, address, port] = [HOSTNAME, OWN_ADDRESS, await freePort()]
    const account = { userName: USER_NAME, password: PASSWORD }
    await setUp({ root, hostname, address, port, ...account, databaseUrl: url, now: new Date() })
    serve = await startServe(root)
    const host = await startXenApiHost({ poolUuid: POOL, hostUuids: ['h1'], password: 'secret' })
    const request = { password: 'secret', poolUuid: POOL, userName: 'root', xenServerUrl: host.url }
    expect(await call(serve.port, { method: 'AddXenServer', request })).toMatchObject({ kind: 'result' })
    await host.close()
    client = askSteadily(() => serve.port)
    await client.see('stored', 2, 10_000)
  })
  afterAll(async () => {
    await client?.stop()
    if (serve) await endServe(serve, 'SIGKILL')
    await server?.stop()
    small?.remove()
    rmSync(root, { recursive: true, force: true })
  })

  const faults: Record<string, () => Fault> = {
    'ended in good order': () => ({
      begin: () => server.end(),
      mend: () => server.start(),
      reason: /ENOENT|ECONNREFUSED|terminat/,
    }),
    'killed with all its processes': () => ({
      begin: () => server.end('SIGKILL'),
      mend: () => server.start(),
      reason: /./,
    }),
    stopped: () => ({
      begin: () => server.signal('SIGSTOP'),
      mend: () => server.signal('SIGCONT'),
      reason: /did not answer within/,
    }),
    'read-only': () => ({
      begin: () => {
        server.run('alter database wlb set default_transaction_read_only = on')
        disconnect()
      },
      mend: () => {
        server.run('alter database wlb reset default_transaction_read_only')
        disconnect()
      },
      reason: /read-only transaction/,
    }),
    'its database gone': () => ({
      begin: () => {
        server.run('alter database wlb allow_connections false')
        disconnect()
        server.run('alter database wlb rename to away')
      },
      mend: () => {
        server.run('alter database away rename to wlb')
        server.run('alter database wlb allow_connections true')
      },
      reason: /does not exist|not currently accepting/,
    }),
    'another password': () => ({
      begin: () => {
        server.requirePassword(true)
        disconnect()
      },
      mend: () => server.requirePassword(false),
      reason: /password/,
    }),
    'no connections left': () => ({
      begin: async () => {
        server.run('alter role openwlb connection limit 0')
        disconnect()
      },
      mend: () => {
        server.run('alter role openwlb connection limit -1')
      },
      reason: /too many connections/,
    }),
  }
  const disconnect = () =>
    server.run(`select pg_terminate_backend(pid) from pg_stat_activity where datname in ('wlb', 'away')`)

  test.each(Object.keys(faults))('%s', async (title) => {
    const { begin, mend, reason } = faults[title]!()
    const [from, logged] = [client.answers.length, serve.logged.length]
    try {
      await begin()
      await client.see('fault', 3, 30_000)
      await expect
        .poll(async () => (await readStatus(root)).databaseTrouble?.reason, { timeout: 15_000, interval: 200 })
        .toMatch(reason)
      const status = await runWlb(root, ['status', '--json'])
      expect(status.exitCode).toBe(1)
      expect(JSON.parse(status.stdout).databaseTrouble.reason).toMatch(reason)
    } finally {
      await mend()
    }
    await client.see('stored', 3, 20_000)
    await expectWhole(from, logged)
  })

  test('restarted five times in a row', async () => {
    const [from, logged] = [client.answers.length, serve.logged.length]
    for (let round = 0; round < 5; round++) {
      await server.end(round % 2 === 0 ? 'SIGINT' : 'SIGKILL')
      await server.start()
      await pause(300)
    }
    await client.see('stored', 3, 20_000)
    await expectWhole(from, logged)
  })

  test('slow: two seconds without an answer are waited for', async () => {
    const from = client.answers.length
    server.signal('SIGSTOP')
    await pause(2000)
    server.signal('SIGCONT')
    await client.see('stored', 6, 10_000)
    expect(client.answers.slice(from).filter(({ outcome }) => outcome !== 'stored')).toEqual([])
  })

  test('one connection broken off by hand: nobody notices for long', async () => {
    disconnect()
    await client.see('stored', 3, 10_000)
    expect((await readStatus(root)).databaseTrouble).toBeNull()
  })

  test('a restart of the appliance finds all that was acknowledged', async () => {
    await client.stop()
    expect(await endServe(serve, 'SIGTERM')).toBe(0)
    serve = await startServe(root)
    expect(await readNumber(serve.port)).toBeGreaterThanOrEqual(client.stored())
  })

  test('while it is stopped, SIGTERM ends the appliance with 0 within ten seconds', async () => {
    server.signal('SIGSTOP')
    const startedMs = performance.now()
    expect(await endServe(serve, 'SIGTERM')).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    const start = await runWlb(root, ['serve'])
    expect(start).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('[DATABASE_UNREACHABLE]') })
    expect(start.stderr).toContain('did not answer within')
    server.signal('SIGCONT')
  })

  test('gone when the appliance starts: it says so and ends with 1', async () => {
    await server.end()
    const { exitCode, stderr, afterMs } = await runWlb(root, ['serve'])
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('[DATABASE_UNREACHABLE]'),
    })
    expect(afterMs).toBeLessThan(10_000)
    await server.start()
  })

  test.skipIf(!small)('its disk full: changes are refused, and stored when there is space again', async () => {
    chmodSync(small!.folder, 0o755)
    const place = join(small!.folder, 'tables')
    mkdirSync(place)
    server.createTablespace('small', place)
    server.run('alter database wlb set tablespace small')
    serve = await startServe(root)
    client = askSteadily(
      () => serve.port,
      () => randomBytes(50_000).toString('hex'),
    )
    const logged = serve.logged.length
    await client.see('stored', 1, 10_000)
    small!.fill()
    await client.see('fault', 2, 20_000)
    expect((await readStatus(root)).databaseTrouble?.reason).toMatch(/No space left/)
    small!.empty()
    await client.see('stored', 2, 20_000)
    await expectWhole(0, logged)
  })

  /** The facts that hold after each fault. */
  async function expectWhole(from: number, logged: number): Promise<void> {
    const answers = client.answers.slice(from)
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(ANSWER_LIMIT_MS)
    for (const { text } of answers.filter(({ outcome }) => outcome === 'fault'))
      expect(text).toMatch(/The database (cannot be used at the moment|broke off)/)
    expect(answers.filter(({ outcome }) => outcome === 'none')).toEqual([])
    expect((await readStatus(root)).databaseTrouble).toBeNull()
    const lines = serve.logged.slice(logged).join('\n')
    expect(lines.match(/the database cannot be used/g)?.length ?? 0).toBeLessThanOrEqual(2)
    expect(lines).not.toContain('a request could not be answered')
    const stored = client.stored()
    expect(await readNumber(serve.port)).toBeGreaterThanOrEqual(stored)
  }
})
