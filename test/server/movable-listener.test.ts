/** The appliance leaves its address to something else, and takes it back. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readHostAddress } from '../../src/base/names/host-address.js'
import { askAppliance } from '../../src/config/index.js'
import { probeServed } from '../../src/tls/index.js'
import { createSelfSigned } from '../../src/x509/index.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { startAppliance, type TestAppliance } from './test-appliance.js'

let appliance: TestAppliance
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.remove())

const ask = async (url: string): Promise<{ port: number; fingerprintSha256: string }> => {
  const answer: Record<string, unknown> = { ...Object(await askAppliance(appliance.paths.controlSocket, 'POST', url)) }
  return { port: Number(answer.port), fingerprintSha256: String(answer.fingerprintSha256) }
}
const ASIDE_ADDRESS = readHostAddress('127.0.0.1', 'the appliance')
const shownAt = async (port: number, address = OWN_ADDRESS) => {
  const seen = await probeServed({ address, port, timeoutMs: 5000 })
  return seen.state === 'served' ? seen.fingerprintSha256 : 'nothing'
}

test('aside, it serves the same certificate elsewhere and nothing at its own port; back, the other way round', async () => {
  const own = await shownAt(appliance.port)
  const aside = await ask('/listener/aside')
  expect(aside.fingerprintSha256).toBe(own)
  expect([await shownAt(aside.port, ASIDE_ADDRESS), await shownAt(appliance.port)]).toEqual([own, 'nothing'])
  expect((await ask('/listener/aside')).port).toBe(aside.port)

  const back = await ask('/listener/back')
  expect(back).toEqual({ port: appliance.port, fingerprintSha256: own })
  expect([await shownAt(aside.port, ASIDE_ADDRESS), await shownAt(appliance.port)]).toEqual(['nothing', own])
  expect((await ask('/listener/back')).port).toBe(appliance.port)
})

test('it stays aside while something else has its port, and a certificate changed meanwhile comes back with it', {
  tags: 'long',
}, async () => {
  const aside = await ask('/listener/aside')
  const other = createServer().listen(appliance.port, OWN_ADDRESS)
  await once(other, 'listening')
  await expect(ask('/listener/back')).rejects.toMatchObject({
    code: 'APPLIANCE_SILENT',
    facts: { why: expect.stringContaining(`${OWN_ADDRESS}, port ${appliance.port}, pid ${process.pid}, program `) },
  })
  expect(await shownAt(aside.port, ASIDE_ADDRESS)).toBe(aside.fingerprintSha256)
  other.close()
  await once(other, 'close')

  const next = await createSelfSigned({ hostname: 'wlb.lab.internal', addresses: [], now: new Date() })
  writeFileSync(appliance.paths.certificate, next.certificatePem)
  writeFileSync(appliance.paths.key, next.privateKeyPem)
  const { fingerprintSha256 } = await ask('/reload')
  expect(fingerprintSha256).not.toBe(aside.fingerprintSha256)
  await ask('/listener/back')
  expect(await shownAt(appliance.port)).toBe(fingerprintSha256)
})
