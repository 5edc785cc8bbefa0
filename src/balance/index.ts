/** Public API of balance: a pool as a value, and advice as functions of it. */
export { type Capacity, capacity } from './capacity/capacity.js'
export { type Change, whatIf } from './capacity/what-if.js'
export { LIMITS, type Pool } from './document/pool-document.js'
export { type PoolReading, type Problem, readPool } from './document/read-pool.js'
export { type Evacuation, evacuate } from './evacuate/evacuate.js'
export { optimise } from './optimise/optimise.js'
export { place, type Rating } from './place/place.js'
export type { Figures, Move, Plan, PowerStep, Reason, Severity, Stuck } from './plan.js'
