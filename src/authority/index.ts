/** Public API of authority: the small certificate authority for labs. */
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
export { authorityDocument, revokedDocument, signedDocument, stateOf } from './documents.js'
export {
  AUTHORITY_LIMITS,
  type AuthorityReport,
  authorityFolder,
  type IssuedCertificate,
  reportAuthority,
} from './folder.js'
