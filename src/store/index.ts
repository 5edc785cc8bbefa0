/** Public API of store: what is remembered in SQL. */
export { SCHEMA_VERSION } from './migrate.js'
export { type CertificatePin, type Pool, type PoolRegistration, PoolStore } from './pool-store.js'
export { type DatabasePlace, openStore, prepareDatabase, type Store } from './store.js'
