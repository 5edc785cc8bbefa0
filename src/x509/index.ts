/** The room's door: what certificates are, pure, and cheap to import (the schema library is loaded when one is made). */
export { type Bundle, loadBundle } from './bundle.js'
export { checkHost } from './host-name.js'
export { encodePem, readPemBlocks } from './pem.js'
export { createSelfSigned, type Identity } from './self-signed.js'
export { decodeSingleCertificate } from './single-certificate.js'
export { type CertificateSummary, describeCertificate, isSelfSigned } from './summary.js'
export { validate } from './validate.js'
export type { Defect, Question, TrustAnchor, Verdict } from './verdict.js'
