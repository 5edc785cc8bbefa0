/**
 * Does this certificate speak for that address? OpenSSL's own answer (X509_check_host), as stunnel's `checkHost` asks
 * it: the common name counts only where no dNSName is present, and iPAddress SANs are never looked at
 * (docs/protocol/pool.md).
 */
import type { X509Certificate } from 'node:crypto'
import { readExtension } from '../encoding/read-extension.js'

/** Compares the host part of a pool's `wlb_url`, be it a name or an IP address, as a name. */
export function checkHost(certificate: X509Certificate, name: string): boolean {
  // an empty name or one with a NUL inside makes OpenSSL skip the check or Node throw
  if (name === '' || name.includes('\0')) return false
  return readExtension(certificate, () => certificate.checkHost(name, { subject: 'default' })) !== undefined
}
