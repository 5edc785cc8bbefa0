/** The room's door: what certificates are, pure, and cheap to import (the schema library is loaded when one is made). */
export { loadBundle } from './bundle.js'
export { checkLeafRevocation, readCrl } from './crl.js'
export { checkHost } from './host-name.js'
export { encodePem, readPemBlocks } from './pem.js'
export { createSelfSigned, type Identity } from './self-signed.js'
export { decodeSingleCertificate } from './single-certificate.js'
export { type CertificateSummary, describeCertificate, isSelfSigned } from './summary.js'
