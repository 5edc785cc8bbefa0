/** Public API of store: what is remembered in SQL. */
export { type CertificatePin, type Pool, type PoolRegistration, PoolStore } from './pool-store.js'
export { SCHEMA_VERSION } from './schema.js'
export { ANSWER_LIMIT_MS } from './session-driver.js'
export { type DatabasePlace, openStore, prepareDatabase, type Store } from './store.js'
