/** Public API of config: where things lie, settings, secrets, the log, and the client of the control socket. */
export {
  type AcmeFault,
  type AcmeSettings,
  type DnsChallenge,
  findAcmeFault,
  HTTP_ADDRESS,
  HTTP_PORT,
  type HttpChallenge,
  toAcmeFile,
} from './acme-settings.js'
export { readWebhookAddress } from './addresses.js'
export { askAppliance, askApplianceOver, describeRefusal, type Reloaded, readReloaded } from './control.js'
export { type Log, openLog } from './log.js'
export { giveFileToOwner, giveToOwner } from './owner.js'
export { hashPassword, verifyPassword, whyNotPresentable } from './password.js'
export { type AppliancePaths, paths } from './paths.js'
export { createSecretKey, readSecretKey, seal, unseal } from './secret.js'
export {
  type Choices,
  changePasswordHash,
  checkChoice,
  checkPassword,
  type FrontSettings,
  readSettings,
  type Settings,
  writeSettings,
} from './settings.js'
export {
  compareSettings,
  SETTINGS_IN_USE,
  type SettingChange,
  type SettingsInUse,
  settingsInUse,
} from './settings-in-use.js'
