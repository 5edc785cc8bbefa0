/** What the appliance remembers, in SQL: one schema on two engines. A promise that is fulfilled has been committed. */
import type { Trouble, TroubleReport } from './database-health.js'
import type { PoolStore } from './pool-store.js'
import type { Schema } from './schema.js'
import type { SessionSource } from './session-driver.js'

export type DatabasePlace =
  | { readonly kind: 'embedded'; readonly directory: string }
  | { readonly kind: 'server'; readonly url: string }

/** Each function answers within nine seconds, whatever the database does. */
export interface Store {
  readonly pools: PoolStore
  /** Why the database cannot be used now, or could not when it was last needed. */
  trouble(): Trouble | undefined
  /** Tries whether changes are stored again, if nobody has met the trouble for a minute. */
  lookAgain(): Promise<void>
  close(): Promise<void>
}

/** A server takes a few requests at once; the embedded engine is one process. */
const SERVER_CONNECTIONS = 4

/**
 * Opens the database, made first if it is embedded and missing, and brings it to the present schema.
 * An embedded one belongs to one process: the caller holds a lock on its folder. From then on failures pass: the database is
 * opened again by itself, and `report` hears of each failure once.
 *
 * @throws DATABASE_UNUSABLE, DATABASE_URL_INVALID, DATABASE_UNREACHABLE, DATABASE_ENCODING, DATABASE_MIGRATION_FAILED
 */
export async function openStore(place: DatabasePlace, report: TroubleReport = () => {}): Promise<Store> {
  const [{ Kysely }, { migrate }, { PoolStore }, { DatabaseHealth }, { SessionDriver }] = await loadLayer()
  const health = new DatabaseHealth(report)
  const driver = new SessionDriver(await sessionsOf(place), health)
  await driver.start()
  const db = new Kysely<Schema>({ dialect: driver.dialect() })
  try {
    await migrate(db)
    await driver.serve()
  } catch (error) {
    await db.destroy()
    throw error
  }
  const pools = new PoolStore(db)
  return {
    pools,
    trouble: () => health.trouble(),
    lookAgain: async () => {
      if (health.isDoubtful()) await pools.tryChange()
    },
    close: () => db.destroy(),
  }
}

/**
 * Makes an embedded database if there is none, under the same lock as for opening it; tries to use a server's.
 *
 * @throws as `openStore` does.
 */
export async function prepareDatabase(place: DatabasePlace): Promise<'created' | 'kept'> {
  if (place.kind === 'server') {
    const store = await openStore(place)
    await store.close()
    return 'kept'
  }
  const { createEmbedded, embeddedExists } = await import('./embedded-database.js')
  if (embeddedExists(place.directory)) return 'kept'
  await createEmbedded(place.directory)
  return 'created'
}

/** Three hundred files, and a fifth of a second: only for those who open a database, which most commands do not. */
function loadLayer() {
  return Promise.all([
    import('kysely'),
    import('./schema.js'),
    import('./pool-store.js'),
    import('./database-health.js'),
    import('./session-driver.js'),
  ])
}

/** Each engine is loaded only where it is used. */
async function sessionsOf(place: DatabasePlace): Promise<SessionSource> {
  if (place.kind === 'server') {
    const { connectToServer } = await import('./server-database.js')
    return { most: SERVER_CONNECTIONS, open: (limitMs) => connectToServer(place.url, limitMs) }
  }
  const { openEngine } = await import('./embedded-engine.js')
  return { most: 1, open: () => openEngine(place.directory) }
}
