/** The pools that registered, the certificates pinned to their addresses, and their configuration. */
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely'
import type { PoolTable, Schema } from './schema.js'

/** The certificate a host showed when its pool first registered at that address. */
export interface CertificatePin {
  readonly address: string
  readonly tlsPort: number
  readonly fingerprintSha256: string
}

export interface PoolRegistration {
  readonly uuid: string
  /** As the pool named itself. */
  readonly address: string
  readonly plainPort: number
  /** Where the login succeeded: another host, if the one named was a member. */
  readonly coordinatorAddress: string
  readonly userName: string
  readonly sealedPassword: Uint8Array
  readonly hostUuids: readonly string[]
  /** What each address contacted has shown. */
  readonly pins: readonly CertificatePin[]
}

export interface Pool extends PoolRegistration {
  /** Above 0, and the same for as long as the pool is registered. */
  readonly id: number
  readonly registeredAt: Date
  readonly updatedAt: Date
}

export type SaveResult =
  | { readonly state: 'saved'; readonly pool: Pool }
  | { readonly state: 'pinned-otherwise'; readonly pin: CertificatePin }

export type Configuration = ReadonlyMap<string, string>

/** What a change makes of the stored configuration; without `configuration` everything stays. */
export interface ConfigurationChange<T> {
  readonly configuration?: Configuration
  readonly outcome: T
}

export class PoolStore {
  readonly #db: Kysely<Schema>

  constructor(db: Kysely<Schema>) {
    this.#db = db
  }

  /**
   * Registers a pool, or renews its address, credentials and hosts; id, configuration and time of registration stay.
   * A pin is never changed by this: where one says otherwise, nothing is stored.
   */
  async save(registration: PoolRegistration, now: Date): Promise<SaveResult> {
    const { uuid, hostUuids, pins, ...rest } = registration
    const columns = {
      address: rest.address,
      plain_port: rest.plainPort,
      coordinator_address: rest.coordinatorAddress,
      user_name: rest.userName,
      sealed_password: rest.sealedPassword,
      updated_at: now,
    }
    return this.#db.transaction().execute(async (transaction): Promise<SaveResult> => {
      const existing = await lockPool(transaction, uuid)
      const contradicted = existing && (await contradictedPin(transaction, existing.id, pins))
      if (contradicted) return { state: 'pinned-otherwise', pin: contradicted }

      const row = await transaction
        .insertInto('pool')
        .values({ uuid, registered_at: now, ...columns })
        .onConflict((conflict) => conflict.column('uuid').doUpdateSet(columns))
        .returningAll()
        .executeTakeFirstOrThrow()
      await transaction.deleteFrom('pool_host').where('pool_id', '=', row.id).execute()
      const hosts = [...new Set(hostUuids)].map((host) => ({ pool_id: row.id, uuid: host }))
      if (hosts.length > 0) await transaction.insertInto('pool_host').values(hosts).execute()
      for (const { address, tlsPort, fingerprintSha256 } of pins)
        await transaction
          .insertInto('pool_certificate')
          .values({
            pool_id: row.id,
            address,
            tls_port: tlsPort,
            fingerprint_sha256: fingerprintSha256,
            pinned_at: now,
          })
          .onConflict((conflict) => conflict.doNothing())
          .execute()
      return { state: 'saved', pool: await readPool(transaction, row) }
    })
  }

  async find(uuid: string): Promise<Pool | undefined> {
    return this.#db.transaction().execute(async (transaction) => {
      const row = await findPool(transaction, uuid)
      return row && readPool(transaction, row)
    })
  }

  /** In order of registration. */
  async list(): Promise<readonly Pool[]> {
    return this.#db.transaction().execute(async (transaction) => {
      const pools: Pool[] = []
      for (const row of await transaction.selectFrom('pool').selectAll().orderBy('id').execute())
        pools.push(await readPool(transaction, row))
      return pools
    })
  }

  async count(): Promise<number> {
    const counted = this.#db.selectFrom('pool').select(({ fn }) => fn.countAll<number | string>().as('pools'))
    return Number((await counted.executeTakeFirstOrThrow()).pools)
  }

  /** Writes what is there already: tells whether changes can be stored, where there is a pool to change. */
  async tryChange(): Promise<void> {
    const first = this.#db.selectFrom('pool').select(({ fn }) => fn.min('id').as('id'))
    await this.#db
      .updateTable('pool')
      .set(({ ref }) => ({ updated_at: ref('updated_at') }))
      .where('id', '=', first)
      .execute()
  }

  /** Forgets a pool with its configuration and pins. Tells whether there was one. */
  async remove(uuid: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db.deleteFrom('pool').where('uuid', '=', uuid).executeTakeFirst()
    return numDeletedRows > 0n
  }

  /** What was stored for the pool, in the order given then; undefined for a pool not registered. */
  async readConfiguration(uuid: string): Promise<Configuration | undefined> {
    return (await this.findWithConfiguration(uuid))?.stored
  }

  /** The pool and what was stored for it. Locks nothing, so nothing has to reach the disk. */
  async findWithConfiguration(
    uuid: string,
  ): Promise<{ readonly pool: Pool; readonly stored: Configuration } | undefined> {
    return this.#db.transaction().execute(async (transaction) => {
      const row = await findPool(transaction, uuid)
      return row && { pool: await readPool(transaction, row), stored: await readConfiguration(transaction, row.id) }
    })
  }

  /** Stores exactly `configuration`. Tells whether there is such a pool. */
  async replaceConfiguration(uuid: string, configuration: Configuration): Promise<boolean> {
    return (await this.changeConfiguration(uuid, () => ({ configuration, outcome: true }))) ?? false
  }

  /** Reads, lets `change` decide, and writes, with the pool locked: of two at once the second sees what the first did. */
  async changeConfiguration<T>(
    uuid: string,
    change: (pool: Pool, stored: Configuration) => ConfigurationChange<T>,
  ): Promise<T | undefined> {
    return this.#db.transaction().execute(async (transaction) => {
      const row = await lockPool(transaction, uuid)
      if (!row) return undefined
      const stored = await readConfiguration(transaction, row.id)
      const { configuration, outcome } = change(await readPool(transaction, row), stored)
      if (configuration) await writeConfiguration(transaction, row.id, stored, configuration)
      return outcome
    })
  }
}

function findPool(transaction: Transaction<Schema>, uuid: string): Promise<Selectable<PoolTable> | undefined> {
  return transaction.selectFrom('pool').selectAll().where('uuid', '=', uuid).executeTakeFirst()
}

function lockPool(transaction: Transaction<Schema>, uuid: string): Promise<Selectable<PoolTable> | undefined> {
  return transaction.selectFrom('pool').selectAll().where('uuid', '=', uuid).forUpdate().executeTakeFirst()
}

async function contradictedPin(
  transaction: Transaction<Schema>,
  poolId: number,
  shown: readonly CertificatePin[],
): Promise<CertificatePin | undefined> {
  const pinned = await readPins(transaction, poolId)
  return pinned.find((pin) =>
    shown.some(
      ({ address, tlsPort, fingerprintSha256 }) =>
        address === pin.address && tlsPort === pin.tlsPort && fingerprintSha256 !== pin.fingerprintSha256,
    ),
  )
}

async function readPool(transaction: Transaction<Schema>, row: Selectable<PoolTable>): Promise<Pool> {
  const hosts = await transaction
    .selectFrom('pool_host')
    .select('uuid')
    .where('pool_id', '=', row.id)
    .orderBy('uuid')
    .execute()
  return {
    id: row.id,
    uuid: row.uuid,
    address: row.address,
    plainPort: row.plain_port,
    coordinatorAddress: row.coordinator_address,
    userName: row.user_name,
    sealedPassword: row.sealed_password,
    hostUuids: hosts.map(({ uuid }) => uuid),
    pins: await readPins(transaction, row.id),
    registeredAt: row.registered_at,
    updatedAt: row.updated_at,
  }
}

async function readPins(transaction: Transaction<Schema>, poolId: number): Promise<readonly CertificatePin[]> {
  return transaction
    .selectFrom('pool_certificate')
    .select(['address', 'tls_port as tlsPort', 'fingerprint_sha256 as fingerprintSha256'])
    .where('pool_id', '=', poolId)
    .orderBy('pinned_at')
    .orderBy('address')
    .execute()
}

async function readConfiguration(transaction: Transaction<Schema>, poolId: number): Promise<Configuration> {
  const rows = await transaction
    .selectFrom('pool_configuration')
    .select(['key', 'value'])
    .where('pool_id', '=', poolId)
    .orderBy('position')
    .execute()
  return new Map(rows.map(({ key, value }) => [key, value]))
}

/**
 * Writes the rows that differ, in one statement of three arrays: the fast path both engines share. Consoles send back
 * everything they have read to change one key, and rewritten rows would stay in the file until somebody vacuums it.
 */
async function writeConfiguration(
  transaction: Transaction<Schema>,
  poolId: number,
  stored: Configuration,
  configuration: Configuration,
): Promise<void> {
  const before = [...stored]
  const changed = [...configuration]
    .map(([key, value], position) => ({ key, value, position }))
    .filter(({ key, value, position }) => before[position]?.[0] !== key || before[position]?.[1] !== value)
  const positions = changed.map(({ position }) => position)
  const keys = changed.map(({ key }) => key)
  const values = changed.map(({ value }) => value)
  await sql`insert into pool_configuration (pool_id, position, key, value)
    select ${poolId}::integer, row.position, row.key, row.value
    from unnest(${positions}::integer[], ${keys}::text[], ${values}::text[]) as row (position, key, value)
    on conflict (pool_id, position) do update set key = excluded.key, value = excluded.value`.execute(transaction)
  await transaction
    .deleteFrom('pool_configuration')
    .where('pool_id', '=', poolId)
    .where('position', '>=', configuration.size)
    .execute()
}
