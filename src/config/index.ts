/** Public API of config: where things lie, settings, secrets, the log, and the client of the control socket. */

export { type AcmeFault, type AcmeSettings, findAcmeFault, HTTP_ADDRESS, HTTP_PORT } from './acme-settings.js'
export { readWebhookAddress } from './addresses.js'
export { askAppliance } from './control.js'
export { type Log, openLog } from './log.js'
export { hashPassword } from './password.js'
export { type AppliancePaths, paths } from './paths.js'
export { checkChoice, checkPassword, readSettings, writeSettings } from './settings.js'
