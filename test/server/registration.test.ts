/** A pool registers, is configured, and leaves: over TLS on both sides, against a host that can misbehave. */

import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readStatus } from '../../src/identity/index.js'
import type { WlbCall } from '../../src/wlb/index.js'
import { freePort } from '../free-port.js'
import { OWN_ADDRESS } from '../run-folder.js'
import type { StrictReply } from '../wlb/strict-reader.js'
import { call } from './raw-client.js'
import { startAppliance, type TestAppliance } from './test-appliance.js'
import { type HostBehaviour, ignore, startXenApiHost, type XenApiHost } from './xen-api-host.js'

const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
const OTHER = 'e1a9b7c4-1c9b-4c39-8a55-0f9d2c4b7a11'
const HOSTS = ['9a1c0000-0000-4000-8000-000000000001', '9a1c0000-0000-4000-8000-000000000002']
const GOOD: HostBehaviour = { poolUuid: POOL, hostUuids: HOSTS, password: 'pool & <secret>' }
const DONE = { kind: 'result', leaves: [] }
/** Every step below, with a machine of two cores busy elsewhere. */
const LIMIT_MS = 25_000

let appliance: TestAppliance
let host: XenApiHost
beforeAll(async () => {
  appliance = await startAppliance()
})
afterAll(() => appliance.remove())
beforeEach(async () => {
  host = await startXenApiHost(GOOD)
})
afterEach(async () => {
  await host.close()
  for (const poolUuid of [POOL, OTHER]) await remove(poolUuid)
})

function add(changes: Partial<Extract<WlbCall, { method: 'AddXenServer' }>['request']> = {}): Promise<StrictReply> {
  const request = { password: GOOD.password, poolUuid: POOL, userName: 'root', xenServerUrl: host.url, ...changes }
  return call(appliance.port, { method: 'AddXenServer', request })
}

function remove(poolUuid: string): Promise<StrictReply> {
  return call(appliance.port, { method: 'RemoveXenServer', request: { poolUuid } })
}

function set(entries: readonly (readonly [string, string])[], poolUuid = POOL): Promise<StrictReply> {
  return call(appliance.port, { method: 'SetXenPoolConfiguration', request: { poolUuid, entries } })
}

async function get(poolUuid = POOL): Promise<Map<string, string>> {
  const reply = await call(appliance.port, { method: 'GetXenPoolConfiguration', request: { poolUuid } })
  if (reply.kind !== 'result') throw new Error(JSON.stringify(reply))
  const texts = (name: string) => reply.leaves.filter(([path]) => path.endsWith(`/${name}`)).map(([, text]) => text)
  const values = texts('Value')
  const keys = texts('Key')
  expect(new Set(keys).size).toBe(keys.length)
  return new Map(keys.map((key, index) => [key, values[index] ?? '']))
}

async function pools() {
  return (await readStatus(appliance.root)).pools
}

describe('registration', () => {
  test('answers with an id, stores the pool, pins its certificate, logs out', async () => {
    expect(await add()).toMatchObject({ kind: 'result', leaves: [['Id', expect.stringMatching(/^[1-9][0-9]*$/)]] })
    expect(host.sessions.size).toBe(0)
    expect(await pools()).toMatchObject([
      {
        uuid: POOL,
        address: OWN_ADDRESS,
        username: 'root',
        hosts: 2,
        certificateFingerprintSha256: host.fingerprint(),
      },
    ])
  })

  test('again: the same id, new user and hosts, the configuration kept', async () => {
    const first = await add()
    await set([['OptimizationMode', '1']])
    const before = await pools()
    const hostUuids = [...HOSTS, '9a1c0000-0000-4000-8000-000000000003']
    host.behaviour = { ...GOOD, password: 'another', hostUuids }
    expect(await add({ password: 'another', userName: 'wlb' })).toEqual(first)
    expect(await pools()).toMatchObject([
      { id: before?.[0]?.id, username: 'wlb', hosts: 3, registeredAt: before?.[0]?.registeredAt },
    ])
    const configuration = await get()
    expect(configuration.get('OptimizationMode')).toBe('1')
    expect(configuration.get(`host_${hostUuids[2]}_ExcludeFromPlacementRecommendations`)).toBe('false')
  })

  const refusals: [what: string, behaviour: Partial<HostBehaviour>, request: object, code: number][] = [
    ['a wrong password', {}, { password: 'wrong' }, 4002],
    ['another pool than it says', {}, { poolUuid: OTHER }, 4007],
    ['a role that may not read', { failure: ['RBAC_PERMISSION_DENIED', 'pool.get_all_records'] }, {}, 6],
    ['a failure of another kind', { failure: ['INTERNAL_ERROR', 'oops'] }, {}, 4003],
    ['HTML instead of XenAPI', { answers: 'nonsense' }, {}, 4003],
    ['status 500', { answers: 'status 500' }, {}, 4003],
    ['a reset', { answers: 'resets' }, {}, 4003],
    ['a member whose coordinator is nowhere', { memberOf: '127.0.0.99' }, {}, 4003],
    ['a member that names itself', { memberOf: OWN_ADDRESS }, {}, 4003],
    ['a coordinator that is no address', { memberOf: 'elsewhere' }, {}, 4003],
    ['a host name', {}, { xenServerUrl: 'http://xs1.lab.internal:80/' }, 4007],
    ['another scheme', {}, { xenServerUrl: 'https://192.0.2.10:443/' }, 4007],
    ['a path', {}, { xenServerUrl: 'http://192.0.2.10:80/RPC2' }, 4007],
    ['a port without a TLS port', {}, { xenServerUrl: `http://${OWN_ADDRESS}:65500/` }, 4007],
    ['an empty user name', {}, { userName: '' }, 4007],
  ]
  test.each(refusals)('%s is refused and nothing is stored', async (_what, behaviour, request, code) => {
    host.behaviour = { ...GOOD, ...behaviour }
    expect(await add(request)).toMatchObject({ kind: 'refused', code })
    expect(await pools()).toEqual([])
    expect(host.sessions.size).toBe(0)
  })

  test('a refused renewal leaves the registration as it was', async () => {
    await add()
    const before = await pools()
    expect(await add({ password: 'wrong', userName: 'eve' })).toMatchObject({ code: 4002 })
    expect(await pools()).toEqual(before)
  })

  test('a port where nothing listens', async () => {
    const port = await freePort()
    expect(await add({ xenServerUrl: `http://${OWN_ADDRESS}:${port - 363}/` })).toMatchObject({ code: 4003 })
  })

  describe('a pool that takes its time', () => {
    let silent: Server
    let port: number
    beforeAll(async () => {
      silent = createServer(ignore).listen(0, OWN_ADDRESS)
      await once(silent, 'listening')
      const address = silent.address()
      port = typeof address === 'object' && address ? address.port : 0
    })
    afterAll(() => void silent.close())

    test('no handshake, and no answer: refused within 25 seconds, and others are served meanwhile', {
      tags: 'long',
      timeout: 30_000,
    }, async () => {
      const started = performance.now()
      host.behaviour = { ...GOOD, answers: 'never' }
      const slow = Promise.all([add({ xenServerUrl: `http://${OWN_ADDRESS}:${port - 363}/` }), add()])
      expect(await call(appliance.port, { method: 'RemoveXenServer', request: { poolUuid: OTHER } })).toEqual(DONE)
      expect(await slow).toMatchObject([{ code: 4003 }, { code: 4003 }])
      expect(performance.now() - started).toBeLessThan(LIMIT_MS)
    })
  })

  test('a member sends us to its coordinator, which we remember; both are pinned', async () => {
    const coordinator = await startXenApiHost(GOOD, { address: '127.0.0.2', port: host.tlsPort })
    try {
      host.behaviour = { ...GOOD, memberOf: '127.0.0.2' }
      expect(await add()).toMatchObject({ kind: 'result' })
      expect(await pools()).toMatchObject([
        {
          address: OWN_ADDRESS,
          coordinatorAddress: '127.0.0.2',
          certificateFingerprintSha256: coordinator.fingerprint(),
        },
      ])
    } finally {
      await coordinator.close()
    }
  })

  test('an IPv6 address', async () => {
    const local = await startXenApiHost(GOOD, { address: '::1' })
    try {
      expect(await add({ xenServerUrl: local.url })).toMatchObject({ kind: 'result' })
      expect(await pools()).toMatchObject([{ address: '::1' }])
    } finally {
      await local.close()
    }
  })
})

describe('the pinned certificate', () => {
  test('another one later is refused, no credentials are sent, and what to do is said', async () => {
    await add()
    const pinned = host.fingerprint()
    host.calls.length = 0
    await host.renewCertificate()
    expect(await add()).toEqual({
      kind: 'refused',
      code: 4003,
      message: expect.stringMatching(`${host.fingerprint()}.*${pinned}.*xe pool-deconfigure-wlb`),
    })
    expect(host.calls).toEqual([])
    expect(await pools()).toMatchObject([{ certificateFingerprintSha256: pinned }])
  })

  test('removed and registered again, the pool may show a new one', async () => {
    await add()
    await host.renewCertificate()
    await remove(POOL)
    expect(await add()).toMatchObject({ kind: 'result' })
    expect(await pools()).toMatchObject([{ certificateFingerprintSha256: host.fingerprint() }])
  })

  test('another host of the pool, at another address, has its own', async () => {
    await add()
    const other = await startXenApiHost(GOOD, { address: '127.0.0.2' })
    try {
      expect(await add({ xenServerUrl: other.url })).toMatchObject({ kind: 'result' })
      expect(await pools()).toMatchObject([{ address: '127.0.0.2', certificateFingerprintSha256: other.fingerprint() }])
    } finally {
      await other.close()
    }
  })
})

describe('removal', () => {
  test('once, twice, and of a pool never seen: an empty result', async () => {
    await add()
    expect(await remove(POOL)).toEqual(DONE)
    expect(await remove(POOL)).toEqual(DONE)
    expect(await remove('nonsense')).toEqual(DONE)
    expect(await pools()).toEqual([])
  })

  test('afterwards the pool is unknown', async () => {
    await add()
    await remove(POOL)
    for (const request of [
      { method: 'GetXenPoolConfiguration', request: { poolUuid: POOL } },
      { method: 'SetXenPoolConfiguration', request: { poolUuid: POOL, entries: [] } },
    ] as const)
      expect(await call(appliance.port, request)).toMatchObject({ code: 4015 })
  })
})

describe('configuration', () => {
  test('right after registration every key of every host is there', async () => {
    await add()
    const configuration = await get()
    expect(configuration.get('WlbVersion')).toMatch(/^\d+\.\d+$/)
    for (const uuid of HOSTS)
      expect([...configuration.keys()].filter((key) => key.startsWith(`host_${uuid}_`))).toHaveLength(6)
  })

  test('one key set: an empty answer, that key changed and no other', async () => {
    await add()
    const before = await get()
    expect(await set([['AutoBalancePollIntervals', '7']])).toEqual(DONE)
    expect(await get()).toEqual(new Map(before).set('AutoBalancePollIntervals', '7'))
  })

  test('all of it sent back changes nothing', async () => {
    await add()
    const before = await get()
    expect(await set([...before])).toEqual(DONE)
    expect(await get()).toEqual(before)
  })

  test('one bad value, named, and nothing is stored', async () => {
    await add()
    const before = await get()
    const entries = [
      ['OptimizationMode', '1'],
      ['RecentMoveMinutes', '261'],
    ] as const
    expect(await set(entries)).toEqual({
      kind: 'refused',
      code: 4011,
      message: expect.stringContaining('RecentMoveMinutes'),
    })
    expect(await get()).toEqual(before)
  })

  test('keys nobody knows come back byte for byte; control keys never do; nothing is a change too', async () => {
    await add()
    const awkward = [
      ['<awkward', '"\'&amp;]]>'],
      ['amper', '&sand'],
      ['ünïcode😀', 'line\nand\ttab'],
    ] as const
    expect(await set([...awkward, ['set_host_configuration', 'true']])).toEqual(DONE)
    const after = await get()
    for (const [key, value] of awkward) expect(after.get(key)).toBe(value)
    expect(after.has('set_host_configuration')).toBe(false)
    expect(await set([])).toEqual(DONE)
    expect(await get()).toEqual(after)
  })

  test('twenty at once: none is lost', async () => {
    await add()
    const keys = Array.from({ length: 20 }, (_, index) => `key-${index}`)
    expect(await Promise.all(keys.map((key) => set([[key, key]])))).toEqual(keys.map(() => DONE))
    const after = await get()
    for (const key of keys) expect(after.get(key)).toBe(key)
  })

  test('one pool does not see the other', async () => {
    await add()
    host.behaviour = { ...GOOD, poolUuid: OTHER }
    await add({ poolUuid: OTHER })
    await set([['only here', 'yes']])
    expect((await get(OTHER)).has('only here')).toBe(false)
    await remove(OTHER)
    expect((await get(POOL)).get('only here')).toBe('yes')
  })
})

test('the password of the pool is in no line of the log', async () => {
  await add()
  await add({ password: 'pool & <secret> wrong' })
  expect(appliance.logged.join('')).not.toContain('pool & ')
})
