/** Public API of balance: a pool as a value, and advice as functions of it. */
export { type Host, LIMITS, type Pool, type Rule, type Settings, type Vm } from './document/pool-document.js'
export { type PoolReading, type Problem, readPool } from './document/read-pool.js'
export { optimise } from './optimise/optimise.js'
export type { Figures, Move, Plan, PowerStep, Reason, Severity, Stuck } from './plan.js'
