/** Public API of x509: certificates as values, pure and cheap to import (the schema library is loaded when one is made). */
export { type Chain, orderChain, sendingOrder } from './chain.js'
export { encodeElement, readElement, readElements, TAG } from './encoding/der.js'
export { renderNameFields } from './encoding/name-fields.js'
export { encodePem, readPemBlocks } from './encoding/pem.js'
export { readExtension } from './encoding/read-extension.js'
export { createRsaKey, loadLibrary } from './encoding/signing.js'
export { type NamedBytes, readContainers } from './files/container.js'
export { type Contents, describePlace, type Place } from './files/findings.js'
export { type InstalledFile, type InstalledFileKind, readInstalledFile } from './files/installed-file.js'
export { exportPrivateKey, findPrivateKey, readPrivateKey, type SealedKey } from './files/private-key.js'
export { readRequest } from './files/read-request.js'
export { decodeSingleCertificate } from './files/single-certificate.js'
export { AUTHORITY_LABEL, type Authority, createAuthority, type Signer } from './issue/authority.js'
export {
  type CertificateRequest,
  checkChallengePassword,
  checkSubjectPart,
  createCertificateRequest,
  type RequestSubject,
} from './issue/certificate-request.js'
export { issueCrl, REVOCATION_REASONS, type RevocationReason } from './issue/issue-crl.js'
export { createSelfSigned, type Identity } from './issue/self-signed.js'
export { createSerialNumber } from './issue/serial-number.js'
export { type LeafPlan, planLeaf, signLeaf } from './issue/sign-leaf.js'
export { type CertificateSummary, describeCertificate, isSelfSigned } from './summary.js'
export { judgeAsBrowser } from './validate/browser.js'
export { type Bundle, loadBundle } from './validate/bundle.js'
export { readFacts, readIssuerKeyId } from './validate/certificate-facts.js'
export { crlUrls } from './validate/crl-urls.js'
export { DEFECTS, type DefectCode } from './validate/defects.js'
export { checkHost } from './validate/host-name.js'
export { loadHostStore } from './validate/host-store.js'
export { lint, type Warning } from './validate/lint.js'
export { validate } from './validate/validate.js'
export type { Defect, Question } from './validate/verdict.js'
