/** The small authority: a folder with keys, certificates and a record of what was signed with them. */
export {
  findCertificate,
  type Published,
  planSignature,
  publishCrl,
  type Revoked,
  revokeCertificate,
  type Signed,
  signRequest,
} from './acts.js'
export { createSmallAuthority } from './create.js'
export { AUTHORITY_LIMITS, authorityFolder } from './folder.js'
export type { IssuedCertificate } from './index-file.js'
export { type AuthorityReport, reportAuthority } from './report.js'
