/** A server's certificate from its request: decided first, so that it can be shown, then signed as decided. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { COMMON_NAME_LIMIT } from '../../base/names/host-name.js'
import { printable } from '../encoding/distinguished-name.js'
import { fail } from '../errors.js'
import type { Signer } from './authority.js'
import type { ReceivedRequest } from './certificate-request.js'
import { commonHostNames, decideNames, type LeafNames } from './leaf-names.js'
import { BACKDATE_MS, DAY_MS, loadLibrary, nextSecond, serverExtensions, signCertificate } from './signing.js'

export interface LeafOrder {
  readonly request: ReceivedRequest
  readonly issuer: X509Certificate
  /** Domains and addresses the names must be within; empty for any. */
  readonly allow: readonly string[]
  readonly now: Date
  readonly lifetimeDays?: number
}

export interface LeafPlan {
  readonly request: ReceivedRequest
  readonly issuer: X509Certificate
  readonly names: LeafNames
  readonly notBefore: Date
  readonly notAfter: Date
  /** The issuer ends before the certificate would have. */
  readonly shortened: boolean
  /** Extensions the request asks for and does not get: the authority decides what its certificates are good for. */
  readonly ignoredExtensions: readonly string[]
}

const TOO_LONG = `is longer than the ${COMMON_NAME_LIMIT} characters of a common name (RFC 5280): ask for a short one, and for this one as an alternative name`

/** 398 with the day it is dated back: the most that browsers accept from public authorities. */
export const LEAF_LIFETIME_DAYS = 397
/** 825 with the day it is dated back: Apple's clients refuse more, from private authorities too. */
export const LEAF_LIFETIME_LIMIT_DAYS = 824
const KEY_BITS_LEAST = 2048
/** Larger keys make handshakes too slow. */
const KEY_BITS_MOST = 8192

/**
 * Decides what the certificate will say.
 *
 * @throws REQUEST_KEY_UNSUITABLE when pools could not use the key.
 * @throws REQUEST_NAMES_REFUSED when no name is left, or the common name is among those refused: clients read it too.
 * @throws AUTHORITY_NOT_VALID when the issuer is outside its own dates.
 * @throws USAGE_LIFETIME when the certificate would be valid for less than a day, or for longer than clients take.
 */
export function planLeaf({ request, issuer, allow, now, lifetimeDays = LEAF_LIFETIME_DAYS }: LeafOrder): LeafPlan {
  if (lifetimeDays < 1 || lifetimeDays > LEAF_LIFETIME_LIMIT_DAYS) throw fail('USAGE_LIFETIME', { days: lifetimeDays })
  const [issuerBegins, issuerEnds] = [new Date(issuer.validFrom), new Date(issuer.validTo)]
  if (now < issuerBegins || now >= issuerEnds) {
    const [notBefore, notAfter] = [issuerBegins.toISOString(), issuerEnds.toISOString()]
    throw fail('AUTHORITY_NOT_VALID', { now: now.toISOString(), notBefore, notAfter })
  }
  const objection = findKeyObjection(request.publicKey, issuer)
  if (objection !== undefined) throw fail('REQUEST_KEY_UNSUITABLE', { key: objection })

  const names = decideNames(request, allow)
  const refusedCommonName = commonHostNames(request).some(({ value }) =>
    names.refused.some(({ name }) => name === printable(value)),
  )
  const tooLong = request.subject.find(({ type, value }) => type === 'CN' && value.length > COMMON_NAME_LIMIT)
  if (tooLong) throw fail('REQUEST_NAMES_REFUSED', { refused: `${printable(tooLong.value)} ${TOO_LONG}` })
  if (refusedCommonName || names.dnsNames.length + names.ipAddresses.length === 0) {
    const refused = names.refused.map(({ name, why }) => `${name} ${why}`).join('; ')
    throw fail('REQUEST_NAMES_REFUSED', { refused: refused || 'the request names no host' })
  }

  const wanted = nextSecond(now.getTime() + lifetimeDays * DAY_MS)
  const begin = nextSecond(now.getTime() - BACKDATE_MS + 1000) // a period includes its last second
  return {
    request,
    issuer,
    names,
    notBefore: begin < issuerBegins ? issuerBegins : begin,
    notAfter: wanted > issuerEnds ? issuerEnds : wanted,
    shortened: wanted > issuerEnds,
    ignoredExtensions: [...new Set(request.extensions)].filter((oid) => oid !== SUBJECT_ALT_NAME).map(nameExtension),
  }
}

/** Signs what was decided. The subject is the request's, byte by byte. */
export async function signLeaf(plan: LeafPlan, issuer: Signer, serialNumber: string): Promise<X509Certificate> {
  const { request, names, notBefore, notAfter } = plan
  const { Name, X509Certificate: Certificate } = await loadLibrary()
  const { publicKey } = request
  const isUnnamed = request.subject.length === 0 // the alternative names are critical then (RFC 5280, 4.2.1.6)
  return signCertificate({
    serialNumber,
    subject: new Name(request.subjectDer),
    issuer: new Certificate(issuer.certificate.raw).subjectName,
    notBefore,
    notAfter,
    publicKey,
    issuerKey: issuer.privateKey,
    extensions: await serverExtensions(names, publicKey, issuer.privateKey, isUnnamed),
  })
}

const SUBJECT_ALT_NAME = '2.5.29.17'
const EXTENSION_NAMES: Readonly<Record<string, string>> = {
  '2.5.29.14': 'subjectKeyIdentifier',
  '2.5.29.15': 'keyUsage',
  '2.5.29.19': 'basicConstraints',
  '2.5.29.32': 'certificatePolicies',
  '2.5.29.37': 'extendedKeyUsage',
  '1.3.6.1.5.5.7.1.24': 'tlsFeature (must-staple)',
}

function nameExtension(oid: string): string {
  return EXTENSION_NAMES[oid] ?? oid
}

function findKeyObjection(key: KeyObject, issuer: X509Certificate): string | undefined {
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType !== 'rsa') return `${key.asymmetricKeyType ?? 'unknown'}: pools offer RSA suites only`
  if (modulusLength < KEY_BITS_LEAST) return `RSA ${modulusLength}: pools refuse less than ${KEY_BITS_LEAST} bits`
  if (modulusLength > KEY_BITS_MOST) return `RSA ${modulusLength}: more than ${KEY_BITS_MOST} bits is too slow`
  if (publicExponent < 3n || publicExponent % 2n === 0n)
    return `its exponent ${publicExponent} is not one RSA works with`
  return key.equals(issuer.publicKey) ? "it is the authority's own key" : undefined
}
