/** The room's door: the appliance as a folder to set up, a process to run, and a state to ask for. */

export * from './acme/index.js'
export { type Activation, activateIdentity, type Proof } from './activate-identity.js'
export { readCertificateFiles } from './certificate-files.js'
export { type RequestReport, requestCertificate, suggestCommonName } from './certificate-request.js'
export type { CertificateSource } from './certificate-source.js'
export { askAppliance } from './control.js'
export { type ExportedPart, encodeCertificates, exportCertificates, writeExport } from './export-certificates.js'
export { forgetPool } from './forget-pool.js'
export { type CertificateReport, type Identity, reportCertificate } from './identity.js'
export type { IdentityRecord } from './identity-history.js'
export { installCertificate } from './install-certificate.js'
export { type InstallPlan, type InstallRequest, planInstallation } from './install-plan.js'
export { type InstallStep, installSteps } from './install-steps.js'
export { type KeptIdentity, listIdentities } from './kept-identities.js'
export { type Log, openLog } from './log.js'
export type { MissingName } from './missing-names.js'
export { hashPassword } from './password.js'
export { type AppliancePaths, paths } from './paths.js'
export type { RegisteredPool } from './registered-pools.js'
export { type Replacement, replaceIdentity } from './replace-identity.js'
export { type ReplaceStep, replaceSteps } from './replace-steps.js'
export { findRollback, type RollbackTarget } from './rollback-identity.js'
export { planSelfSigned, type SelfSignedPlan } from './self-signed-plan.js'
export { type Beside, type RunningAppliance, type ServeOptions, serve } from './serve.js'
export { type Choices, checkChoice, checkPassword, readSettings, writeSettings } from './settings.js'
export {
  type SetupItem,
  type SetupOptions,
  type SetupReport,
  type SetupSuggestion,
  setUp,
  suggestSetup,
} from './setup.js'
export * from './small-authority/index.js'
export { dropAbandoned, dropStaged, readStaged, stageIdentity } from './staged-identity.js'
export { readStatus, type Status } from './status.js'
export { readWebhookAddress } from './webhook-address.js'
