/** Public API of server: setting up an appliance and running it. */
export { forgetPool } from './forget-pool.js'
export { type Beside, type RunningAppliance, type ServeOptions, serve } from './serve.js'
export { type SetupOptions, type SetupReport, setUp, suggestSetup } from './setup.js'
