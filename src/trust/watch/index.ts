/** Pools watched: what changed since the last look, said once, and delivered. */

export { watchBesideAppliance } from './beside-appliance.js'
export { audienceOf, type Channel, letterbox, lineOf, webhook } from './channels.js'
export type { DatedEvent } from './memory.js'
export { startWatch, type Watch, watchOnce } from './watch.js'
