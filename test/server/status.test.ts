/** `wlb status` for monitoring: its exit code says whether pools are served; and `wlb pool forget`, which waits as long as the store may. */
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { paths } from '../../src/config/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { makeFolder, removeFolder, run } from '../cli/program.js'
import { HOSTNAME, startAppliance, type TestAppliance } from './test-appliance.js'

const YEAR_MS = 365 * 86_400_000
let appliance: TestAppliance
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.remove())

const states: [what: string, hostname: string, madeMs: number, exitCode: number, line: RegExp][] = [
  ['well', HOSTNAME, Date.now(), 0, /^served: +the same$/m],
  ['expired', HOSTNAME, Date.now() - 50 * YEAR_MS, 1, /^EXPIRED: /m],
  ['not valid yet', HOSTNAME, Date.now() + YEAR_MS, 1, /^NOT YET VALID: /m],
  ['of another name', 'wlb.example.com', Date.now(), 1, /^NOT in it: +wlb.lab.internal, the configured host name/m],
]
test.each(states)(
  'an appliance whose certificate is %s (%s): exit %4$i',
  async (_, hostname, madeMs, exitCode, line) => {
    const { certificatePem, privateKeyPem } = await createSelfSigned({ hostname, addresses: [], now: new Date(madeMs) })
    writeFileSync(appliance.paths.key, privateKeyPem, { mode: 0o600 })
    writeFileSync(appliance.paths.certificate, certificatePem)
    await appliance.reload()
    const status = await run('wlb', ['--root', appliance.root, 'status'])
    expect(status.stdout).toMatch(line)
    expect(status.exitCode).toBe(exitCode)
    const { stdout, exitCode: same } = await run('wlb', ['--root', appliance.root, 'status', '--json'])
    expect([same, JSON.parse(stdout).listener.state]).toEqual([exitCode, 'running'])
  },
)

test('a pool is forgotten even where the database takes its longest', { tags: 'long', timeout: 30_000 }, async () => {
  const root = makeFolder()
  const { controlSocket, settings } = paths(root)
  for (const file of [controlSocket, settings]) mkdirSync(dirname(file), { recursive: true })
  writeFileSync(settings, readFileSync(appliance.paths.settings))
  const slow = createServer((_, answer) => void setTimeout(() => answer.end('{"forgotten":true}'), 9000))
  await once(slow.listen(controlSocket), 'listening')
  const uuid = '6a3b2c1d-0000-4000-8000-000000000001'
  const { stdout } = await run('wlb', ['--root', root, 'pool', 'forget', uuid, '--yes', '--json'])
  expect(JSON.parse(stdout)).toEqual({ pool: uuid, forgotten: true })
  slow.close()
  removeFolder(root)
})
