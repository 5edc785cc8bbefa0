/** The room's door: the appliance as a folder to set up, a process to run, and a state to ask for. */

export { type Activation, activateIdentity, type Proof } from './activate-identity.js'
export { forgetPool } from './forget-pool.js'
export { type CertificateReport, type Identity, reportCertificate } from './identity.js'
export type { Installed } from './identity-change.js'
export type { IdentityRecord, IdentitySource } from './identity-history.js'
export { checkStoredIdentity, readIdentity } from './identity-store.js'
export { installCertificate } from './install-certificate.js'
export { type InstallPlan, type InstallRequest, planInstallation } from './install-plan.js'
export { type InstallStep, installSteps } from './install-steps.js'
export { type KeptIdentity, listIdentities } from './kept-identities.js'
export { type AppliancePaths, paths } from './paths.js'
export { type Replacement, replaceIdentity } from './replace-identity.js'
export { findRollback, type RollbackTarget } from './rollback-identity.js'
export { type RunningAppliance, type ServeOptions, serve } from './serve.js'
export { type Choices, checkChoice, checkPassword, readSettings } from './settings.js'
export {
  type SetupItem,
  type SetupOptions,
  type SetupReport,
  type SetupSuggestion,
  setUp,
  suggestSetup,
} from './setup.js'
export { readStatus, type Status } from './status.js'
