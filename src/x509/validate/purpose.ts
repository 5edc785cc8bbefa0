/** What a certificate may be used for, by its own extensions, as OpenSSL's purpose "sslserver" asks (v3_purp.c). */
import type { CertificateFacts } from './certificate-facts.js'
import { KEY_USAGE } from './extensions.js'

/** serverAuth, and the two old "server gated" ones; anyExtendedKeyUsage is not among them. */
const SERVER_PURPOSES = ['1.3.6.1.5.5.7.3.1', '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1']
const TLS_USAGES = KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment | KEY_USAGE.keyAgreement
const NETSCAPE = { server: 0x40, tlsAuthority: 0x04, anyAuthority: 0x07 }

/** check_ca: 'netscape' needs a second look, 'old' is a v1 root or has a fitting key usage and no basicConstraints. */
function readAuthority(facts: CertificateFacts): 'no' | 'yes' | 'old' | 'netscape' {
  const { keyUsage, basicConstraints, netscapeType, version, isSelfSigned } = facts
  if (facts.invalid || (keyUsage !== undefined && (keyUsage & KEY_USAGE.keyCertSign) === 0)) return 'no'
  if (basicConstraints) return basicConstraints.ca ? 'yes' : 'no'
  if ((version === 1 && isSelfSigned) || keyUsage !== undefined) return 'old'
  return ((netscapeType ?? 0) & NETSCAPE.anyAuthority) !== 0 ? 'netscape' : 'no'
}

/** At the top of the path an old form of authority will do; in between only basicConstraints with CA:TRUE. */
export function isAuthority(facts: CertificateFacts, isTop: boolean): boolean {
  const authority = readAuthority(facts)
  return authority === 'yes' || (isTop && authority !== 'no')
}

/** X509_check_purpose; `asAuthority` for everything above the leaf. */
export function fitsTlsServer(facts: CertificateFacts, asAuthority: boolean): boolean {
  const { extendedKeyUsage, keyUsage, netscapeType } = facts
  if (facts.invalid) return true // X509_check_purpose cannot say, and OpenSSL lets that pass
  if (extendedKeyUsage && !extendedKeyUsage.some((oid) => SERVER_PURPOSES.includes(oid))) return false
  if (asAuthority) {
    const authority = readAuthority(facts)
    if (authority !== 'netscape') return authority !== 'no'
    return ((netscapeType ?? 0) & NETSCAPE.tlsAuthority) !== 0
  }
  if (netscapeType !== undefined && (netscapeType & NETSCAPE.server) === 0) return false
  return keyUsage === undefined || (keyUsage & TLS_USAGES) !== 0
}
