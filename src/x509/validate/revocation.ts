/**
 * Whether the installed revocation lists refuse a leaf (check_revocation of x509_vfy.c): only the leaf is checked, a list of its
 * issuer must exist, and lists that are indirect, limited to some reasons, or deltas do not count.
 */
import { isSameName } from '../encoding/distinguished-name.js'
import type { CertificateFacts } from './certificate-facts.js'
import { type Crl, type CrlEntry, serialKey } from './crl.js'
import { ALL_REASONS, overlaps } from './distribution-points.js'
import { checkAuthorityKeyId, KEY_USAGE } from './extensions.js'
import { wholeSeconds } from './path.js'
import type { DefectCode } from './verdict.js'

/** CRL_SCORE_* of OpenSSL: which list is best is decided by adding these up. */
const SCORE = {
  noUnknownCritical: 0x100,
  scope: 0x80,
  time: 0x40,
  issuerName: 0x20,
  issuerCertificate: 0x18,
  samePath: 0x08,
  keyId: 0x04,
}
const REMOVE_FROM_CRL = 8

interface Choice {
  readonly crl: Crl
  readonly score: number
  readonly reasons: number
  /** Whose key must have signed it. */
  readonly issuer: CertificateFacts
}

/** All that is wrong with the leaf's revocation, in the order OpenSSL meets it. */
export function findRevocationDefects(
  path: readonly CertificateFacts[],
  crls: readonly Crl[],
  now: Date,
): DefectCode[] {
  const [leaf] = path
  if (!leaf || leaf.isProxy) return []
  const sameName = crls.filter(({ issuerKey }) => issuerKey === leaf.issuerKey)
  const defects: DefectCode[] = []
  for (let covered = 0; covered !== ALL_REASONS; ) {
    const choice = chooseCrl(path, leaf, sameName, covered, now)
    if (!choice) return [...defects, 'CRL_MISSING']
    defects.push(...checkCrl(choice, now), ...findEntry(choice.crl, leaf))
    if (choice.reasons === covered) return [...defects, 'CRL_MISSING']
    covered = choice.reasons
  }
  return defects
}

function chooseCrl(
  path: readonly CertificateFacts[],
  leaf: CertificateFacts,
  crls: readonly Crl[],
  covered: number,
  now: Date,
): Choice | undefined {
  let best: Choice | undefined
  for (const crl of crls) {
    const choice = rate(path, leaf, crl, covered, now)
    if (!choice || (best && choice.score < best.score)) continue
    if (best && choice.score === best.score && !isNewer(crl, best.crl)) continue
    best = choice
  }
  return best
}

function isNewer(a: Crl, b: Crl): boolean {
  return a.thisUpdate !== undefined && b.thisUpdate !== undefined && a.thisUpdate > b.thisUpdate
}

/** get_crl_score; undefined where the list is of no use at all. */
function rate(
  path: readonly CertificateFacts[],
  leaf: CertificateFacts,
  crl: Crl,
  covered: number,
  now: Date,
): Choice | undefined {
  const { scope } = crl
  if (crl.isDelta) return undefined // since OpenSSL 3.0.20; before, it was read like a whole list
  if (scope && (scope.contradictory || scope.isIndirect || scope.hasReasons)) return undefined
  if (!isSameName(leaf.issuer, crl.issuer)) return undefined
  let score = SCORE.issuerName
  if (!crl.hasUnknownCritical) score |= SCORE.noUnknownCritical
  if (findTimeDefects(crl, now).length === 0) score |= SCORE.time

  const signer = findSigner(path, crl)
  if (!signer) return undefined
  score |= SCORE.keyId | signer.score

  const reasons = findScope(leaf, crl)
  if (reasons === undefined) return { crl, score, reasons: covered, issuer: signer.issuer }
  if ((reasons & ~covered) === 0) return undefined
  return { crl, score: score | SCORE.scope, reasons: covered | reasons, issuer: signer.issuer }
}

/** The leaf's issuer, or a certificate of its name further up. */
function findSigner(
  path: readonly CertificateFacts[],
  crl: Crl,
): { issuer: CertificateFacts; score: number } | undefined {
  const first = Math.min(1, path.length - 1)
  const direct = path[first]!
  if (checkAuthorityKeyId(direct, crl.authorityKeyId)) return { issuer: direct, score: SCORE.issuerCertificate }
  const above = path
    .slice(first + 1)
    .find((one) => isSameName(one.subject, crl.issuer) && checkAuthorityKeyId(one, crl.authorityKeyId))
  return above && { issuer: above, score: SCORE.samePath }
}

/** The reasons the list covers for this leaf; undefined where it is about other certificates (crl_crldp_check). */
function findScope(leaf: CertificateFacts, { scope, issuer }: Crl): number | undefined {
  const isAuthority = leaf.basicConstraints?.ca === true
  if (scope?.only === 'attributes' || scope?.only === (isAuthority ? 'users' : 'authorities')) return undefined
  const reasons = scope?.reasons ?? ALL_REASONS
  for (const { point, crlIssuer, reasons: pointReasons } of leaf.distributionPoints ?? []) {
    const isMeant = !crlIssuer || crlIssuer.some((name) => name.kind === 'directory' && isSameName(name.name, issuer))
    if (isMeant && (!scope || overlaps(point, scope.point))) return reasons & pointReasons
  }
  return scope?.point ? undefined : reasons
}

/** check_crl, and the unknown critical extensions that cert_crl asks about. */
function checkCrl({ crl, score, issuer }: Choice, now: Date): DefectCode[] {
  const defects: DefectCode[] = []
  const mayNotSign = issuer.keyUsage !== undefined && (issuer.keyUsage & KEY_USAGE.cRLSign) === 0
  if (mayNotSign) defects.push('CRL_SIGNING_NOT_ALLOWED')
  if ((score & SCORE.scope) === 0) defects.push('CRL_OTHER_SCOPE')
  defects.push(...findTimeDefects(crl, now))
  if (!issuer.publicKey || !crl.isSignedBy(issuer.publicKey)) defects.push('CRL_SIGNATURE_WRONG')
  if (crl.hasUnknownCritical) defects.push('CRL_CRITICAL_EXTENSION_UNKNOWN')
  return defects
}

function findTimeDefects(crl: Crl, now: Date): DefectCode[] {
  const seconds = wholeSeconds(now)
  const defects: DefectCode[] = []
  if (!crl.thisUpdate) defects.push('CRL_LAST_UPDATE_MALFORMED')
  else if (+crl.thisUpdate > seconds) defects.push('CRL_NOT_YET_VALID')
  if ('nextUpdate' in crl) {
    if (!crl.nextUpdate) defects.push('CRL_NEXT_UPDATE_MALFORMED')
    else if (+crl.nextUpdate <= seconds) defects.push('CRL_EXPIRED')
  }
  return defects
}

function findEntry(crl: Crl, leaf: CertificateFacts): DefectCode[] {
  const serial = serialKey(leaf.serial)
  const entry = crl.entries.find((one) => one.serial === serial && isAbout(one, crl, leaf))
  return entry && entry.reason !== REMOVE_FROM_CRL ? ['REVOKED'] : []
}

/** An entry can be about another issuer's certificate with the same number (crl_revoked_issuer_match). */
function isAbout({ issuers }: CrlEntry, crl: Crl, leaf: CertificateFacts): boolean {
  if (!issuers) return isSameName(leaf.issuer, crl.issuer)
  return issuers.some((name) => name.kind === 'directory' && isSameName(name.name, leaf.issuer))
}
