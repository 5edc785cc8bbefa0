/** How strong OpenSSL 3.0 reckons a public key, in bits of security (EVP_PKEY_get_security_bits). */
import type { KeyObject } from 'node:crypto'

/** What security level 2 asks of keys and signatures. */
export const REQUIRED_BITS = 112

/** 0 for a key that could not be read, or of a kind that is not known. */
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
