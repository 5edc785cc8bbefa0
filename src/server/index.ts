/** Public API of server: setting up an appliance, running it, and its parts. */
export { type AccountReport, changePassword, describeAccount, type PasswordChange } from './account.js'
export { askPools, type PoolsAsked } from './pools/pool-outlook.js'
export { poolWatch } from './pools/pool-watch.js'
export { forgetPool } from './pools/registered-pools.js'
export { type AnchorPart, anchorInstaller, renewal } from './renewal.js'
export { applianceParts, type RunningAppliance, serve, serviceParts } from './serve.js'
export { type SetupOptions, type SetupReport, setUp, suggestSetup } from './setup.js'
