/** What one certificate may be used for, as OpenSSL 3.0 decides it: by its extensions (v3_purp.c) and by the strength of its key. */
import type { KeyObject } from 'node:crypto'
import type { CertificateFacts } from './certificate-facts.js'
import { KEY_USAGE, SERVER_AUTH } from './extensions.js'

/** serverAuth, and the two old "server gated" ones; anyExtendedKeyUsage is not among them. */
const SERVER_PURPOSES = [SERVER_AUTH, '1.3.6.1.4.1.311.10.3.3', '2.16.840.1.113730.4.1']
const TLS_USAGES = KEY_USAGE.digitalSignature | KEY_USAGE.keyEncipherment | KEY_USAGE.keyAgreement
const NETSCAPE = { server: 0x40, tlsAuthority: 0x04, anyAuthority: 0x07 }

/** check_ca: 'netscape' needs a further check, 'old' is a v1 root or has a fitting key usage and no basicConstraints. */
function readAuthority(facts: CertificateFacts): 'no' | 'yes' | 'old' | 'netscape' {
  const { keyUsage, basicConstraints, netscapeType, version, isSelfSigned } = facts
  if (facts.invalid || (keyUsage !== undefined && (keyUsage & KEY_USAGE.keyCertSign) === 0)) return 'no'
  if (basicConstraints) return basicConstraints.ca ? 'yes' : 'no'
  if ((version === 1 && isSelfSigned) || keyUsage !== undefined) return 'old'
  return ((netscapeType ?? 0) & NETSCAPE.anyAuthority) !== 0 ? 'netscape' : 'no'
}

/** At the top of the path an old form of authority is accepted; below it only basicConstraints with CA:TRUE. */
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

/** What security level 2 asks of keys and signatures. */
export const REQUIRED_BITS = 112

/** Bits of security (EVP_PKEY_get_security_bits); 0 for a key that cannot be read, or of an unknown kind. */
export function keyStrengthBits(key: KeyObject | undefined): number {
  const { modulusLength, divisorLength, namedCurve } = key?.asymmetricKeyDetails ?? {}
  switch (key?.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return factoringStrengthBits(modulusLength ?? 0)
    case 'dsa':
      return Math.min(dsaStrengthBits(modulusLength ?? 0), (divisorLength ?? 0) >>> 1)
    case 'ec':
      return curveBits(namedCurve) >>> 1
    case 'ed25519':
      return 128
    case 'ed448':
      return 224
    default:
      return 0
  }
}

const STANDARD_LENGTHS: Readonly<Record<number, number>> = {
  2048: 112,
  3072: 128,
  4096: 152,
  6144: 176,
  7680: 192,
  8192: 200,
  15360: 256,
}

/** The estimate of SP 800-56B for the number field sieve, rounded to eight as OpenSSL does: 2000 bits count as 2048. */
function factoringStrengthBits(modulusBits: number): number {
  const standard = STANDARD_LENGTHS[modulusBits]
  if (standard !== undefined) return standard
  if (modulusBits < 8) return 0
  const size = modulusBits * Math.LN2
  const estimate = Math.trunc((1.923 * Math.cbrt(size * Math.log(size) ** 2) - 4.69) / Math.LN2)
  const cap = modulusBits <= 7680 ? 192 : modulusBits <= 15_360 ? 256 : 1200
  return Math.min((estimate + 4) & ~7, cap)
}

function dsaStrengthBits(modulusBits: number): number {
  if (modulusBits >= 15_360) return 256
  if (modulusBits >= 7680) return 192
  if (modulusBits >= 3072) return 128
  if (modulusBits >= 2048) return 112
  return modulusBits >= 1024 ? 80 : 0
}

/** Curves carry their size in their names; one that is spelled out is refused for that, not for its size. */
function curveBits(name: string | undefined): number {
  const [digits] = /[0-9]{3}/.exec(name ?? '') ?? []
  return digits === undefined ? 2 * REQUIRED_BITS : Number(digits)
}
