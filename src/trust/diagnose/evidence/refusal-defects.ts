/** Which of a host's errors come from what lies in its store: those differ from host to host. */
import { DEFECTS, type DefectCode } from '../../../x509/index.js'

/** The defects a refusal names, the first one met first; stunnel's text of them is the last one first. */
export function defectsSaid([code, reason = '']: readonly string[]): readonly (DefectCode | 'LEAF_WANTED')[] {
  if (code !== 'SSL_VERIFY_ERROR') return []
  return reason.split(';').reverse().flatMap(readText)
}

function readText(text: string): readonly (DefectCode | 'LEAF_WANTED')[] {
  const bare = text.trim().replace(/^Pre-verification error: /, '')
  if (bare === 'Subject checks failed') return ['NAME_MISMATCH']
  if (bare === 'Certificate not found in local repository') return ['LEAF_WANTED']
  const wording = bare.replace(/^self signed/, 'self-signed') // OpenSSL 1.1
  return DEFECT_CODES.filter((code) => DEFECTS[code].text === wording)
}

const DEFECT_CODES = Object.keys(DEFECTS).filter((code): code is DefectCode => code in DEFECTS)

const FROM_STORE: ReadonlySet<string> = new Set<DefectCode | 'LEAF_WANTED'>([
  ...(['ROOT_MISSING', 'SIGNATURE_WRONG', 'SELF_SIGNED_UNTRUSTED', 'ROOT_UNTRUSTED', 'ISSUER_MISSING'] as const),
  'LEAF_WANTED',
])

const FROM_CRLS: ReadonlySet<string> = new Set<DefectCode>([
  ...(['CRL_MISSING', 'CRL_SIGNATURE_WRONG', 'CRL_NOT_YET_VALID', 'CRL_EXPIRED', 'CRL_ISSUER_MISSING'] as const),
  ...(['CRL_SIGNING_NOT_ALLOWED', 'CRL_CRITICAL_EXTENSION_UNKNOWN', 'CRL_OTHER_SCOPE', 'REVOKED'] as const),
])

export function isCrlDefect(code: string): boolean {
  return FROM_CRLS.has(code)
}

/** `bundle`: none that can be loaded. `anchors`: one that holds others. `crls`: other revocation lists. */
export function isStoreError(error: readonly string[]): 'bundle' | 'anchors' | 'crls' | undefined {
  const [code, text = ''] = error
  if (code === 'INTERNAL_ERROR' && /configuration failed/i.test(text)) return 'bundle'
  const [first] = defectsSaid(error)
  if (first === undefined) return undefined
  if (FROM_STORE.has(first)) return 'anchors'
  return FROM_CRLS.has(first) ? 'crls' : undefined
}
