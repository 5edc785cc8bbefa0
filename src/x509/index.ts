/** The room's door: what certificates are, pure, and cheap to import (the schema library is loaded when one is made). */
export { AUTHORITY_LABEL, type Authority, createAuthority, type Signer } from './authority.js'
export { judgeAsBrowser } from './browser.js'
export { type Bundle, loadBundle } from './bundle.js'
export { type CertificateFacts, readFacts, readIssuerKeyId } from './certificate-facts.js'
export {
  type CertificateRequest,
  checkChallengePassword,
  checkSubjectPart,
  createCertificateRequest,
  type RequestSubject,
} from './certificate-request.js'
export { type Chain, orderChain, sendingOrder } from './chain.js'
export { type NamedBytes, readContainers } from './container.js'
export { crlUrls } from './crl-urls.js'
export { DEFECTS, type DefectCode } from './defects.js'
export { encodeElement, readElement, readElements, TAG } from './der.js'
export { type Contents, describePlace, type Place } from './findings.js'
export { checkHost } from './host-name.js'
export { type HostStore, loadHostStore } from './host-store.js'
export { type InstalledFile, type InstalledFileKind, readInstalledFile } from './installed-file.js'
export { type CrlOrder, type IssuedCrl, issueCrl, REVOCATION_REASONS, type RevocationReason } from './issue-crl.js'
export type { LeafNames, RefusedName } from './leaf-names.js'
export { lint, type Warning } from './lint.js'
export { renderNameFields } from './name-fields.js'
export { encodePem, readPemBlocks } from './pem.js'
export { exportPrivateKey, findPrivateKey, readPrivateKey, type SealedKey } from './private-key.js'
export { readExtension } from './read-extension.js'
export { readRequest } from './read-request.js'
export { createSelfSigned, type Identity } from './self-signed.js'
export { createSerialNumber } from './serial-number.js'
export { type LeafPlan, planLeaf, signLeaf } from './sign-leaf.js'
export { createRsaKey, loadLibrary } from './signing.js'
export { decodeSingleCertificate } from './single-certificate.js'
export { type CertificateSummary, describeCertificate, isSelfSigned } from './summary.js'
export { validate } from './validate.js'
export type { Defect, Question, TrustAnchor, Verdict } from './verdict.js'
