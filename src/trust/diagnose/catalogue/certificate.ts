/** Causes in the certificates themselves: dates, names, strength, what they may be used for. */
import {
  type Cause,
  cause,
  INSTALL_ROOT,
  INSTALL_WITH_ISSUER,
  NEW_CERTIFICATE,
  RECONNECT,
  verifyError,
} from './cause.js'

const NAME = { severity: 'error', blame: 'certificate', poolSays: 'SSL_VERIFY_ERROR: Subject checks failed' } as const
const DEFECT = { severity: 'error', blame: 'certificate' } as const
const ACCEPTED = { severity: 'note', blame: 'none', poolSays: 'nothing: it is accepted' } as const

export const CERTIFICATE_CAUSES: readonly Cause[] = [
  cause(1, 'LEAF_EXPIRED', 'leaf expired', DEFECT, {
    poolSays: verifyError('certificate has expired'),
    seenBy: 'the dates of the leaf, by the clock of each host',
    remedy: NEW_CERTIFICATE,
  }),
  cause(2, 'INTERMEDIATE_EXPIRED', 'intermediate expired', DEFECT, {
    poolSays: verifyError('certificate has expired'),
    seenBy: 'the dates of every certificate sent, by the clock of each host',
    remedy: INSTALL_WITH_ISSUER,
  }),
  cause(3, 'ROOT_EXPIRED', 'installed root expired', DEFECT, {
    poolSays: verifyError('certificate has expired'),
    seenBy: 'the dates the pool records of what is installed',
    remedy: INSTALL_ROOT,
  }),
  cause(4, 'NOT_YET_VALID', 'leaf not valid yet', DEFECT, {
    poolSays: verifyError('certificate is not yet valid'),
    seenBy: 'the dates of every certificate of the path, by the clock of each host',
    remedy: NEW_CERTIFICATE,
  }),
  cause(5, 'CLOCK_WRONG', 'a clock that is wrong', DEFECT, {
    poolSays: 'as rows 1 and 4, for a certificate that is in its dates',
    seenBy: 'three clocks: of every host, of the appliance, and of this machine',
    remedy: 'chronyc tracking; chronyc makestep',
  }),
  cause(6, 'NAME_DIFFERS', 'common name differs, no SAN', NAME, {
    seenBy: 'the host part of wlb_url, and the names of the leaf',
    remedy: RECONNECT,
  }),
  cause(7, 'NAME_NOT_AMONG_SANS', 'common name fits, SANs do not', NAME, {
    seenBy: 'the same: the common name counts only where there is no DNS name',
    remedy: NEW_CERTIFICATE,
  }),
  cause(8, 'CONNECTED_BY_ADDRESS', 'address asked for, given as iPAddress SAN', NAME, {
    seenBy: 'wlb_url names an address: pools compare it as text with names, and look at no address in a certificate',
    remedy: RECONNECT,
  }),
  cause(9, 'ADDRESS_AS_NAME', 'address as common name or dNSName (accepted)', ACCEPTED, {
    seenBy: 'the host part of wlb_url, and the names of the leaf',
    remedy: RECONNECT,
  }),
  cause(10, 'SHORT_NAME', 'short host name asked for', NAME, {
    seenBy: 'wlb_url names no domain, and the leaf has the same name with one',
    remedy: RECONNECT,
  }),
  cause(11, 'NAME_ENDS_WITH_DOT', 'dot at the end of the name', NAME, {
    seenBy: 'the last character of the host part of wlb_url',
    remedy: RECONNECT,
  }),
  cause(12, 'LETTER_CASE', 'letter case differs (accepted)', ACCEPTED, {
    seenBy: 'the host part of wlb_url, and the names of the leaf',
    remedy: RECONNECT,
  }),
  cause(13, 'WILDCARD', 'wildcard for one label (accepted)', ACCEPTED, {
    seenBy: 'the names of the leaf',
    remedy: NEW_CERTIFICATE,
  }),
  cause(14, 'WILDCARD_LEVEL', 'wildcard at the wrong level', NAME, {
    seenBy: 'the labels of the wildcard, and those of the name',
    remedy: NEW_CERTIFICATE,
  }),
  cause(43, 'LEAF_KEY_WEAK', 'leaf with RSA 1024', DEFECT, {
    poolSays: verifyError('EE certificate key too weak'),
    seenBy: 'the key of the leaf',
    remedy: 'wlb cert request --new-key',
  }),
  cause(44, 'AUTHORITY_KEY_WEAK', 'authority with RSA 1024', DEFECT, {
    poolSays: verifyError('CA certificate key too weak'),
    seenBy: 'the keys of the authorities on the path, as far as their certificates are known here',
    remedy: NEW_CERTIFICATE,
  }),
  cause(45, 'SIGNATURE_WEAK', 'signature made with SHA-1 or MD5', DEFECT, {
    poolSays: verifyError('CA signature digest algorithm too weak'),
    seenBy: 'the signature algorithms of all certificates sent but the root',
    remedy: NEW_CERTIFICATE,
  }),
  cause(52, 'PURPOSE_NOT_SERVER', 'extended key usage without serverAuth', DEFECT, {
    poolSays: verifyError('unsuitable certificate purpose'),
    seenBy: 'the extended key usage of the leaf and of the authorities',
    remedy: NEW_CERTIFICATE,
  }),
  cause(53, 'USAGE_UNFIT', 'key usage unfit for a server', DEFECT, {
    poolSays: verifyError('unsuitable certificate purpose'),
    seenBy: 'the key usage of the leaf',
    remedy: NEW_CERTIFICATE,
  }),
  cause(54, 'AUTHORITY_MAY_NOT_SIGN', 'authority that may not sign certificates', DEFECT, {
    poolSays: verifyError('invalid CA certificate'),
    seenBy: 'the key usage of the authorities',
    remedy: NEW_CERTIFICATE,
  }),
  cause(55, 'ISSUER_IS_NO_AUTHORITY', 'intermediate that is no authority', DEFECT, {
    poolSays: verifyError('invalid CA certificate'),
    seenBy: 'the basic constraints of the authorities',
    remedy: NEW_CERTIFICATE,
  }),
  cause(56, 'PATH_TOO_LONG', 'path longer than allowed', DEFECT, {
    poolSays: verifyError('path length constraint exceeded'),
    seenBy: 'the path lengths the authorities allow, and how many there are',
    remedy: NEW_CERTIFICATE,
  }),
  cause(57, 'NAME_CONSTRAINED', 'name outside name constraints', DEFECT, {
    poolSays: verifyError('permitted subtree violation'),
    seenBy: 'the name constraints of the authorities, and the names of the leaf',
    remedy: NEW_CERTIFICATE,
  }),
]
