/**
 * The files that a running appliance reads and writes again cannot be read or written: it serves on, and says each failure
 * once, however often it meets it.
 */
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { askAppliance, paths } from '../../src/config/index.js'
import { openSmallDisk } from '../identity/small-disk.js'
import { mayTrace } from '../identity/system-calls.js'
import { requirePart } from '../real-parts.js'
import { call } from '../server/raw-client.js'
import { setUpForTests } from '../server/test-appliance.js'
import { startXenApiHost } from '../server/xen-api-host.js'
import { askSteadily, endServe, POOL, type ServeProcess, type SteadyClient, startServe } from './serve-process.js'
import { spoilCalls } from './spoiled-calls.js'

const strace = requirePart('strace')
const small = openSmallDisk('160m')
const folder = mkdtempSync(join(tmpdir(), 'openwlb-files-'))
let serve: ServeProcess | undefined
let client: SteadyClient | undefined

afterEach(async () => {
  await client?.stop()
  if (serve) await endServe(serve, 'SIGKILL')
})
afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  small?.remove()
})

async function begin(root: string, settings = ''): Promise<{ serve: ServeProcess; client: SteadyClient }> {
  await setUpForTests(root)
  appendFileSync(paths(root).settings, settings)
  const started = await startServe(root)
  serve = started
  const host = await startXenApiHost({ poolUuid: POOL, hostUuids: ['h1'], password: 'secret' })
  const request = { password: 'secret', poolUuid: POOL, userName: 'root', xenServerUrl: host.url }
  expect(await call(started.port, { method: 'AddXenServer', request })).toMatchObject({ kind: 'result' })
  await host.close()
  const steady = askSteadily(() => started.port)
  client = steady
  return { serve: started, client: steady }
}

const count = ({ logged }: ServeProcess, text: string) => logged.filter((line) => line.includes(text)).length

describe.skipIf(!strace || !mayTrace(strace))('reading: EIO (strace)', { tags: 'long', timeout: 60_000 }, () => {
  test('the certificate: the one in service stays, said once for four reloads', async () => {
    const root = join(folder, 'certificate')
    const { serve, client } = await begin(root)
    const disk = await spoilCalls(strace!, [serve.pid], ['openat:error=EIO'], paths(root).certificate)
    for (let round = 0; round < 4; round++) {
      serve.child.kill('SIGHUP')
      await client.see('stored', 2, 10_000)
    }
    expect(disk.count()).toBeGreaterThan(0)
    expect(count(serve, 'the certificate on disk cannot be served')).toBe(1)
    await disk.mend()
    expect(await askAppliance(paths(root).controlSocket, 'POST', '/reload')).toMatchObject({ refused: null })
  })

  test('the settings: the account in use stays, and whoever asked is told', async () => {
    const root = join(folder, 'settings')
    const { serve, client } = await begin(root)
    const disk = await spoilCalls(strace!, [serve.pid], ['openat:error=EIO'], paths(root).settings)
    const ask = () => askAppliance(paths(root).controlSocket, 'POST', '/account')
    await expect(ask()).rejects.toMatchObject({ code: 'APPLIANCE_SILENT' })
    await client.see('stored', 2, 10_000)
    expect(disk.count()).toBeGreaterThan(0)
    await disk.mend()
    expect(await ask()).toMatchObject({ userName: 'wlbuser' })
  })
})

test.skipIf(!small)(
  'a full disk: the memory of the watch cannot be written, said once for three rounds',
  {
    tags: 'long',
    timeout: 90_000,
  },
  async () => {
    const root = join(small!.folder, 'root')
    const { serve, client } = await begin(root, '\n[watch]\nevery_seconds = 10\n')
    small!.fill()
    await pause(25_000) // three rounds
    expect(count(serve, 'the pools could not be looked at')).toBe(1)
    expect(client.answers.filter(({ outcome }) => outcome === 'none')).toEqual([])
    small!.empty()
    await client.see('stored', 2, 20_000)
  },
)
