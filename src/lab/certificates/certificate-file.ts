/** A PEM text someone wants installed: what a pool checks before it takes it, and what it writes down about it. */
import type { X509Certificate } from 'node:crypto'
import { decodeSingleCertificate, describeCertificate } from '../../x509/index.js'
import { ApiFailure } from '../../xapi/index.js'
import type { ApiRecord } from '../database/database.js'

/** The codes of one kind of certificate: `CA_CERTIFICATE`, `TRUSTED_CERTIFICATE` and `SERVER_CERTIFICATE` + an ending. */
type Family = 'CA_CERTIFICATE' | 'TRUSTED_CERTIFICATE' | 'SERVER_CERTIFICATE'

/**
 * Reads exactly one certificate that is valid now. Nothing else is looked at: no authority flag, no key, no usage.
 *
 * @throws ApiFailure <family>_INVALID, <family>_NOT_VALID_YET or <family>_EXPIRED.
 */
export function readInstallable(text: string, family: Family, now: Date): X509Certificate {
  const decoded = decodeSingleCertificate(text)
  if (decoded.state === 'refused') throw new ApiFailure(`${family}_INVALID`, [])
  const { notBefore, notAfter } = describeCertificate(decoded.certificate)
  if (now < notBefore) throw new ApiFailure(`${family}_NOT_VALID_YET`, [formatInstant(now), formatInstant(notBefore)])
  if (now > notAfter) throw new ApiFailure(`${family}_EXPIRED`, [formatInstant(now), formatInstant(notAfter)])
  return decoded.certificate
}

/** The fields of a Certificate record that come from the certificate itself. */
export function certificateFields(certificate: X509Certificate): ApiRecord {
  const { notBefore, notAfter, fingerprintSha1, fingerprintSha256 } = describeCertificate(certificate)
  return {
    not_before: notBefore,
    not_after: notAfter,
    fingerprint: fingerprintSha256,
    fingerprint_sha256: fingerprintSha256,
    fingerprint_sha1: fingerprintSha1,
  }
}

/** RFC 3339, UTC, whole seconds. */
function formatInstant(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, 'Z')
}
