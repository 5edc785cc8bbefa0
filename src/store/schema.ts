/** The tables as SQL knows them; `migrations/` makes them. Integers only, because int8 is a number here and a string there. */
import type { Generated } from 'kysely'

export interface Schema {
  pool: PoolTable
  pool_host: PoolHostTable
  pool_certificate: PoolCertificateTable
  pool_configuration: PoolConfigurationTable
}

export interface PoolTable {
  id: Generated<number>
  uuid: string
  address: string
  plain_port: number
  coordinator_address: string
  user_name: string
  /** Sealed by the appliance: the key is not in the database. One engine reads it as Buffer, the other as Uint8Array. */
  sealed_password: Uint8Array
  registered_at: Date
  updated_at: Date
}

interface PoolHostTable {
  pool_id: number
  uuid: string
}

interface PoolCertificateTable {
  pool_id: number
  address: string
  tls_port: number
  fingerprint_sha256: string
  pinned_at: Date
}

interface PoolConfigurationTable {
  pool_id: number
  position: number
  key: string
  value: string
}
