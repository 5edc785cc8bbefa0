/** What is served becomes what is on disk, proven by a handshake, or everything goes back to what it was. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { paths } from '../../src/config/index.js'
import { replaceIdentity } from '../../src/identity/index.js'
import { activateIdentity, awaitServed, reloadFront } from '../../src/identity/store/activate-identity.js'
import { lockedIdentity } from '../../src/identity/store/identity-change.js'
import { readIdentity, readOriginal } from '../../src/identity/store/identity-files.js'
import { listIdentities } from '../../src/identity/store/kept-identities.js'
import { checkIdentity, probeServed, startTlsListener } from '../../src/tls/index.js'
import { createSelfSigned, type Identity } from '../../src/x509/index.js'
import { freePort } from '../free-port.js'
import { requirePart } from '../real-parts.js'
import { OWN_ADDRESS } from '../run-folder.js'
import { configureOnly, HOSTNAME, startAppliance, type TestAppliance } from '../server/test-appliance.js'

let appliance: TestAppliance
let settings: string
const pairs: Identity[] = []
beforeAll(async () => {
  appliance = await startAppliance()
  settings = readFileSync(appliance.paths.settings, 'utf8')
  for (let count = 0; count < 3; count++)
    pairs.push(await createSelfSigned({ hostname: HOSTNAME, addresses: [], now: new Date() }))
})
afterAll(() => appliance.remove())
/** Nothing but the appliance, and it serves the second pair, which has replaced the first. */
beforeEach(async () => {
  writeFileSync(appliance.paths.settings, settings)
  for (const pair of [pairs[0]!, pairs[1]!]) await replace(pair)
})

const patience = { commandMs: 1000, frontMs: 1500 }
const replace = (pair: Identity) => replaceIdentity(appliance.root, pair, { how: 'install', now: new Date(), patience })
const fingerprintOf = (pair: Identity) => checkIdentity(pair).fingerprint256
const putFront = (reload: readonly string[], port: number) =>
  writeFileSync(
    appliance.paths.settings,
    `${settings}\n[front]\nreload = ${JSON.stringify(reload)}\naddress = "${OWN_ADDRESS}"\nport = ${port}\n`,
  )

async function served(port: number): Promise<string> {
  const seen = await probeServed({ address: OWN_ADDRESS, port, timeoutMs: 5000 })
  return seen.state === 'served' ? seen.fingerprintSha256 : seen.why
}

/** As if nothing had ever been tried. */
async function expectAsBefore(): Promise<void> {
  expect(await readIdentity(appliance.paths)).toEqual(pairs[1])
  expect(await readOriginal(appliance.paths)).toEqual(pairs[0])
  expect(await served(appliance.port)).toBe(fingerprintOf(pairs[1]!))
  const inPlace = (await listIdentities(appliance.root)).find(({ isInPlace }) => isInPlace)
  expect(inPlace).toMatchObject({ how: 'install', replacedAt: null, fingerprintSha256: fingerprintOf(pairs[1]!) })
}

describe('the appliance', () => {
  test('the fingerprint served is the one on disk when the replacement returns', async () => {
    const { installed, activation } = await replace(pairs[2]!)
    const { address, port } = appliance
    const fingerprintSha256 = fingerprintOf(pairs[2]!)
    const proof = { who: 'appliance', address, port, seen: fingerprintSha256, said: '' }
    expect(activation).toEqual({ state: 'proved', fingerprintSha256, proofs: [proof] })
    expect(installed).toMatchObject({ state: 'installed', replaced: { fingerprintSha256: fingerprintOf(pairs[1]!) } })
    expect(await served(port)).toBe(fingerprintSha256)
  })

  test('the pair in place is proved again, and nothing else happens', async () => {
    const { installed, activation } = await replace(pairs[1]!)
    expect([installed.state, activation.state]).toEqual(['already so', 'proved'])
    await expectAsBefore()
  })

  test('files that cannot be served are not what an activation is about to prove', async () => {
    writeFileSync(appliance.paths.key, pairs[2]!.privateKeyPem)
    await expect(activateIdentity(appliance.root)).rejects.toMatchObject({ code: 'CERTIFICATE_KEY_MISMATCH' })
    const { installed } = await replace(pairs[1]!)
    expect(installed.replaced).toMatchObject({ how: 'found', fault: 'CERTIFICATE_KEY_MISMATCH' })
    await expectAsBefore()
  })

  test('what a killed command had decided, the running appliance finishes and serves', async () => {
    const decided = join(appliance.paths.certificateFolder, '.server.next')
    mkdirSync(decided)
    writeFileSync(join(decided, 'server.key'), pairs[2]!.privateKeyPem, { mode: 0o600 })
    writeFileSync(join(decided, 'server.pem'), pairs[2]!.certificatePem)
    expect(await appliance.reload()).toMatchObject({ refused: null, fingerprintSha256: fingerprintOf(pairs[2]!) })
    expect(existsSync(decided)).toBe(false)
    expect(readFileSync(appliance.paths.key, 'utf8')).toBe(pairs[2]!.privateKeyPem)
  })

  test('two administrators: one waits three seconds for the other, then is refused', { tags: 'long' }, async () => {
    let release = () => {}
    const held = lockedIdentity(appliance.paths, () => new Promise<void>((resolve) => (release = resolve)))
    const refused = { code: 'DIRECTORY_IN_USE', facts: { directory: appliance.paths.settingsFolder } }
    await expect(replace(pairs[2]!)).rejects.toMatchObject(refused)
    const waiting = replace(pairs[2]!)
    release()
    await held
    expect(await waiting).toMatchObject({ installed: { state: 'installed' } })
  })
})

describe('not running', () => {
  test('said so, and the files are in place', async () => {
    const root = mkdtempSync(join(tmpdir(), 'openwlb-stopped-'))
    await configureOnly(root)
    const { activation } = await replaceIdentity(root, pairs[0]!, { how: 'install', now: new Date() })
    expect(activation).toEqual({ state: 'not running', fingerprintSha256: fingerprintOf(pairs[0]!) })
    expect(await readIdentity(paths(root))).toEqual(pairs[0])
    rmSync(root, { recursive: true })
  })

  test('not set up: nothing is made', async () => {
    const replaced = replaceIdentity('/nowhere/at/all', pairs[0]!, { how: 'install', now: new Date() })
    await expect(replaced).rejects.toMatchObject({ code: 'NOT_SET_UP' })
  })
})

describe('a front that is told in vain', () => {
  const cases: [what: string, reload: readonly string[], said: RegExp][] = [
    ['does nothing', ['true'], /^true ended with 0$/],
    ['fails', ['sh', '-c', 'echo no such unit >&2; exit 5'], /ended with 5: no such unit$/],
    ['never ends', ['sleep', '60'], /^sleep 60 did not end: not done after 1000 ms$/],
    ['is not there', ['/nowhere/reload'], /there is no such file/],
  ]
  test.each(cases)('its command %s: the pair before is back', async (_what, reload, said) => {
    // a listener of ours that goes on with what it was started with
    const door = await startTlsListener({ address: OWN_ADDRESS, port: 0, ...pairs[1]!, onConnection: () => {} })
    const before = await served(door.port)
    putFront(reload, door.port)
    await expect(replace(pairs[2]!)).rejects.toMatchObject({
      code: 'IDENTITY_TAKEN_BACK',
      facts: { who: 'front', port: door.port, seen: before, said: expect.stringMatching(said) },
    })
    await expectAsBefore()
    await door.close()
  })

  test('nobody listens there: the pair before is back', async () => {
    putFront(['true'], await freePort())
    await expect(replace(pairs[2]!)).rejects.toMatchObject({
      code: 'IDENTITY_TAKEN_BACK',
      facts: { who: 'front', seen: expect.stringContaining('ECONNREFUSED'), servedAgain: false },
    })
    await expectAsBefore()
  })
})

test('words of a reload command are no shell’s', async () => {
  const run = await reloadFront({ reload: ['echo', '$HOME;', '`id`', '*'], address: '127.0.0.1', port: 1 })
  expect(run).toEqual({ command: 'echo $HOME; `id` *', exitCode: 0, output: '$HOME; `id` *' })
})

const stunnel = requirePart('stunnel')
describe.skipIf(stunnel === undefined)('stunnel before the appliance', () => {
  let child: ChildProcess
  let port: number
  beforeEach(async () => {
    port = await freePort()
    const file = join(appliance.root, 'front.conf')
    const { certificate, key } = appliance.paths
    writeFileSync(
      file,
      `foreground = yes\npid =\n[wlb]\naccept = ${OWN_ADDRESS}:${port}\nconnect = ${OWN_ADDRESS}:${appliance.port}\ncert = ${certificate}\nkey = ${key}\n`,
    )
    child = spawn(stunnel ?? '', [file], { stdio: 'ignore' })
    expect(await awaitServed({ address: OWN_ADDRESS, port }, fingerprintOf(pairs[1]!))).toBe(fingerprintOf(pairs[1]!))
    return async () => {
      child.kill()
      await once(child, 'exit')
      rmSync(file)
    }
  })

  test('it reads the files again, and a handshake with it proves that', async () => {
    putFront(['kill', '-HUP', String(child.pid)], port)
    const { activation } = await replace(pairs[2]!)
    const seen = fingerprintOf(pairs[2]!)
    const where = { address: OWN_ADDRESS, seen, said: '' }
    const proofs = [
      { who: 'appliance', port: appliance.port, ...where },
      { who: 'front', port, ...where },
    ]
    expect(activation).toEqual({ state: 'proved', fingerprintSha256: seen, proofs })
    expect(await served(port)).toBe(seen)
  })

  test('it is not told: the pair before is back, and served by both', async () => {
    putFront(['true'], port)
    await expect(replace(pairs[2]!)).rejects.toMatchObject({
      code: 'IDENTITY_TAKEN_BACK',
      facts: { who: 'front', port, seen: fingerprintOf(pairs[1]!), servedAgain: true },
    })
    await expectAsBefore()
    expect(await served(port)).toBe(fingerprintOf(pairs[1]!))
  })
})
