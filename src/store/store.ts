/** What the appliance remembers, in SQL: one schema on two engines. A promise that is fulfilled has been committed. */
import type { Dialect } from 'kysely'
import type { PoolStore } from './pool-store.js'
import type { Schema } from './schema.js'

export type DatabasePlace =
  | { readonly kind: 'embedded'; readonly directory: string }
  | { readonly kind: 'server'; readonly url: string }

export interface Store {
  readonly pools: PoolStore
  close(): Promise<void>
}

/**
 * Opens the database, made first if it is embedded and missing, and brings it to the present schema.
 * An embedded one belongs to one process: the caller holds a lock on its folder.
 *
 * @throws DATABASE_UNUSABLE, DATABASE_URL_INVALID, DATABASE_UNREACHABLE, DATABASE_ENCODING, DATABASE_MIGRATION_FAILED
 */
export async function openStore(place: DatabasePlace): Promise<Store> {
  const [{ Kysely }, { migrate }, { PoolStore }] = await loadLayer()
  const db = new Kysely<Schema>({ dialect: await openDialect(place) })
  try {
    await migrate(db)
  } catch (error) {
    await db.destroy()
    throw error
  }
  return { pools: new PoolStore(db), close: () => db.destroy() }
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
  return Promise.all([import('kysely'), import('./schema.js'), import('./pool-store.js')])
}

/** Each engine is loaded only where it is used. */
async function openDialect(place: DatabasePlace): Promise<Dialect> {
  if (place.kind === 'server') return (await import('./server-database.js')).serverDialect(place.url)
  const { openEmbedded } = await import('./embedded-database.js')
  const { pgliteDialect } = await import('./pglite-dialect.js')
  return pgliteDialect(await openEmbedded(place.directory))
}
