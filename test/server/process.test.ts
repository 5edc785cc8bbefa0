/** The appliance as a process: signals, draining, kill -9, and what is there when it starts again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { paths } from '../../src/config/index.js'
import { installIdentity, lockedIdentity, readStatus, reportCertificate } from '../../src/identity/index.js'
import { encodeRequest, type WlbCall } from '../../src/wlb/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { call, openRaw, post, readRaw, strictly } from './raw-client.js'
import { HOSTNAME, setUpForTests } from './test-appliance.js'
import { startXenApiHost, type XenApiHost } from './xen-api-host.js'

const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
const root = mkdtempSync(join(tmpdir(), 'openwlb-process-'))
let host: XenApiHost
let appliance: Running | undefined

beforeAll(async () => {
  await setUpForTests(root)
  host = await startXenApiHost({ poolUuid: POOL, hostUuids: ['h1'], password: 'secret' })
})
afterEach(async () => {
  if (appliance && appliance.process.exitCode === null && appliance.process.signalCode === null) {
    appliance.process.kill('SIGKILL')
    await once(appliance.process, 'exit')
  }
})
afterAll(async () => {
  await host.close()
  rmSync(root, { recursive: true, force: true })
})

interface Running {
  readonly process: ChildProcess
  readonly port: number
  readonly logged: string[]
}

async function start(): Promise<Running> {
  const wlb = join(import.meta.dirname, '../../dist/wlb.js')
  const child = spawn(process.execPath, ['--liftoff-only', wlb, '--root', root, 'serve'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const logged: string[] = []
  createInterface({ input: child.stderr }).on('line', (line) => void logged.push(line))
  const [ready] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), once(child, 'exit')])
  const port = Number(/^ready https:.*:(\d+)$/.exec(String(ready))?.[1])
  if (!port) throw new Error(`did not start: ${logged.join('\n')}`)
  appliance = { process: child, port, logged }
  return appliance
}

function add(port: number) {
  const request = { password: 'secret', poolUuid: POOL, userName: 'root', xenServerUrl: host.url }
  return call(port, { method: 'AddXenServer', request })
}

function set(count: number): WlbCall {
  const entries = [
    ['count', String(count)],
    ['again', String(count)],
  ] as const
  return { method: 'SetXenPoolConfiguration', request: { poolUuid: POOL, entries } }
}

async function read(port: number): Promise<Map<string, string>> {
  const reply = await call(port, { method: 'GetXenPoolConfiguration', request: { poolUuid: POOL } })
  if (reply.kind !== 'result') throw new Error(JSON.stringify(reply))
  const texts = (name: string) => reply.leaves.filter(([path]) => path.endsWith(`/${name}`)).map(([, text]) => text)
  const values = texts('Value')
  return new Map(texts('Key').map((key, index) => [key, values[index] ?? '']))
}

test('kill -9 in the middle of acknowledged changes, three times over: nothing acknowledged is lost', {
  tags: 'long',
  timeout: 120_000,
}, async () => {
  let { process: child, port } = await start()
  await add(port)
  let last = 0
  for (const changes of [5, 20, 50]) {
    const until = last + changes
    for (;;) {
      const reply = await call(port, set(last + 1)).catch(() => undefined)
      if (!reply) break // killed before it was acknowledged
      expect(reply).toEqual({ kind: 'result', leaves: [] })
      last++
      if (last === until) child.kill('SIGKILL')
    }
    ;({ process: child, port } = await start())
    const configuration = await read(port)
    const count = Number(configuration.get('count'))
    expect([last, last + 1]).toContain(count)
    expect(configuration.get('again')).toBe(String(count))
    expect((await readStatus(root)).pools).toMatchObject([{ uuid: POOL, username: 'root' }])
    last = count
  }
})

test('SIGTERM: the request under way is finished, new ones are not taken, the process ends with 0', async () => {
  const { process: child, port, logged } = await start()
  const request = post(encodeRequest({ method: 'RemoveXenServer', request: { poolUuid: 'none' } }))
  const socket = await openRaw(port)
  socket.write(request.subarray(0, -10))
  // The head has been read when the second connection's request has been answered on the same loop.
  await call(port, { method: 'RemoveXenServer', request: { poolUuid: 'none' } })
  child.kill('SIGTERM')
  await expect
    .poll(() =>
      openRaw(port).then(
        (other) => other.destroy() && 'taken',
        () => 'refused',
      ),
    )
    .toBe('refused')
  socket.write(request.subarray(-10))
  expect(strictly('RemoveXenServer', await readRaw(socket))).toEqual({ kind: 'result', leaves: [] })
  const [exitCode] = await once(child, 'exit')
  expect(exitCode).toBe(0)
  expect(logged.at(-1)).toContain('"msg":"stopped"')
  expect(await readStatus(root)).toMatchObject({ listener: { state: 'stopped' } })
})

test('SIGHUP: the certificate on disk is served', async () => {
  const { process: child } = await start()
  const now = new Date()
  const identity = await createSelfSigned({ hostname: HOSTNAME, addresses: [], now })
  await lockedIdentity(paths(root), () => installIdentity(paths(root), identity, { how: 'install', now }))
  child.kill('SIGHUP')
  const sameAsOnDisk = async () => {
    const { served } = await reportCertificate(root, new Date())
    return served.state === 'served' && served.sameAsOnDisk
  }
  await expect.poll(sameAsOnDisk, { timeout: 10_000 }).toBe(true)
})

test('the log is a JSON object a line', async () => {
  const { logged, port } = await start()
  await add(port)
  await expect.poll(() => logged.some((line) => line.includes('AddXenServer'))).toBe(true)
  for (const line of logged)
    expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) })
  expect(logged.join('\n')).not.toContain('secret"')
})
