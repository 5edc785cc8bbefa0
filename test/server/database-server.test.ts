/** The appliance on a PostgreSQL server; and, since nothing else is slow here, a body that never ends. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Clock, SYSTEM_CLOCK } from '../../src/base/clock.js'
import { openLog, paths } from '../../src/config/index.js'
import { readStatus } from '../../src/identity/index.js'
import { type RunningAppliance, serve, setUp } from '../../src/server/index.js'
import { encodeRequest, type WlbCall } from '../../src/wlb/index.js'
import { freePort } from '../free-port.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { type PostgresServer, startPostgres } from '../store/postgres-server.js'
import { call, openRaw, post, readRaw } from './raw-client.js'
import { HOSTNAME, PASSWORD, USER_NAME } from './test-appliance.js'
import { startXenApiHost } from './xen-api-host.js'

const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
const REMOVE: WlbCall = { method: 'RemoveXenServer', request: { poolUuid: 'none' } }
const postgres = requirePart('postgres')

describe.skipIf(!postgres)('a PostgreSQL server (postgres)', () => {
  const root = mkdtempSync(join(tmpdir(), 'openwlb-server-'))
  const logged: string[] = []
  const log = openLog({ write: (line) => void logged.push(line) })
  /** The 25 seconds that a body may take pass in a quarter of a second. */
  const clock: Clock = { ...SYSTEM_CLOCK, schedule: (work, delayMs) => SYSTEM_CLOCK.schedule(work, delayMs / 100) }
  const start = () => serve({ root, log, clock })
  let server: PostgresServer
  let appliance: RunningAppliance

  beforeAll(async () => {
    server = await startPostgres(postgres!)
    const databaseUrl = server.createDatabase('wlb')
    const [hostname, address, port] = [HOSTNAME, OWN_ADDRESS, await freePort()]
    await setUp({
      root,
      hostname,
      address,
      port,
      userName: USER_NAME,
      password: PASSWORD,
      databaseUrl,
      now: new Date(),
    })
    appliance = await start()
  })
  afterAll(async () => {
    await appliance.close()
    await server.stop()
    rmSync(root, { recursive: true, force: true })
  })

  test('holds the pools, and nothing is embedded', async () => {
    const host = await startXenApiHost({ poolUuid: POOL, hostUuids: ['h1'], password: 'secret' })
    const request = { password: 'secret', poolUuid: POOL, userName: 'root', xenServerUrl: host.url }
    expect(await call(appliance.port, { method: 'AddXenServer', request })).toMatchObject({ kind: 'result' })
    await host.close()
    await appliance.close()
    appliance = await start()
    expect(await readStatus(root)).toMatchObject({ database: 'server', pools: [{ uuid: POOL, username: 'root' }] })
    expect(existsSync(paths(root).database)).toBe(false)
  })

  test('a body that does not come in time gets 408, and others are served meanwhile', async () => {
    const socket = await openRaw(appliance.port)
    socket.write(post(encodeRequest(REMOVE)).subarray(0, -1))
    const answer = readRaw(socket)
    expect(await call(appliance.port, REMOVE)).toEqual({ kind: 'result', leaves: [] })
    expect((await answer).status).toBe(408)
    expect(await call(appliance.port, REMOVE)).toEqual({ kind: 'result', leaves: [] })
  })

  test('when it is gone, the pool is told so, the log holds no values, and the appliance lives', async () => {
    await server.stop()
    expect(await call(appliance.port, REMOVE)).toMatchObject({ kind: 'fault' })
    expect(logged.join('').match(/the database cannot be used/g)).toHaveLength(1)
    expect(logged.join('')).not.toContain('parameters')
    server = await startPostgres(postgres!)
  })
})
