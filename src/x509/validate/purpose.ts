/** What one certificate may be used for, as OpenSSL 3.0 decides it: by its extensions (v3_purp.c) and by the strength of its key. */
import { decode, integer, opaqueSequence, sequence } from '../encoding/asn1-types.js'
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

/** Bits of security (EVP_PKEY_get_security_bits); 0 for a key that cannot be read, or of a kind that OpenSSL 3.0 does not know. */
export function keyStrengthBits({
  publicKey,
  keyAlgorithm,
}: Pick<CertificateFacts, 'publicKey' | 'keyAlgorithm'>): number {
  if (!publicKey) return 0
  const { modulusLength, divisorLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
  switch (publicKey.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return factoringStrengthBits(modulusLength ?? 0)
    case 'dsa':
      return groupStrengthBits(modulusLength ?? 0, divisorLength ?? 0)
    case 'ec':
      return curveStrengthBits(namedCurve)
    case 'ed25519':
    case 'x25519':
      return 128
    case 'ed448':
    case 'x448':
      return 224
    default:
      return otherStrengthBits(keyAlgorithm)
  }
}

/** Kinds that Node has no details of, or no name for. They cannot sign here, and a leaf need not. */
function otherStrengthBits({ oid, parameters }: CertificateFacts['keyAlgorithm']): number {
  switch (oid) {
    case EC_KEY:
    case SM2_KEY:
      return curveStrengthBits(undefined)
    case DH_KEY: {
      const group = parameters && decode(dhGroup, parameters.content)
      if (!group) return 0
      const length = group.length && Number(BigInt(`0x${group.length.toString('hex')}`))
      return groupStrengthBits(countBits(group.prime), isKnownGroup(group.prime) ? undefined : length)
    }
    case DHX_KEY: {
      const group = parameters && decode(dhxGroup, parameters.content)
      return group ? groupStrengthBits(countBits(group.prime), countBits(group.order)) : 0
    }
    default:
      return 0
  }
}

const EC_KEY = '1.2.840.10045.2.1'
const SM2_KEY = '1.2.156.10197.1.301'
const DH_KEY = '1.2.840.113549.1.3.1'
const DHX_KEY = '1.2.840.10046.2.1'

/** DHParameter of PKCS #3. */
const dhGroup = sequence(({ required, optional }) => ({
  prime: required(integer),
  base: required(integer),
  length: optional(integer),
}))

/** The beginning of DomainParameters (RFC 3279, 2.3.3). */
const dhxGroup = sequence(({ required, optional }) => ({
  prime: required(integer),
  base: required(integer),
  order: required(integer),
  cofactor: optional(integer),
  proof: optional(opaqueSequence),
}))

/** The primes of RFC 7919 and RFC 3526 by their beginnings: OpenSSL knows the order of these groups. */
const KNOWN_PRIMES = ['ffffffffffffffffadf85458a2bb4a9a', 'ffffffffffffffffc90fdaa22168c234']

function isKnownGroup(prime: Buffer): boolean {
  return KNOWN_PRIMES.includes(prime.toString('hex').replace(/^00/, '').slice(0, 32))
}

function countBits(content: Buffer): number {
  const bytes = content[0] === 0 ? content.subarray(1) : content
  return bytes.length === 0 ? 0 : bytes.length * 8 - Math.clz32(bytes[0] ?? 0) + 24
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

/** BN_security_bits: by the prime, and half the size of the group where it is known. */
function groupStrengthBits(primeBits: number, groupBits: number | undefined): number {
  const [, byPrime = 0] = GROUP_STRENGTHS.find(([least]) => primeBits >= least) ?? []
  if (!groupBits) return byPrime
  const byGroup = groupBits >>> 1
  return byGroup < 80 ? 0 : Math.min(byPrime, byGroup)
}

const GROUP_STRENGTHS: readonly (readonly [leastBits: number, strength: number])[] = [
  [15_360, 256],
  [7680, 192],
  [3072, 128],
  [2048, 112],
  [1024, 80],
]

/** Curves whose order has less than 224 bits count less than the 112 bits that are required. */
const SMALL_CURVES =
  /^(secp1|prime192|sect1|c2pnb(163|176|208)|c2tnb191|wap-wsg-idm-ecid-wtls[1-9]$|Oakley-EC2N|brainpoolP1)/

/** A curve that is spelled out is refused for that, not for its size. */
function curveStrengthBits(name: string | undefined): number {
  return name !== undefined && SMALL_CURVES.test(name) ? 80 : REQUIRED_BITS
}
