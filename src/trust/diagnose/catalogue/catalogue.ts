/**
 * The catalogue of causes: one table for the diagnosis, for docs/causes.md and for the numbers tests name. The order in
 * which findings are mended is here too: what must be gone before the next can even show (docs/protocol/verdict.md).
 */
import type { Cause } from './cause.js'
import { CERTIFICATE_CAUSES } from './certificate.js'
import { FURTHER_CAUSES, SERVER_CAUSES } from './server.js'
import { DISK_CAUSES, TRUST_CAUSES } from './trust.js'

export type { Cause } from './cause.js'

/** By number; those without one last. */
export const CATALOGUE: readonly Cause[] = [
  ...[...CERTIFICATE_CAUSES, ...TRUST_CAUSES, ...SERVER_CAUSES].sort((one, other) => one.row - other.row),
  ...FURTHER_CAUSES,
  ...DISK_CAUSES,
]

/** A line a step. Within the path it is the order of the host's own checks that counts. */
const MENDED_FIRST: readonly (readonly string[])[] = [
  // there has to be a connection
  ...each('URL_INVALID', 'NAME_UNKNOWN', 'NO_ROUTE', 'ROOT_FIRST', 'JOINED_LINES', 'KEY_OF_ANOTHER', 'KEY_ENCRYPTED'),
  ...each('SETTINGS_UNUSABLE', 'FILES_UNUSABLE', 'KEY_PERMISSIONS', 'CONNECTION_REFUSED', 'NO_ANSWER', 'NOT_TLS'),
  // both have to agree on how to talk
  ...each('TLS_1_3_ONLY', 'TLS_TOO_OLD', 'KEY_NOT_RSA', 'NO_COMMON_SUITE', 'NO_COMMON_CURVE'),
  ...each('CLIENT_CERTIFICATE_DEMANDED', 'HANDSHAKE_FAILS'),
  // the client has to start
  ...each('VERIFICATION_SWITCHED_ON', 'BUNDLE_EMPTY', 'FILE_NAME_UNFIT', 'FILE_NOT_PEM', 'FILE_TRUSTED_FORM'),
  ['BUNDLE_UNREADABLE'],
  // the right machine with the right certificate
  ...each('OTHER_MACHINE', 'SIGNED_ANEW', 'OLD_CERTIFICATE_SERVED'),
  // then as OpenSSL goes on: the key of the leaf, the path and its end
  ...each('LEAF_KEY_WEAK', 'BUNDLE_CUT', 'LEAF_INSTALLED', 'SELF_SIGNED_REMADE', 'FILE_NAME_TAKEN'),
  ...each('RECORD_WITHOUT_FILE', 'FILE_HIDDEN'),
  ...each('SELF_SIGNED_NOT_INSTALLED', 'INTERMEDIATE_NOT_SENT', 'ROOT_NOT_INSTALLED', 'ROOT_OF_INTERMEDIATE_MISSING'),
  // extensions and strength, certificate by certificate
  [
    ...['ISSUER_IS_NO_AUTHORITY', 'AUTHORITY_MAY_NOT_SIGN', 'PURPOSE_NOT_SERVER', 'USAGE_UNFIT', 'PATH_TOO_LONG'],
    ...['DEFECT', 'AUTHORITY_KEY_WEAK', 'SIGNATURE_WEAK'],
  ],
  // revocation
  ...each('CRL_NAME_UNFIT', 'CRL_OF_ANOTHER', 'CRL_OF_ROOT_ONLY', 'CRL_EXPIRED', 'CRL_NOT_YET_VALID'),
  ...each('CRL_SIGNATURE_WRONG', 'LEAF_REVOKED'),
  // signatures and dates from the root down
  ...each('ROOT_REKEYED', 'CLOCK_WRONG', 'ROOT_EXPIRED', 'INTERMEDIATE_EXPIRED'),
  ['LEAF_EXPIRED', 'NOT_YET_VALID'],
  // the name; an old pool looks for the leaf when all else is in order
  ...each('NAME_ENDS_WITH_DOT', 'CONNECTED_BY_ADDRESS', 'SHORT_NAME', 'WILDCARD_LEVEL'),
  ...each('NAME_NOT_AMONG_SANS', 'NAME_DIFFERS', 'NAME_CONSTRAINED', 'LEAF_WANTED'),
  // what is said after the handshake
  ...each('BROKEN_OFF', 'APPLIANCE_PASSWORD_WRONG', 'POOL_PASSWORD_WRONG', 'ODD_ANSWER'),
  // the pool's switches, then what drifts apart
  ...each(
    'PORT_TAKEN',
    'SETTINGS_NOT_IN_USE',
    'NOT_IN_USE',
    'VERIFICATION_OFF',
    'RECORD_MISSING',
    'RECORD_DIFFERS',
    'STORE_DAMAGED',
    'HOST_HOLDS_OTHER',
  ),
  ...each('HOST_MISSED_SYNC', 'HOST_LACKS_CERTIFICATE', 'HOST_HOLDS_MORE', 'KEY_IN_STORE', 'FILE_HOLDS_CHAIN'),
  ...each('FINGERPRINTS_MISSING', 'INSTALLED_OUT_OF_DATES', 'FILE_LINE_ENDS'),
]

function each(...codes: readonly string[]): readonly (readonly string[])[] {
  return codes.map((code) => [code])
}

const ranks: ReadonlyMap<string, number> = new Map(
  MENDED_FIRST.flatMap((codes, rank) => codes.map((code): [string, number] => [code, rank])),
)
const byCode: ReadonlyMap<string, Cause> = new Map(CATALOGUE.map((cause) => [cause.code, cause]))

/** A code that is not in the table is a defect of a certificate that has no number there. */
export function causeOf(code: string): Cause {
  const cause = byCode.get(code) ?? byCode.get('DEFECT')
  if (!cause) throw new Error('the catalogue is empty')
  return cause
}

/** The smaller, the sooner. */
export function rankOf(code: string): number {
  return ranks.get(code) ?? ranks.get(causeOf(code).code) ?? ranks.size
}
