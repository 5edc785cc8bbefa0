/** Public API of x509: certificates as values, pure and cheap to import (the schema library is loaded when one is made). */
export { type Chain, orderChain, sendingOrder } from './chain.js'
export { encodeElement, readElement, readElements, TAG } from './encoding/der.js'
export { renderNameFields } from './encoding/distinguished-name.js'
export { encodePem, readPemBlocks } from './encoding/pem.js'
export { describePlace, type FileContents, type NamedBytes, type Place, readContainers } from './files/container.js'
export { describeFile, isDeltaCrl } from './files/describe-file.js'
export {
  decodeSingleCertificate,
  type InstalledFile,
  type InstalledFileKind,
  readInstalledFile,
} from './files/installed-file.js'
export { exportPrivateKey, findPrivateKey, readPrivateKey, type SealedKey } from './files/private-key.js'
export {
  AUTHORITY_LABEL,
  type Authority,
  createAuthority,
  issueCrl,
  REVOCATION_REASONS,
  type RevocationReason,
  type Signer,
} from './issue/authority.js'
export {
  type CertificateRequest,
  checkChallengePassword,
  checkSubjectPart,
  createCertificateRequest,
  type RequestSubject,
  readRequest,
} from './issue/certificate-request.js'
export { createSelfSigned, type Identity } from './issue/self-signed.js'
export { type LeafPlan, planLeaf, signLeaf } from './issue/sign-leaf.js'
export { createRsaKey, createSerialNumber, loadLibrary } from './issue/signing.js'
export { type CertificateSummary, crlUrls, describeCertificate, isSelfSigned, standingAt } from './summary.js'
export { judgeAsBrowser } from './validate/browser.js'
export { readFacts, readIssuerKeyId } from './validate/certificate-facts.js'
export { checkHost, namesCompared, readExtension } from './validate/host-name.js'
export { type Bundle, loadBundle, loadHostStore } from './validate/host-store.js'
export { lint, type Warning } from './validate/lint.js'
export { validate } from './validate/validate.js'
export { DEFECTS, type Defect, type DefectCode, type Question } from './validate/verdict.js'
