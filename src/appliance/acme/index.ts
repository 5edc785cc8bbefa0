/** Certificates from an ACME authority (RFC 8555): got once by a command, renewed by the running appliance. */
export { ORDER_KEY_BITS } from './acme-files.js'
export {
  type AcmeFault,
  type AcmeSettings,
  findAcmeFault,
  HTTP_ADDRESS,
  HTTP_PORT,
} from './acme-settings.js'
export type { Anchor } from './anchor.js'
export type { AnchorBringer, Brought, Hindrance } from './anchor-bringer.js'
export { factsInPlace } from './facts-in-place.js'
export { installObtained, settleObtained } from './install-obtained.js'
export { type Obtained, obtainCertificate } from './obtain.js'
export { readTermsOf } from './read-terms.js'
export { rememberAcme } from './remember.js'
export { isRenewalDue } from './renewal.js'
export type { Renewed } from './renewal-keeper.js'
export type { RenewalStatus } from './renewal-status.js'
