/** Whether one certificate looks issued by another: by name, key identifier and kind of key, before any signature is checked. */
import { checkAuthorityKeyId } from '../encoding/authority-key-id.js'
import { canHaveSigned } from '../encoding/signature-algorithm.js'
import type { CertificateFacts } from './certificate-facts.js'

/** ossl_x509_likely_issued of OpenSSL 3.0. */
export function isLikelyIssuedBy(certificate: CertificateFacts, issuer: CertificateFacts): boolean {
  return (
    certificate.issuerKey === issuer.subjectKey &&
    !issuer.invalid &&
    !certificate.invalid &&
    checkAuthorityKeyId(issuer, certificate.authorityKeyId) &&
    canHaveSigned(issuer.publicKey, certificate.signatureAlgorithm)
  )
}
