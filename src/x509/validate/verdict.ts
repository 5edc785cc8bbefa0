/**
 * What is asked of a certificate on behalf of a host of the pool, the answer, and everything that can be wrong, with OpenSSL's
 * number and text for it (x509_vfy.h and x509_txt.c of OpenSSL 3.0; docs/protocol/verdict.md).
 */
import type { X509Certificate } from 'node:crypto'

/** A certificate a host trusts by decision. */
export interface TrustAnchor {
  readonly certificate: X509Certificate
  /** Object identifiers of the purposes a TRUSTED CERTIFICATE block names; an anchor without them is good for all. */
  readonly trustedFor?: readonly string[]
  readonly rejectedFor?: readonly string[]
}

export interface Question {
  /** What the server sends: the leaf first; the order of the rest does not matter. */
  readonly presented: readonly X509Certificate[]
  readonly anchors: readonly TrustAnchor[]
  /** Contents of the CRL files, of which PEM alone counts; undefined where a host has none, and revocation is not asked about. */
  readonly crls: readonly (string | Buffer)[] | undefined
  /** The name the host connects to: the host part of `wlb_url`, an IP address included. */
  readonly name: string
  readonly now: Date
}

/** One thing that is wrong, where it is, and what OpenSSL calls it. */
export interface Defect {
  readonly code: DefectCode
  /** OpenSSL's X509_V_ERR number. */
  readonly opensslNumber: number
  /** What stunnel logs after `CERT: ` should this be the first defect it meets. */
  readonly logText: string
  /** 0 is the leaf. */
  readonly depth: number
  readonly certificate: X509Certificate
  /** What was found, in a sentence. */
  readonly message: string
  /** A command that can be typed. */
  readonly remedy: string
}

export interface Verdict {
  readonly accepted: boolean
  /** The one path OpenSSL takes, from the leaf up. */
  readonly path: readonly X509Certificate[]
  /** How many of `path`, counted from the leaf, came from the server and not from the trust store. */
  readonly fromServer: number
  /** All of them, in the order OpenSSL meets them. */
  readonly defects: readonly Defect[]
  /** The first one's `logText`; empty when accepted. */
  readonly reason: string
  /** The first one's number; 0 when accepted. */
  readonly opensslNumber: number
}

interface Description {
  readonly opensslNumber: number
  readonly text: string
  /** The end of a sentence that begins with the certificate. */
  readonly message: string
  readonly remedy: string
}

const SHOW = 'openssl x509 -noout -text -in FILE'
const REQUEST = 'wlb cert request'
const NEW_CRL = 'xe pool-crl-uninstall name=FILE; xe pool-crl-install filename=FILE'
const INSTALL_ROOT = 'xe pool-install-ca-certificate filename=ROOT.pem; xe pool-certificate-sync'

/** By number. Which one is reported first depends on the order of checks (docs/protocol/verdict.md). */
export const DEFECTS = {
  UNSPECIFIED: {
    opensslNumber: 1,
    text: 'unspecified certificate verification error',
    message: 'holds more names or constraints than OpenSSL is willing to compare',
    remedy: SHOW,
  },
  ROOT_MISSING: {
    opensslNumber: 2,
    text: 'unable to get issuer certificate',
    message: 'is installed, and its own issuer is not: the path must end in a self-signed certificate',
    remedy: INSTALL_ROOT,
  },
  CRL_MISSING: {
    opensslNumber: 3,
    text: 'unable to get certificate CRL',
    message: 'has no usable revocation list from its issuer, and as soon as a pool has any list, this one is needed',
    remedy: 'xe pool-crl-install filename=CRL.pem; xe pool-certificate-sync',
  },
  SIGNATURE_WRONG: {
    opensslNumber: 7,
    text: 'certificate signature failure',
    message: 'was not signed with the key of the issuer that was found: an authority of the same name with another key',
    remedy: INSTALL_ROOT,
  },
  CRL_SIGNATURE_WRONG: {
    opensslNumber: 8,
    text: 'CRL signature failure',
    message: 'has a revocation list under the name of its issuer that another key has signed',
    remedy: NEW_CRL,
  },
  NOT_YET_VALID: {
    opensslNumber: 9,
    text: 'certificate is not yet valid',
    message: 'is not valid yet',
    remedy: 'chronyc tracking',
  },
  EXPIRED: { opensslNumber: 10, text: 'certificate has expired', message: 'has expired', remedy: REQUEST },
  CRL_NOT_YET_VALID: {
    opensslNumber: 11,
    text: 'CRL is not yet valid',
    message: 'has a revocation list that is not valid yet',
    remedy: 'chronyc tracking',
  },
  CRL_EXPIRED: {
    opensslNumber: 12,
    text: 'CRL has expired',
    message: 'has a revocation list that has expired',
    remedy: NEW_CRL,
  },
  NOT_BEFORE_MALFORMED: {
    opensslNumber: 13,
    text: "format error in certificate's notBefore field",
    message: 'begins at a time that cannot be read',
    remedy: SHOW,
  },
  NOT_AFTER_MALFORMED: {
    opensslNumber: 14,
    text: "format error in certificate's notAfter field",
    message: 'ends at a time that cannot be read',
    remedy: SHOW,
  },
  CRL_LAST_UPDATE_MALFORMED: {
    opensslNumber: 15,
    text: "format error in CRL's lastUpdate field",
    message: 'has a revocation list that begins at a time that cannot be read',
    remedy: NEW_CRL,
  },
  CRL_NEXT_UPDATE_MALFORMED: {
    opensslNumber: 16,
    text: "format error in CRL's nextUpdate field",
    message: 'has a revocation list that ends at a time that cannot be read',
    remedy: NEW_CRL,
  },
  SELF_SIGNED_UNTRUSTED: {
    opensslNumber: 18,
    text: 'self-signed certificate',
    message: 'is self-signed, and this very certificate is not installed',
    remedy: 'xe pool-certificate-install filename=wlb.pem; xe pool-certificate-sync',
  },
  ROOT_UNTRUSTED: {
    opensslNumber: 19,
    text: 'self-signed certificate in certificate chain',
    message: 'is the root of what the server sends, and it is not installed',
    remedy: INSTALL_ROOT,
  },
  ISSUER_MISSING: {
    opensslNumber: 20,
    text: 'unable to get local issuer certificate',
    message: 'has an issuer that is neither sent by the server nor installed',
    remedy: 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem',
  },
  CHAIN_TOO_LONG: {
    opensslNumber: 22,
    text: 'certificate chain too long',
    message: 'is further from the leaf than any path may reach',
    remedy: SHOW,
  },
  REVOKED: {
    opensslNumber: 23,
    text: 'certificate revoked',
    message: 'has been revoked by its issuer',
    remedy: `${REQUEST} --new-key`,
  },
  PATH_TOO_LONG: {
    opensslNumber: 25,
    text: 'path length constraint exceeded',
    message: 'allows fewer authorities below it than there are',
    remedy: SHOW,
  },
  PURPOSE_UNSUITABLE: {
    opensslNumber: 26,
    text: 'unsuitable certificate purpose',
    message: 'may not be used for a TLS server: its key usage or extended key usage says otherwise',
    remedy: REQUEST,
  },
  ANCHOR_REJECTED: {
    opensslNumber: 28,
    text: 'certificate rejected',
    message: 'is installed as a TRUSTED CERTIFICATE that excludes TLS servers',
    remedy: 'openssl x509 -in FILE -out FILE',
  },
  CRL_ISSUER_MISSING: {
    opensslNumber: 33,
    text: 'unable to get CRL issuer certificate',
    message: 'has a revocation list, and nobody to check its signature with',
    remedy: INSTALL_ROOT,
  },
  CRITICAL_EXTENSION_UNKNOWN: {
    opensslNumber: 34,
    text: 'unhandled critical extension',
    message: 'has a critical extension that OpenSSL does not know',
    remedy: SHOW,
  },
  CRL_SIGNING_NOT_ALLOWED: {
    opensslNumber: 35,
    text: 'key usage does not include CRL signing',
    message: 'has a revocation list from an issuer whose key usage does not allow it to sign any',
    remedy: NEW_CRL,
  },
  CRL_CRITICAL_EXTENSION_UNKNOWN: {
    opensslNumber: 36,
    text: 'unhandled critical CRL extension',
    message: 'has a revocation list with a critical extension that OpenSSL does not know',
    remedy: NEW_CRL,
  },
  PROXY_NOT_ALLOWED: {
    opensslNumber: 40,
    text: 'proxy certificates not allowed, please set the appropriate flag',
    message: 'is a proxy certificate (RFC 3820), which no pool accepts',
    remedy: REQUEST,
  },
  RESOURCES_MALFORMED: {
    opensslNumber: 41,
    text: 'invalid or inconsistent certificate extension',
    message: 'lists IP addresses or AS numbers (RFC 3779) in another order or form than the one that is allowed',
    remedy: SHOW,
  },
  CRL_OTHER_SCOPE: {
    opensslNumber: 44,
    text: 'different CRL scope',
    message: 'has a revocation list that is not about certificates like this one',
    remedy: NEW_CRL,
  },
  RESOURCES_NOT_HELD: {
    opensslNumber: 46,
    text: "RFC 3779 resource not subset of parent's resources",
    message: 'does not hold all of the IP addresses or AS numbers (RFC 3779) that a certificate below it lists',
    remedy: SHOW,
  },
  NAME_NOT_PERMITTED: {
    opensslNumber: 47,
    text: 'permitted subtree violation',
    message: 'has a name outside of what an authority above it may vouch for',
    remedy: REQUEST,
  },
  NAME_EXCLUDED: {
    opensslNumber: 48,
    text: 'excluded subtree violation',
    message: 'has a name that an authority above it may not vouch for',
    remedy: REQUEST,
  },
  NAME_CONSTRAINT_RANGE: {
    opensslNumber: 49,
    text: 'name constraints minimum and maximum not supported',
    message: 'is below an authority whose name constraints have a minimum or maximum',
    remedy: SHOW,
  },
  NAME_CONSTRAINT_TYPE: {
    opensslNumber: 51,
    text: 'unsupported name constraint type',
    message: 'has a name of a kind that is constrained and that OpenSSL cannot compare',
    remedy: SHOW,
  },
  NAME_CONSTRAINT_SYNTAX: {
    opensslNumber: 52,
    text: 'unsupported or invalid name constraint syntax',
    message: 'is below an authority whose name constraints are malformed',
    remedy: SHOW,
  },
  NAME_SYNTAX: {
    opensslNumber: 53,
    text: 'unsupported or invalid name syntax',
    message: 'has a malformed name of a kind that is constrained',
    remedy: REQUEST,
  },
  NAME_MISMATCH: {
    opensslNumber: 62,
    text: 'hostname mismatch',
    message: 'does not speak for the name the pool connects to',
    remedy: 'xe pool-initialize-wlb wlb_url=FQDN:8012',
  },
  LEAF_KEY_TOO_WEAK: {
    opensslNumber: 66,
    text: 'EE certificate key too weak',
    message: 'has a key of less than 112 bits of strength (RSA below 2048)',
    remedy: REQUEST,
  },
  AUTHORITY_KEY_TOO_WEAK: {
    opensslNumber: 67,
    text: 'CA certificate key too weak',
    message: 'is an authority with a key of less than 112 bits of strength (RSA below 2048)',
    remedy: SHOW,
  },
  DIGEST_TOO_WEAK: {
    opensslNumber: 68,
    text: 'CA signature digest algorithm too weak',
    message: 'is signed with a digest of less than 112 bits of strength (SHA-1, MD5)',
    remedy: REQUEST,
  },
  AUTHORITY_INVALID: {
    opensslNumber: 79,
    text: 'invalid CA certificate',
    message: 'has issued a certificate and may not: it is no authority, or its key usage lacks keyCertSign',
    remedy: SHOW,
  },
  CURVE_EXPLICIT: {
    opensslNumber: 94,
    text: 'Certificate public key has explicit ECC parameters',
    message: 'has an EC key whose curve is spelled out instead of named',
    remedy: REQUEST,
  },
} as const satisfies Readonly<Record<string, Description>>

export type DefectCode = keyof typeof DEFECTS
