/** What to ask a certificate authority for when a pool would refuse what it has sent (docs/certificate-from-an-authority.md). */
import { type Defect, describeCertificate } from '../../x509/index.js'

type Code = Defect['code']

const CURRENT = 'a certificate that is valid now, for the same request'
const BY_OTHER_KEY =
  'the certificate of the very authority that signed this: what was given has its name and another key'
/** For an authority that was given, has the right name, and did not sign. */
export const NAMESAKE = BY_OTHER_KEY
export const RSA_KEY = 'a certificate for a new request with an RSA key: wlb cert request --new-key makes one'
const SERVER =
  'a certificate for a TLS server: extended key usage serverAuth, key usage digitalSignature and keyEncipherment'
const UNCONSTRAINED = 'a certificate from an authority that may vouch for this name'
const STRONG = 'a chain with RSA keys of 2048 bits or more, signed with SHA-256 or better'

const ASK: Partial<Record<Code, string>> = {
  EXPIRED: CURRENT,
  NOT_YET_VALID: `${CURRENT}; first check the clock of this machine`,
  NOT_BEFORE_MALFORMED: CURRENT,
  NOT_AFTER_MALFORMED: CURRENT,
  ISSUER_MISSING: 'the certificate of the issuer named here, in PEM',
  ROOT_MISSING: 'the root certificate, in PEM',
  SIGNATURE_WRONG: BY_OTHER_KEY,
  PURPOSE_UNSUITABLE: SERVER,
  AUTHORITY_INVALID: 'the certificate of a real authority: basicConstraints CA:TRUE, key usage keyCertSign',
  PATH_TOO_LONG: 'a certificate issued closer to the root: an authority above allows fewer authorities below it',
  CRITICAL_EXTENSION_UNKNOWN: 'a certificate without that critical extension',
  PROXY_NOT_ALLOWED: SERVER,
  NAME_MISMATCH: 'a certificate that names this host name as a dNSName (subject alternative name)',
  NAME_NOT_PERMITTED: UNCONSTRAINED,
  NAME_EXCLUDED: UNCONSTRAINED,
  LEAF_KEY_TOO_WEAK:
    'a certificate for a new request: wlb cert request --new-key makes one with a key that is long enough',
  AUTHORITY_KEY_TOO_WEAK: STRONG,
  DIGEST_TOO_WEAK: STRONG,
  CURVE_EXPLICIT: STRONG,
}

/** A request in an operator's words; defects for which no authority can help get none. */
export function whatToAsk({ code, depth, certificate }: Defect): string | undefined {
  const isDated = ASK[code] === CURRENT && depth > 0
  return isDated ? `the current certificate of "${describeCertificate(certificate).subject}"` : ASK[code]
}
