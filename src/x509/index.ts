/** The room's door: what certificates are, pure, and cheap to import (the schema library is loaded when one is made). */
export { type Bundle, loadBundle } from './bundle.js'
export { checkLeafRevocation, type LeafRevocation, readCrl } from './crl.js'
export { checkHost } from './host-name.js'
export { encodePem, type PemBlock, readPemBlocks } from './pem.js'
export { createSelfSigned, type Identity, type SelfSignedRequest } from './self-signed.js'
export { decodeSingleCertificate, type SingleCertificate } from './single-certificate.js'
export { type CertificateSummary, describeCertificate, isSelfSigned } from './summary.js'
