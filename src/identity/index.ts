/** Public API of identity: the certificate the appliance serves, on disk. */
export { readBindingKey } from './acme/account.js'
export { keepBindingKey, ORDER_KEY_BITS, rememberAcme } from './acme/acme-files.js'
export { type Anchor, isSameEnd } from './acme/anchor.js'
export { readDirectoryOf } from './acme/authority.js'
export type { Directory } from './acme/directory.js'
export { installObtained, type Obtained, obtainCertificate, settleObtained } from './acme/obtain.js'
export { explainRefusal, readProblem } from './acme/problem.js'
export { type Blocker, factsInPlace, isRenewalDue } from './acme/renewal.js'
export { type AnchorInstaller, type AnchorOutcome, startRenewalKeeper } from './acme/renewal-keeper.js'
export { describePool, type RunningStatus, readStatus, type Status, servesPools } from './appliance-status.js'
export {
  acmeDocument,
  exportDocument,
  historyDocument,
  installationDocument,
  replacementDocument,
} from './documents.js'
export { type CertificateSource, readCertificateFiles } from './install/certificate-files.js'
export { installCertificate } from './install/install-certificate.js'
export { findGivenKeys, type GivenKey, requireKey } from './install/install-key.js'
export {
  type InstallPlace,
  type InstallPlan,
  type InstallRequest,
  judgeFiles,
  planInstallation,
} from './install/install-plan.js'
export { type InstallStep, replaceSteps } from './install/install-steps.js'
export { type RequestReport, requestCertificate, suggestCommonName } from './request/certificate-request.js'
export { ownAddresses, planSelfSigned, type SelfSignedPlan } from './request/self-signed-plan.js'
export { activateIdentity, awaitServed } from './store/activate-identity.js'
export {
  type CertificateReport,
  describeIdentity,
  type Identity,
  type MissingName,
  reportCertificate,
} from './store/certificate-report.js'
export { type ExportedPart, encodeCertificates, exportCertificates, writeExport } from './store/export-certificates.js'
export { installIdentity, isUnsettled, lockedIdentity, settleIdentity, settleIfLeft } from './store/identity-change.js'
export { checkStoredIdentity, contentOf, hasIdentity, readIdentity } from './store/identity-files.js'
export type { IdentityRecord } from './store/identity-history.js'
export { findRollback, type KeptIdentity, listIdentities, type RollbackTarget } from './store/kept-identities.js'
export { type Replacement, replaceIdentity } from './store/replace-identity.js'
export { dropAbandoned, dropStaged, readStaged, stageIdentity } from './store/staged-identity.js'
