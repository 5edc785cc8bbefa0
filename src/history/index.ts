/** What is remembered, in SQL: pools, their configuration and sealed credentials. */
export { SCHEMA_VERSION } from './migrate.js'
export type { CertificatePin, Configuration, Pool, PoolRegistration, PoolStore, SaveResult } from './pool-store.js'
export { type DatabasePlace, openStore, prepareDatabase, type Store } from './store.js'
