/** The part that opens the database and the key for what is sealed in it, and what can be said about it while it is used. */
import { WlbError } from '../base/error.js'
import { readSecretKey } from '../config/index.js'
import { describePool, type RunningStatus } from '../identity/index.js'
import { openStore, type Pool, type Store } from '../store/index.js'
import type { Given, SettingsPart } from './appliance-files.js'
import type { Opened } from './part-list.js'

export interface DatabasePart {
  readonly store: Store
  readonly database: 'embedded' | 'server'
  /** Opens the passwords of pools that are in the database. */
  readonly secretKey: Buffer
}

/**
 * A database that cannot be opened now ends the start: somebody is there to read why, or a service manager tries again. One that
 * fails later ends nothing: pools are told so, and it is opened again as soon as it can be.
 */
export async function database({ place, settings, log }: Given & SettingsPart): Promise<Opened<DatabasePart>> {
  const { databaseUrl } = settings
  const kind = databaseUrl === undefined ? 'embedded' : 'server'
  const secretKey = await readSecretKey(place.secretKey)
  const store = await openStore(
    databaseUrl === undefined ? { kind: 'embedded', directory: place.database } : { kind: 'server', url: databaseUrl },
    (trouble) => {
      if (trouble) log.error({ database: kind, reason: trouble.reason }, 'the database cannot be used')
      else log.info({ database: kind }, 'the database can be used again')
    },
  )
  return { provides: { store, database: kind, secretKey }, close: () => store.close() }
}

/** Whoever asks for the state waits five seconds at most. */
const STATUS_LIMIT_MS = 3000

/** What `wlb status` says: it answers when the database does not. What may be over is tried once more. */
export async function readDatabaseStatus(
  store: Store,
  now: Date,
): Promise<Pick<RunningStatus, 'pools' | 'databaseTrouble'>> {
  const look = async () => {
    await store.lookAgain()
    return store.pools.list()
  }
  const pools = await withLimit(look())
  const trouble =
    store.trouble() ?? (pools ? undefined : { since: now, reason: `no answer within ${STATUS_LIMIT_MS / 1000} s` })
  return {
    pools: pools?.map(describePool) ?? null,
    databaseTrouble: trouble ? { since: trouble.since.toISOString(), reason: trouble.reason } : null,
  }
}

/** Undefined when the database cannot be used, or does not say so in time. */
async function withLimit(look: Promise<readonly Pool[]>): Promise<readonly Pool[] | undefined> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, STATUS_LIMIT_MS, undefined)
  })
  const answer = look.catch((error: unknown) => {
    if (isDatabaseFailure(error)) return undefined
    throw error
  })
  try {
    return await Promise.race([answer, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Tells whether it was the database's condition: it has been reported, and passes. */
export function isDatabaseFailure(error: unknown): error is WlbError {
  return (
    error instanceof WlbError && (error.code === 'DATABASE_UNAVAILABLE' || error.code === 'DATABASE_OUTCOME_UNKNOWN')
  )
}
