/** The door of the diagnosis. */
export { breaksNothing } from './breaks-nothing.js'
export type { Cause } from './catalogue/index.js'
export { diagnose } from './diagnose.js'
export type { CallOutcome, Evidence, LocalFacts, LocalFault, PoolEvidence } from './evidence.js'
export type { Blame, Diagnosis, Finding, Severity } from './finding.js'
export { type GatherOptions, gather } from './gather.js'
export { errorText, shortPrint } from './say.js'
