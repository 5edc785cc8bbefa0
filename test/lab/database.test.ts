/** The pool's database and its events, without a pool around them. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it, test } from 'vitest'
import { CLASSES } from '../../src/lab/database/classes.js'
import { Database, readImage } from '../../src/lab/database/database.js'
import { EventLog } from '../../src/lab/database/event-log.js'
import { coerce, fromStored, toStored } from '../../src/lab/database/field.js'

const folder = mkdtempSync(join(tmpdir(), 'openwlb-database-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0

function empty(): { database: Database; path: string } {
  const path = join(folder, `state-${++files}.db`)
  const database = new Database(path, { generation: 1, internals: {}, tables: {} })
  database.create('pool', { name_label: 'lab' })
  return { database, path }
}

describe('what is written', () => {
  test('comes back as it was, whatever its type', async () => {
    const { database, path } = empty()
    const values = {
      name_label: 'é "x"\n',
      other_config: { __proto__x: '1', '': '2' },
      tags: ['b', 'a'],
      ext_auth_cache_size: 2n ** 62n,
      wlb_enabled: true,
      last_update_sync: new Date('2026-11-23T14:53:37Z'),
    }
    database.update('pool', database.pool.ref, values)
    database.setInternal('secret', 'x')
    await database.durable()
    const again = new Database(path, await readImage(path))
    expect(again.pool).toEqual(database.pool)
    expect(again.pool.record).toMatchObject(values)
    expect(again.internal('secret')).toBe('x')
    expect(again.generation).toBe(database.generation)
  })

  test('sessions and tasks are not', async () => {
    const { database, path } = empty()
    database.create('task', { name_label: 'x' })
    database.create('session', {})
    await database.durable()
    expect(Object.keys((await readImage(path)).tables)).not.toContain('task')
    expect(Object.keys((await readImage(path)).tables)).not.toContain('session')
  })

  test('many changes share a writing, and each is on the disk when its wait ends', async () => {
    const { database, path } = empty()
    const { ref } = database.pool
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        database.update('pool', ref, { name_description: String(index) })
        const { generation } = database
        await database.durable()
        expect((await readImage(path)).generation).toBeGreaterThanOrEqual(generation)
      }),
    )
  })

  test('a folder that is gone fails the wait, and the next one writes everything', async () => {
    const { database, path } = empty()
    await database.durable()
    const lost = new Database(join(folder, 'gone', 'state.db'), await readImage(path))
    lost.update('pool', lost.pool.ref, { name_label: 'x' })
    await expect(lost.durable()).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(lost.durable()).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

test('every field’s default can be stored and read again', () => {
  for (const { fields } of CLASSES) {
    for (const field of fields)
      expect(fromStored(field, JSON.parse(JSON.stringify(toStored(field, field.default))))).toEqual(field.default)
  }
})

test('no class has a field twice, in either spelling', () => {
  for (const { fields } of CLASSES) {
    const names = fields.flatMap(({ name }) => (name === '' ? [] : [name]))
    expect(new Set(names).size).toBe(names.length)
    const cliNames = fields.map(({ cliName }) => cliName)
    expect(new Set(cliNames).size).toBe(cliNames.length)
  }
})

const given: [
  type: 'int' | 'float' | 'bool' | 'datetime' | 'string',
  value: string | bigint | number | boolean,
  read: unknown,
][] = [
  ['int', '42', 42n],
  ['int', 42n, 42n],
  ['int', 42, 42n],
  ['int', '4.2', 'refused'],
  ['int', '', 'refused'],
  ['float', '4.5', 4.5],
  ['float', 4n, 4],
  ['float', 'x', 'refused'],
  ['bool', true, true],
  ['bool', 'true', 'refused'],
  ['datetime', '20261123T14:53:37Z', new Date('2026-11-23T14:53:37Z')],
  ['datetime', 'tomorrow', 'refused'],
  ['string', 'x', 'x'],
  ['string', 1n, 'refused'],
]
it.each(given)('a caller’s %s from %s: %s', (type, value, read) => {
  if (read === 'refused') expect(() => coerce({ type }, value)).toThrow('INTERNAL_ERROR')
  else expect(coerce({ type }, value)).toEqual(read)
})

describe('events', () => {
  const never = () => false
  const told = async (log: EventLog, token: string, patterns = ['*']) => {
    const { events, token: next } = await log.from(patterns, token, 0, never)
    const words = events.map((event) =>
      typeof event === 'object' && 'ref' in event ? `${event.operation} ${event.class}` : '',
    )
    return { said: words.join(', '), next }
  }

  test('an empty token: everything there is, as new', async () => {
    const { database } = empty()
    expect((await told(new EventLog(database), '')).said).toBe('add pool')
  })

  test('since a token: one event an object, whatever happened to it', async () => {
    const { database } = empty()
    const log = new EventLog(database)
    const { next } = await told(log, '')
    const task = database.create('task', {})
    const short = database.create('secret', {})
    database.update('task', task, { progress: 0.5 })
    database.destroy('secret', short)
    database.update('pool', database.pool.ref, { name_label: 'x' })
    database.update('pool', database.pool.ref, { name_label: 'y' })
    const first = await told(log, next)
    expect(first.said).toBe('add task, mod pool')
    database.destroy('task', task)
    expect((await told(log, first.next)).said).toBe('del task')
    expect((await told(log, next, ['pool'])).said).toBe('mod pool')
    expect((await told(log, next, [`POOL/${database.pool.ref}`])).said).toBe('mod pool')
    expect((await told(log, next, ['pool/OpaqueRef:x'])).said).toBe('')
  })

  test('a wait ends with the first change', async () => {
    const { database } = empty()
    const log = new EventLog(database)
    const { next } = await told(log, '')
    const waiting = log.from(['secret'], next, 60_000, never)
    database.update('pool', database.pool.ref, {})
    database.create('secret', {})
    expect((await waiting).events).toHaveLength(1)
  })

  test('a wait ends when the log does', async () => {
    const { database } = empty()
    const log = new EventLog(database)
    const { next } = await told(log, '')
    const waiting = log.from(['*'], next, 60_000, never)
    log.close()
    expect((await waiting).events).toEqual([])
  })

  test('removals long past are lost, and the caller hears it', async () => {
    const { database } = empty()
    const log = new EventLog(database)
    const { next } = await told(log, '')
    for (let count = 0; count < 5_001; count++) database.destroy('secret', database.create('secret', {}))
    await expect(log.from(['*'], next, 0, never)).rejects.toMatchObject({ code: 'EVENTS_LOST' })
    await expect(log.from(['*'], 'x', 0, never)).rejects.toMatchObject({ code: 'EVENT_FROM_TOKEN_PARSE_FAILURE' })
  })

  test('who follows the events knows what is there', async () => {
    const operations = fc.array(fc.tuple(fc.constantFrom('add', 'mod', 'del', 'look'), fc.nat(5)), { maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(operations, async (steps) => {
        const { database } = empty()
        const log = new EventLog(database)
        const known = new Map<string, unknown>()
        let token = ''
        const look = async () => {
          const batch = await log.from(['secret'], token, 0, never)
          token = batch.token
          for (const event of batch.events) {
            if (typeof event !== 'object' || !('ref' in event)) throw new Error('no event')
            if (event.operation === 'del') expect(known.delete(String(event.ref))).toBe(true)
            else {
              expect(known.has(String(event.ref))).toBe(event.operation === 'mod')
              known.set(String(event.ref), event.snapshot)
            }
          }
        }
        for (const [step, index] of steps) {
          const ref = database.refs('secret')[index]
          if (step === 'add') database.create('secret', { value: String(index) })
          else if (step === 'look') await look()
          else if (ref && step === 'mod') database.update('secret', ref, { value: `${index}!` })
          else if (ref) database.destroy('secret', ref)
        }
        await look()
        expect(Object.fromEntries(known)).toEqual(Object.fromEntries(database.rows('secret')))
      }),
    )
  })
})
