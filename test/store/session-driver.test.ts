/** What the caller is told when a session fails: whether nothing was stored, or nobody knows; and what is the statement's own fault. */
import { Kysely, sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { WlbError } from '../../src/base/error.js'
import { DatabaseHealth, type Trouble } from '../../src/store/database-health.js'
import { fail } from '../../src/store/errors.js'
import { type Session, SessionEnded, StatementRefused } from '../../src/store/session.js'
import { SessionDriver } from '../../src/store/session-driver.js'

interface Tables {
  pool: { id: number }
}

/** Breaks off, or refuses with a SQLSTATE, when it comes to the statement that begins so. */
function sessionThat(failure: 'breaks' | string, begins: string): Session {
  let report = (_: string) => {}
  const ended = new Promise<string>((resolve) => {
    report = resolve
  })
  return {
    ended,
    query: async (text) => {
      if (!text.startsWith(begins)) return { rows: [], affectedRows: 0 }
      if (failure !== 'breaks') throw new StatementRefused('refused', failure)
      report('gone')
      throw new SessionEnded('gone')
    },
    limitStatements: async () => {},
    close: async () => report('closed'),
    kill: report,
  }
}

const works: Record<string, (db: Kysely<Tables>) => Promise<unknown>> = {
  reads: (db) => db.selectFrom('pool').selectAll().execute(),
  changes: (db) => db.deleteFrom('pool').execute(),
  'changes in a transaction': (db) => db.transaction().execute((inside) => inside.deleteFrom('pool').execute()),
  'reads in a transaction': (db) =>
    db.transaction().execute((inside) => inside.selectFrom('pool').selectAll().execute()),
  'changes by raw SQL': (db) => sql`delete from pool`.execute(db),
}

async function open(...sessions: Session[]) {
  const reports: (Trouble | undefined)[] = []
  const health = new DatabaseHealth((trouble) => void reports.push(trouble))
  const source = {
    most: 1,
    open: async () => {
      const next = sessions.shift()
      if (!next) throw fail('DATABASE_UNUSABLE', { directory: '', reason: 'none left' })
      return next
    },
  }
  const driver = new SessionDriver(source, health)
  await driver.start()
  await driver.serve()
  return { db: new Kysely<Tables>({ dialect: driver.dialect() }), health, reports }
}

const codeOf = (error: unknown) => (error instanceof WlbError ? error.code : String(error))

describe('what the caller is told', () => {
  const cases: [work: string, failure: string, at: string, told: string][] = [
    ['reads', 'breaks', 'select', 'DATABASE_UNAVAILABLE'],
    ['changes', 'breaks', 'delete', 'DATABASE_OUTCOME_UNKNOWN'],
    ['changes by raw SQL', 'breaks', 'delete', 'DATABASE_OUTCOME_UNKNOWN'],
    ['changes in a transaction', 'breaks', 'begin', 'DATABASE_UNAVAILABLE'],
    ['changes in a transaction', 'breaks', 'delete', 'DATABASE_UNAVAILABLE'],
    ['changes in a transaction', 'breaks', 'commit', 'DATABASE_OUTCOME_UNKNOWN'],
    ['reads in a transaction', 'breaks', 'commit', 'DATABASE_UNAVAILABLE'],
    ['changes in a transaction', '53100', 'delete', 'DATABASE_UNAVAILABLE'], // disk full
    ['changes in a transaction', '53100', 'commit', 'DATABASE_UNAVAILABLE'], // refused is not stored
    ['changes', '25006', 'delete', 'DATABASE_UNAVAILABLE'], // read-only
    ['changes', '57014', 'delete', 'DATABASE_UNAVAILABLE'], // the server's time limit
    ['changes', '55P03', 'delete', 'DATABASE_UNAVAILABLE'], // a lock that is not given
    ['changes', '23505', 'delete', 'StatementRefused: refused'], // a defect of ours
    ['reads', '42P01', 'select', 'StatementRefused: refused'],
  ]
  test.each(cases)('%s, %s at "%s": %s', async (work, failure, at, told) => {
    const { db } = await open(sessionThat(failure, at), sessionThat('breaks', 'never'))
    expect(await works[work]?.(db).then(() => 'done', codeOf)).toBe(told)
    expect(await works[work]?.(db).then(() => 'done', codeOf)).toBe(failure === 'breaks' ? 'done' : told)
    await db.destroy()
  })
})

describe('what is reported', () => {
  test('a session that breaks: once, and once when another one is open', async () => {
    const { db, health, reports } = await open(sessionThat('breaks', 'select'), sessionThat('breaks', 'never'))
    await works.reads?.(db).catch(() => {})
    await works.reads?.(db)
    expect(reports.map((trouble) => trouble?.reason)).toEqual(['gone', undefined])
    expect(health.trouble()).toBeUndefined()
    await db.destroy()
  })

  test('a full disk: reading does not end it, a change does', async () => {
    const { db, health, reports } = await open(sessionThat('53100', 'delete'))
    await works.changes?.(db).catch(() => {})
    await works.reads?.(db)
    expect(health.trouble()?.reason).toBe('refused')
    await sql`update pool set id = id`.execute(db)
    expect(health.trouble()).toBeUndefined()
    expect(reports.map((trouble) => trouble?.reason)).toEqual(['refused', undefined])
    await db.destroy()
  })

  test('no other session can be opened: whoever asks is told so at once', async () => {
    const { db, health } = await open(sessionThat('breaks', 'select'))
    await works.reads?.(db).catch(() => {})
    await expect.poll(() => health.trouble()?.reason).toBe('none left')
    expect(await works.reads?.(db).then(() => 'done', codeOf)).toBe('DATABASE_UNAVAILABLE')
    await db.destroy()
  })
})
