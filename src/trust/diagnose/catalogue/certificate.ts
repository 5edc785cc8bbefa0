/** Causes in the certificates themselves: dates, names, strength, what they may be used for. */
import { type Cause, INSTALL_ROOT, NEW_CERTIFICATE, RECONNECT, verifyError } from './cause.js'

const NAME = { severity: 'error', blame: 'certificate', poolSays: 'SSL_VERIFY_ERROR: Subject checks failed' } as const
const DEFECT = { severity: 'error', blame: 'certificate' } as const
const ACCEPTED = { severity: 'note', blame: 'none', poolSays: 'nothing: it is accepted' } as const

export const CERTIFICATE_CAUSES: readonly Cause[] = [
  {
    ...{ row: 1, code: 'LEAF_EXPIRED', title: 'leaf expired', ...DEFECT },
    poolSays: verifyError('certificate has expired'),
    seenBy: 'the dates of the leaf, by the clock of each host',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 2, code: 'INTERMEDIATE_EXPIRED', title: 'intermediate expired', ...DEFECT },
    poolSays: verifyError('certificate has expired'),
    seenBy: 'the dates of every certificate sent, by the clock of each host',
    remedy: 'wlb cert install LEAF.pem NEW-INTERMEDIATE.pem ROOT.pem',
  },
  {
    ...{ row: 3, code: 'ROOT_EXPIRED', title: 'installed root expired', ...DEFECT },
    poolSays: verifyError('certificate has expired'),
    seenBy: 'the dates the pool records of what is installed',
    remedy: `xe pool-uninstall-ca-certificate name=OLD.pem; ${INSTALL_ROOT}`,
  },
  {
    ...{ row: 4, code: 'NOT_YET_VALID', title: 'leaf not valid yet', ...DEFECT },
    poolSays: verifyError('certificate is not yet valid'),
    seenBy: 'the dates of every certificate of the path, by the clock of each host',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 5, code: 'CLOCK_WRONG', title: 'a clock that is wrong', ...DEFECT },
    poolSays: 'as rows 1 and 4, for a certificate that is in its dates',
    seenBy: 'three clocks: of every host, of the appliance, and of this machine',
    remedy: 'chronyc tracking; chronyc makestep',
  },
  {
    ...{ row: 6, code: 'NAME_DIFFERS', title: 'common name differs, no SAN', ...NAME },
    seenBy: 'the host part of wlb_url, and the names of the leaf',
    remedy: RECONNECT,
  },
  {
    ...{ row: 7, code: 'NAME_NOT_AMONG_SANS', title: 'common name fits, SANs do not', ...NAME },
    seenBy: 'the same: the common name counts only where there is no DNS name',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 8, code: 'CONNECTED_BY_ADDRESS', title: 'address asked for, given as iPAddress SAN', ...NAME },
    seenBy: 'wlb_url names an address: pools compare it as text with names, and look at no address in a certificate',
    remedy: RECONNECT,
  },
  {
    ...{ row: 9, code: 'ADDRESS_AS_NAME', title: 'address as common name or dNSName (accepted)', ...ACCEPTED },
    seenBy: 'the host part of wlb_url, and the names of the leaf',
    remedy: RECONNECT,
  },
  {
    ...{ row: 10, code: 'SHORT_NAME', title: 'short host name asked for', ...NAME },
    seenBy: 'wlb_url names no domain, and the leaf has the same name with one',
    remedy: RECONNECT,
  },
  {
    ...{ row: 11, code: 'NAME_ENDS_WITH_DOT', title: 'dot at the end of the name', ...NAME },
    seenBy: 'the last character of the host part of wlb_url',
    remedy: RECONNECT,
  },
  {
    ...{ row: 12, code: 'LETTER_CASE', title: 'letter case differs (accepted)', ...ACCEPTED },
    seenBy: 'the host part of wlb_url, and the names of the leaf',
    remedy: RECONNECT,
  },
  {
    ...{ row: 13, code: 'WILDCARD', title: 'wildcard for one label (accepted)', ...ACCEPTED },
    seenBy: 'the names of the leaf',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 14, code: 'WILDCARD_LEVEL', title: 'wildcard at the wrong level', ...NAME },
    seenBy: 'the labels of the wildcard, and those of the name',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 43, code: 'LEAF_KEY_WEAK', title: 'leaf with RSA 1024', ...DEFECT },
    poolSays: verifyError('EE certificate key too weak'),
    seenBy: 'the key of the leaf',
    remedy: 'wlb cert request --new-key',
  },
  {
    ...{ row: 44, code: 'AUTHORITY_KEY_WEAK', title: 'authority with RSA 1024', ...DEFECT },
    poolSays: verifyError('CA certificate key too weak'),
    seenBy: 'the keys of the authorities on the path, as far as their certificates are known here',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 45, code: 'SIGNATURE_WEAK', title: 'signature made with SHA-1 or MD5', ...DEFECT },
    poolSays: verifyError('CA signature digest algorithm too weak'),
    seenBy: 'the signature algorithms of all certificates sent but the root',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 52, code: 'PURPOSE_NOT_SERVER', title: 'extended key usage without serverAuth', ...DEFECT },
    poolSays: verifyError('unsuitable certificate purpose'),
    seenBy: 'the extended key usage of the leaf and of the authorities',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 53, code: 'USAGE_UNFIT', title: 'key usage unfit for a server', ...DEFECT },
    poolSays: verifyError('unsuitable certificate purpose'),
    seenBy: 'the key usage of the leaf',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 54, code: 'AUTHORITY_MAY_NOT_SIGN', title: 'authority that may not sign certificates', ...DEFECT },
    poolSays: verifyError('invalid CA certificate'),
    seenBy: 'the key usage of the authorities',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 55, code: 'ISSUER_IS_NO_AUTHORITY', title: 'intermediate that is no authority', ...DEFECT },
    poolSays: verifyError('invalid CA certificate'),
    seenBy: 'the basic constraints of the authorities',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 56, code: 'PATH_TOO_LONG', title: 'path longer than allowed', ...DEFECT },
    poolSays: verifyError('path length constraint exceeded'),
    seenBy: 'the path lengths the authorities allow, and how many there are',
    remedy: NEW_CERTIFICATE,
  },
  {
    ...{ row: 57, code: 'NAME_CONSTRAINED', title: 'name outside name constraints', ...DEFECT },
    poolSays: verifyError('permitted subtree violation'),
    seenBy: 'the name constraints of the authorities, and the names of the leaf',
    remedy: NEW_CERTIFICATE,
  },
]
