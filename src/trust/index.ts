/** Public API of trust: a verified connection observed, proved, predicted, planned, diagnosed and watched. */
export type { Connection, HostVerdict } from './connection/connection.js'
export type { Held } from './connection/disks.js'
export { askFingerprint, type FirstUse } from './connection/first-use.js'
export { type FleetLine, type FleetMember, lookAtFleet } from './connection/fleet.js'
export { type FleetPool, readFleet } from './connection/fleet-file.js'
export { observe } from './connection/observe.js'
export { judgeHosts } from './connection/predict.js'
export { proveHosts } from './connection/prove.js'
export { compareDisks, compareStores, type HostDisk } from './connection/store-comparison.js'
export { diagnose } from './diagnose/diagnose.js'
export type { Evidence, LocalFacts } from './diagnose/evidence/evidence.js'
export { gather } from './diagnose/evidence/gather.js'
export type { Diagnosis, Finding } from './diagnose/finding.js'
export { breaksNothing } from './diagnose/prediction.js'
export { errorText, shortPrint } from './diagnose/wording.js'
export {
  diagnosisDocument,
  doAllVerify,
  type Fetched,
  type FixedStep,
  fetchedDocument,
  fleetDocument,
  installDocument,
  outcomeDocument,
  planDocument,
  refusalDocument,
  renewalDocument,
  type ServedComparison,
  statusDocument,
} from './documents.js'
export type { Plan } from './plan/plan.js'
export { fetchCertificate, readCertificateBytes } from './remote/fetch-certificate.js'
export { hostTarget, readHostStore, readHostStores, type StoreSights } from './remote/host-store.js'
export { digestsOf } from './remote/managed-files.js'
export { askPoolsOverSsh, readPoolsFromHere } from './remote/pools-over-ssh.js'
export {
  type InstallOverSsh,
  planInstallOverSsh,
  planReplacement,
  RESTART_COMMAND,
  type ReplacementPlan,
  replaceOverSsh,
  type SshReach,
} from './remote/replace-over-ssh.js'
export { restoreOverSsh } from './remote/restore-over-ssh.js'
export { installAnchor, isAnchorUnfinished } from './renew/install-anchor.js'
export { placeHere } from './renew/places/here.js'
export { placeOverSsh } from './renew/places/over-ssh.js'
export type { IdentityPlace } from './renew/places/place.js'
export { POOL_OUTLOOKS, type PoolOutlook, readPoolOutlooks } from './renew/pool-outlook.js'
export { type PreparedRenewal, renew } from './renew/renew.js'
export { applyPlan, type TrustOutcome, undoLast } from './run/apply.js'
export { findForeignIdentity } from './run/foreign-identity.js'
export { readKnownCertificates } from './run/journal-records.js'
export { type Prepared, preparePlan, type TrustRequest } from './run/prepare.js'
export { openEntries, report, type StepReport } from './run/run-steps.js'
export { makeStep } from './run/steps/make-step.js'
export { readPoolNow } from './run/steps/pool-state.js'
export type { StepContext } from './run/steps/step.js'
export {
  audienceOf,
  type Channel,
  type ChannelChoices,
  deliverTest,
  letterbox,
  lineOf,
  openChannels,
  webhook,
} from './watch/channels.js'
export { CLOCK_LIMIT_MS } from './watch/compare.js'
export type { DatedEvent } from './watch/memory.js'
export { announceOwnEnd } from './watch/own-certificate.js'
export { readPoolClock } from './watch/pool-clock.js'
export { startWatch, watchOnce } from './watch/watch.js'
