/** The room's door: a verified connection observed, proved, predicted; and the pools a user knows. */

export { applyPlan, type Prepared, preparePlan, type TrustOutcome, type TrustRequest, undoLast } from './apply.js'
export type { Connection, HostProof, HostVerdict } from './connection.js'
export type { GoalKind } from './decide-trust.js'
export * from './diagnose/index.js'
export { type FleetLine, type FleetMember, lookAtFleet } from './fleet.js'
export { type FleetPool, readFleet } from './fleet-file.js'
export { compareStores, type StoreState } from './host-table.js'
<<<<<<< HEAD
export type { Journal } from './journal.js'
=======
export { type Journal, readKnownCertificates } from './journal.js'
>>>>>>> bba4c1a (trust: an undo waits for the connection that a killed run was making)
export { configFolder, type KnownPool, readKnownPools, rememberPool } from './known-pools.js'
export { type ObserveOptions, observe } from './observe.js'
export type { Plan } from './plan.js'
export { explainRefusal } from './pool-refused.js'
export { openPool, type PoolAccess, type PoolSession } from './pool-session.js'
export { type ProveOptions, proveHosts } from './prove.js'
export { type PreparedRenewal, renew } from './renew.js'
export { openEntries, type RunOutcome, report, type StepReport } from './run-steps.js'
export { makeStep } from './steps/make-step.js'
export { readPoolNow } from './steps/pool-now.js'
export type { Step, StepOrder, World } from './steps/step.js'
export { judgeHosts } from './verdicts.js'
export * from './watch/index.js'
export { formatWlbAddress, parseWlbAddress, type WlbAddress } from './wlb-address.js'
