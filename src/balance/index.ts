/** Public API of balance: a pool as a value, and advice as functions of it. */
export { compile } from './compiled/compile.js'
export { type CompiledPool, type CompiledRule, NOWHERE, RESOURCES, type Resource } from './compiled/compiled-pool.js'
export { recentScenarios, type Scenario } from './compiled/scenarios.js'
export { type Host, LIMITS, type Pool, type Rule, type Settings, type Vm } from './document/pool-document.js'
export { type PoolReading, type Problem, readPool } from './document/read-pool.js'
export type { Figures, Move, Plan, PowerStep, Reason, Severity, Stuck } from './plan.js'
export { mayMigrate, mayMove } from './rules/may-move.js'
export { mayRun, type Refusal } from './rules/may-run.js'
