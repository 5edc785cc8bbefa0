/** Public API of server: setting up an appliance and running it. */
export { forgetPool } from './registered-pools.js'
export { applianceParts, type RunningAppliance, serve } from './serve.js'
export { type SetupOptions, type SetupReport, setUp, suggestSetup } from './setup.js'
