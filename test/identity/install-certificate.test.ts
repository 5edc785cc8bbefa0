/** What happens to the key that waited, and to the pair, when an installation succeeds, is cut off, or is not proved. */
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readSettings, writeSettings } from '../../src/config/index.js'
import { installCertificate, planInstallation, replaceIdentity } from '../../src/identity/index.js'
import { readIdentity } from '../../src/identity/store/identity-files.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { cast, type InstallFolder, openInstallFolder, pemOf } from './install-cast.js'

const now = new Date()
let at: InstallFolder
let files: string[]
beforeEach(async () => {
  at = await openInstallFolder()
  files = [at.write('all.pem', await pemOf('leaf+mid+root'))]
  at.write('root/etc/ssl/certs/server.key_pending', await pemOf('key:leaf'))
})
afterEach(() => at.remove())

const plan = (more: { keyFile?: string } = {}) => planInstallation({ root: at.root, files, now, ...more })
const isWaiting = () => existsSync(at.place.pendingKey)

test('the key that waited is in place afterwards, and waits no more', async () => {
  await installCertificate(at.root, await plan(), { now })
  expect(await readIdentity(at.place)).toEqual({
    certificatePem: await pemOf('leaf+mid+root'),
    privateKeyPem: await pemOf('key:leaf'),
  })
  expect(isWaiting()).toBe(false)
})

test('also where it was given by name', async () => {
  await installCertificate(at.root, await plan({ keyFile: at.write('key.pem', await pemOf('key:leaf')) }), { now })
  expect(isWaiting()).toBe(false)
})

test('a kill between service and removal leaves it, which harms nobody; the same again says already so and removes it', async () => {
  await replaceIdentity(at.root, (await plan()).identity, { how: 'install', now }) // and no further
  expect(isWaiting()).toBe(true)
  const again = await plan()
  expect(again).toMatchObject({ isInPlace: true, key: { source: 'made for the request' } })
  expect((await installCertificate(at.root, again, { now })).installed.state).toBe('already so')
  expect(isWaiting()).toBe(false)
})

test('a key that came to wait since the plan was made stays', async () => {
  const planned = await plan()
  at.write('root/etc/ssl/certs/server.key_pending', await pemOf('key:leaf-key2'))
  at.write('root/etc/ssl/certs/server.key_pending_orig', await pemOf('key:leaf'))
  at.write('root/etc/ssl/certs/server.key_pending_orig2', 'no key at all')
  await installCertificate(at.root, planned, { now })
  expect(readFileSync(at.place.pendingKey, 'utf8')).toBe(await pemOf('key:leaf-key2'))
  expect(existsSync(`${at.place.pendingKey}_orig`)).toBe(false)
  expect(existsSync(`${at.place.pendingKey}_orig2`)).toBe(true)
})

test('a front whose reload does nothing: the pair before is back, and the key still waits', async () => {
  const before = await readIdentity(at.place)
  const port = await freePort()
  const front = await listen(port)
  const settings = await readSettings(at.place.settings)
  await writeSettings(at.place.settings, { ...settings, front: { reload: ['true'], address: OWN_ADDRESS, port } })
  const steps: string[] = []
  const patience = { frontMs: 0 }
  const ended = installCertificate(at.root, await plan(), { now, patience, onStep: (step) => steps.push(step) })
  await expect(ended).rejects.toMatchObject({
    code: 'IDENTITY_TAKEN_BACK',
    facts: { who: 'front', port, said: 'true ended with 0' },
  })
  front.close()
  expect(steps).toEqual(['install', 'activate', 'take back'])
  expect(await readIdentity(at.place)).toEqual(before)
  expect(isWaiting()).toBe(true)
})

async function listen(port: number): Promise<Server> {
  const { certificatePem, privateKeyPem } = await cast('leaf-key2')
  const server = createServer({ cert: certificatePem, key: privateKeyPem }, (socket) => socket.end())
  return new Promise((resolve) => server.listen(port, OWN_ADDRESS, () => resolve(server)))
}
