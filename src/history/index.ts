/** What is remembered, in SQL: pools, their configuration and sealed credentials. */
export type { CertificatePin, Configuration, Pool, PoolRegistration, PoolStore, SaveResult } from './pool-store.js'
export { type DatabasePlace, openStore, prepareDatabase, type Store } from './store.js'
