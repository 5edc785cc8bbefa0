/** The store keeps its contract on both engines: the same tests, the embedded one and a PostgreSQL server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type DatabasePlace, openStore, type PoolRegistration, type Store } from '../../src/store/index.js'
import { requirePart } from '../real-parts.js'
import { type PostgresServer, startPostgres } from './postgres-server.js'

const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
const OTHER = 'e1a9b7c4-1c9b-4c39-8a55-0f9d2c4b7a11'
const MONDAY = new Date('2026-11-23T08:00:00.000Z')
const TUESDAY = new Date('2026-11-24T08:00:00.000Z')

function registration(changes: Partial<PoolRegistration> = {}): PoolRegistration {
  return {
    uuid: POOL,
    address: '192.0.2.10',
    plainPort: 80,
    coordinatorAddress: '192.0.2.10',
    userName: 'root',
    sealedPassword: Buffer.from([0, 1, 254, 255]),
    hostUuids: ['9a1c0000-0000-4000-8000-000000000001', '9a1c0000-0000-4000-8000-000000000002'],
    pins: [{ address: '192.0.2.10', tlsPort: 443, fingerprintSha256: 'AA:BB' }],
    ...changes,
  }
}

const postgres = requirePart('postgres')
const engines = [
  { engine: 'embedded', missing: false },
  { engine: 'PostgreSQL server (postgres)', missing: !postgres },
]

describe.each(engines)('$engine', ({ engine, missing }) => {
  describe.skipIf(missing)('store', () => {
    const folder = mkdtempSync(join(tmpdir(), 'openwlb-store-'))
    let server: PostgresServer | undefined
    let place: DatabasePlace
    let store: Store

    beforeAll(async () => {
      if (engine === 'embedded') place = { kind: 'embedded', directory: join(folder, 'db') }
      else {
        server = await startPostgres(postgres!)
        place = { kind: 'server', url: server.createDatabase('store') }
      }
      store = await openStore(place)
    })
    afterAll(async () => {
      await store?.close()
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
    })
    beforeEach(async () => {
      for (const { uuid } of await store.pools.list()) await store.pools.remove(uuid)
    })

    test('a pool comes back as it was saved', async () => {
      const saved = await store.pools.save(registration(), MONDAY)
      const found = await store.pools.find(POOL)
      expect(saved).toEqual({ state: 'saved', pool: found })
      expect({ ...found, sealedPassword: [...found!.sealedPassword] }).toEqual({
        ...registration(),
        id: expect.any(Number),
        sealedPassword: [0, 1, 254, 255],
        registeredAt: MONDAY,
        updatedAt: MONDAY,
      })
      expect(Number.isInteger(found!.id) && found!.id > 0).toBe(true)
    })

    test('a second save renews credentials, address and hosts; id, configuration and registration stay', async () => {
      await store.pools.save(registration(), MONDAY)
      const before = await store.pools.find(POOL)
      await store.pools.replaceConfiguration(POOL, new Map([['OptimizationMode', '1']]))
      const sealedPassword = Buffer.from('other')
      const pins = [{ address: '192.0.2.11', tlsPort: 443, fingerprintSha256: 'CC:DD' }]
      const changes = {
        address: '192.0.2.11',
        coordinatorAddress: '192.0.2.11',
        sealedPassword,
        hostUuids: ['h'],
        pins,
      }
      await store.pools.save(registration(changes), TUESDAY)

      const after = await store.pools.find(POOL)
      expect(after).toMatchObject({ id: before!.id, address: '192.0.2.11', hostUuids: ['h'], registeredAt: MONDAY })
      expect(after!.updatedAt).toEqual(TUESDAY)
      expect(Buffer.from(after!.sealedPassword)).toEqual(sealedPassword)
      expect(after!.pins).toEqual([...registration().pins, ...pins])
      expect(await store.pools.readConfiguration(POOL)).toEqual(new Map([['OptimizationMode', '1']]))
    })

    test('a certificate other than the pinned one changes nothing', async () => {
      await store.pools.save(registration(), MONDAY)
      const before = await store.pools.find(POOL)
      const pins = [{ address: '192.0.2.10', tlsPort: 443, fingerprintSha256: 'EE:FF' }]
      expect(await store.pools.save(registration({ userName: 'eve', pins }), TUESDAY)).toEqual({
        state: 'pinned-otherwise',
        pin: registration().pins[0],
      })
      expect(await store.pools.find(POOL)).toEqual(before)
    })

    test('removal takes the pool, its pins and its configuration, and no other pool', async () => {
      await store.pools.save(registration(), MONDAY)
      await store.pools.save(registration({ uuid: OTHER }), MONDAY)
      await store.pools.replaceConfiguration(POOL, new Map([['a', '1']]))
      await store.pools.replaceConfiguration(OTHER, new Map([['a', '2']]))
      expect(await store.pools.remove(POOL)).toBe(true)
      expect(await store.pools.remove(POOL)).toBe(false)
      expect(await store.pools.find(POOL)).toBeUndefined()
      expect(await store.pools.readConfiguration(POOL)).toBeUndefined()
      expect((await store.pools.list()).map(({ uuid }) => uuid)).toEqual([OTHER])
      expect(await store.pools.readConfiguration(OTHER)).toEqual(new Map([['a', '2']]))
      expect(await store.pools.replaceConfiguration(POOL, new Map())).toBe(false)

      const pins = [{ address: '192.0.2.10', tlsPort: 443, fingerprintSha256: 'EE:FF' }]
      expect((await store.pools.save(registration({ pins }), TUESDAY)).state).toBe('saved')
    })

    test('fifty changes at once: one after the other, none lost', async () => {
      await store.pools.save(registration(), MONDAY)
      const add = (key: string) =>
        store.pools.changeConfiguration(POOL, (_, stored) => ({
          configuration: new Map([...stored, [key, 'x']]),
          outcome: key,
        }))
      const keys = Array.from({ length: 50 }, (_, index) => `key-${index}`)
      expect(await Promise.all(keys.map(add))).toEqual(keys)
      expect([...((await store.pools.readConfiguration(POOL)) ?? []).keys()].sort()).toEqual([...keys].sort())
    })

    test('a change that throws stores nothing and lets the next one in', async () => {
      await store.pools.save(registration(), MONDAY)
      const refuse = () => {
        throw new Error('refused')
      }
      await expect(store.pools.changeConfiguration(POOL, refuse)).rejects.toThrow('refused')
      expect(await store.pools.readConfiguration(POOL)).toEqual(new Map())
    })

    test('any configuration comes back byte for byte, in its order', async () => {
      await store.pools.save(registration(), MONDAY)
      const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\0'))
      await fc.assert(
        fc.asyncProperty(fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key }), async (entries) => {
          await store.pools.replaceConfiguration(POOL, new Map(entries))
          expect([...((await store.pools.readConfiguration(POOL)) ?? [])]).toEqual(entries)
        }),
        { numRuns: 50 },
      )
    })

    test('a key and a value as long as a request may be', async () => {
      await store.pools.save(registration(), MONDAY)
      const long = new Map([['k'.repeat(130_000), '"\n'.repeat(65_000)]])
      await store.pools.replaceConfiguration(POOL, long)
      expect(await store.pools.readConfiguration(POOL)).toEqual(long)
    })

    test('closed and opened again, everything is there', async () => {
      await store.pools.save(registration(), MONDAY)
      const before = await store.pools.find(POOL)
      await store.close()
      store = await openStore(place)
      expect(await store.pools.find(POOL)).toEqual(before)
    })
  })
})

describe.skipIf(!postgres)('PostgreSQL server (postgres): what can be wrong with it', () => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres(postgres!)
  })
  afterAll(() => server.stop())

  const cases: [place: string, code: string][] = [
    ['mysql://localhost/wlb', 'DATABASE_URL_INVALID'],
    ['postgres://wlb:secret@127.0.0.1:1/wlb', 'DATABASE_UNREACHABLE'],
    ['latin1', 'DATABASE_ENCODING'],
    ['newer', 'DATABASE_MIGRATION_FAILED'],
  ]
  test.each(cases)('%s: %s', async (name, code) => {
    const url = name === 'latin1' ? server.createDatabase('latin1', { encoding: 'LATIN1' }) : name
    const failure = await openStore({ kind: 'server', url: name === 'newer' ? await newerDatabase(server) : url }).then(
      () => undefined,
      (error) => error,
    )
    expect(failure).toMatchObject({ code })
    expect(JSON.stringify(failure.facts)).not.toContain('secret')
  })
})

async function newerDatabase(server: PostgresServer): Promise<string> {
  const url = server.createDatabase('newer')
  await (await openStore({ kind: 'server', url })).close()
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`insert into kysely_migration values ('9999-later', now()::text)`)
  await client.end()
  return url
}
