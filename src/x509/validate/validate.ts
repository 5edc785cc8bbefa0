/**
 * What a host of the pool says of what a server presents: path validation (RFC 5280, 6) as OpenSSL 3.0 does it with the
 * settings of the pool's stunnel (docs/protocol/verdict.md). OpenSSL stops at the first defect; here all are found, in its order.
 */
import type { X509Certificate } from 'node:crypto'
import { signatureStrengthBits } from '../encoding/signature-algorithm.js'
import { fail } from '../errors.js'
import { describeCertificate, subjectInSentence } from '../summary.js'
import { findAddressDefects } from './address-resources.js'
import { type CertificateFacts, hasExplicitCurve, isSignedBy, readFacts } from './certificate-facts.js'
import { type Crl, readCrls } from './crl.js'
import { checkHost, explainMismatch } from './host-name.js'
import { countComparisons, findConstraintDefect } from './name-constraints.js'
import { findNumberDefects } from './number-resources.js'
import { type Anchor, buildPath, type Path, readExplicitTrust, wholeSeconds } from './path.js'
import { fitsTlsServer, isAuthority, keyStrengthBits, REQUIRED_BITS } from './purpose.js'
import { findRevocationDefects } from './revocation.js'
import { DEFECTS, type Defect, type DefectCode, type Question, type Verdict } from './verdict.js'

/** Name comparisons for one verdict: OpenSSL has no such limit, and no honest certificate comes near it. */
const COMPARISONS_BUDGET = 1 << 21

/**
 * Answers for one host: its trust anchors and revocation lists, the name it uses, its clock. No private key is needed.
 *
 * Not checked: what only a handshake shows (key type, suites, curve, versions), policies, OCSP and certificate transparency.
 *
 * @throws CERTIFICATE_MISSING when nothing is presented.
 * @throws VALIDATION_TOO_COSTLY when name constraints are so many that no answer is worth the time.
 */
export function validate(question: Question): Verdict {
  const { presented, anchors, crls, name, now } = question
  const sent = presented.map(readFacts)
  const [leaf] = sent
  if (!leaf) throw fail('CERTIFICATE_MISSING', {})
  const trusted = anchors.map(({ certificate, ...settings }): Anchor => ({ facts: readFacts(certificate), settings }))
  const path = buildPath(leaf, sent, trusted, now)
  const { certificates, fromServer } = path

  const defects: Defect[] = []
  const add = (code: DefectCode, depth: number, evidence?: string) => {
    const facts = certificates[depth] ?? leaf
    const isKnown = defects.some((defect) => defect.code === code && defect.depth === depth)
    if (!isKnown) defects.push(describeDefect(code, depth, facts.certificate, evidence))
  }
  if (keyStrengthBits(leaf) < REQUIRED_BITS) add('LEAF_KEY_TOO_WEAK', 0, describeKey(leaf))
  const end = findEndDefect(path)
  const top = certificates.length - 1
  if (end)
    add(end, top, path.end === 'no issuer' ? describeCertificate(certificates[top]!.certificate).issuer : undefined)
  checkExtensions(path, trusted, add)
  checkStrength(path, add)
  if (crls && (path.end === 'anchored' || certificates.length > 1)) {
    const lists = distinct(crls.flatMap(readCrls))
    for (const code of findRevocationDefects(certificates, lists, now)) add(code, 0)
  }
  checkSignaturesAndDates(certificates, now, add)
  if (!checkHost(leaf.certificate, name)) add('NAME_MISMATCH', 0, explainMismatch(leaf.certificate, name))
  checkNameConstraints(certificates, add)
  for (const { code, depth } of [
    ...findNumberDefects(certificates.map((facts) => facts.autonomousSystems)),
    ...findAddressDefects(certificates.map((facts) => facts.addressBlocks)),
  ]) {
    add(code, depth)
  }

  const [first] = defects
  return {
    accepted: !first,
    path: certificates.map(({ certificate }) => certificate),
    fromServer,
    defects,
    reason: first?.logText ?? '',
    opensslNumber: first?.opensslNumber ?? 0,
  }
}

type Add = (code: DefectCode, depth: number, evidence?: string) => void

function findEndDefect({ certificates, fromServer, end }: Path): DefectCode | undefined {
  if (typeof end === 'object') return 'ANCHOR_REJECTED'
  switch (end) {
    case 'anchored':
      return undefined
    case 'too long':
      return 'CHAIN_TOO_LONG'
    case 'self-signed':
      return certificates.length === 1 ? 'SELF_SIGNED_UNTRUSTED' : 'ROOT_UNTRUSTED'
    case 'no issuer':
      return fromServer < certificates.length ? 'ROOT_MISSING' : 'ISSUER_MISSING'
  }
}

/** check_extensions: certificate by certificate from the leaf up. */
function checkExtensions({ certificates, fromServer }: Path, anchors: readonly Anchor[], add: Add): void {
  let authoritiesBelow = 0
  for (const [depth, facts] of certificates.entries()) {
    if (facts.hasUnknownCritical) add('CRITICAL_EXTENSION_UNKNOWN', depth)
    if (facts.isProxy) add('PROXY_NOT_ALLOWED', depth)
    const isTop = depth === certificates.length - 1
    if (depth > 0 && !isAuthority(facts, isTop)) add('AUTHORITY_INVALID', depth)
    if (certificates.length > 1 && hasExplicitCurve(facts)) add('CURVE_EXPLICIT', depth)
    const settings = depth >= fromServer ? anchors.find((anchor) => anchor.facts === facts)?.settings : undefined
    const explicit = settings ? readExplicitTrust(settings) : 'undecided'
    const fits = explicit === 'undecided' ? fitsTlsServer(facts, depth > 0) : explicit === 'trusted'
    if (!fits) add('PURPOSE_UNSUITABLE', depth)
    const { pathLength } = facts.basicConstraints ?? {}
    if (depth > 1 && pathLength !== undefined && authoritiesBelow > pathLength) {
      add('PATH_TOO_LONG', depth, `${pathLength} allowed, ${authoritiesBelow} there`)
    }
    if (depth > 0 && !facts.isSelfIssued) authoritiesBelow++
  }
}

/** check_auth_level at security level 2; the signature of the topmost one is not checked. */
function checkStrength({ certificates }: Path, add: Add): void {
  for (const [depth, facts] of certificates.entries()) {
    if (depth > 0 && keyStrengthBits(facts) < REQUIRED_BITS) {
      add('AUTHORITY_KEY_TOO_WEAK', depth, describeKey(facts))
    }
    const isTop = depth === certificates.length - 1
    if (!isTop && signatureStrengthBits(facts.outerSignatureAlgorithm) < REQUIRED_BITS) {
      add('DIGEST_TOO_WEAK', depth, describeCertificate(facts.certificate).signatureAlgorithm)
    }
  }
}

/** internal_verify: from the top down, the signature of each, then its dates. */
function checkSignaturesAndDates(path: readonly CertificateFacts[], now: Date, add: Add): void {
  const seconds = wholeSeconds(now)
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const facts = path[depth]!
    const issuer = path[depth + 1]
    if (issuer && !isSignedBy(facts, issuer)) add('SIGNATURE_WRONG', depth)
    const { notBefore, notAfter } = facts
    if (!notBefore) add('NOT_BEFORE_MALFORMED', depth)
    else if (+notBefore > seconds) add('NOT_YET_VALID', depth, `from ${notBefore.toISOString()}`)
    if (!notAfter) add('NOT_AFTER_MALFORMED', depth)
    else if (+notAfter <= seconds) add('EXPIRED', depth, notAfter.toISOString())
  }
}

/** Every certificate against every authority above it; self-issued ones in between are passed over. */
function checkNameConstraints(path: readonly CertificateFacts[], add: Add): void {
  let comparisons = 0
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const { subject, alternativeNames = [], isSelfIssued } = path[depth]!
    if (depth > 0 && isSelfIssued) continue
    for (let above = path.length - 1; above > depth; above--) {
      const constraints = path[above]?.nameConstraints
      if (!constraints) continue
      const named = { subject, alternativeNames }
      comparisons += countComparisons(named, constraints)
      if (comparisons > COMPARISONS_BUDGET)
        throw fail('VALIDATION_TOO_COSTLY', { comparisons, limit: COMPARISONS_BUDGET })
      const code = findConstraintDefect(named, constraints, depth === 0)
      if (code) add(code, depth)
    }
  }
}

function distinct(crls: readonly Crl[]): Crl[] {
  return [...new Map(crls.map((crl) => [crl.der.toString('latin1'), crl])).values()]
}

const PREFIX = 'Pre-verification error: '

function describeDefect(code: DefectCode, depth: number, certificate: X509Certificate, evidence?: string): Defect {
  const { opensslNumber, text, message, remedy } = DEFECTS[code]
  // stunnel checks the name itself; OpenSSL checks everything else
  const logText = code === 'NAME_MISMATCH' ? 'Subject checks failed' : `${PREFIX}${text}`
  const subject = subjectInSentence(certificate)
  const found = evidence === undefined ? '' : `: ${evidence.replaceAll('\n', ', ')}`
  return { code, opensslNumber, logText, depth, certificate, message: `${subject} ${message}${found}.`, remedy }
}

function describeKey({ certificate, publicKey }: CertificateFacts): string {
  if (!publicKey) return 'a key that cannot be read'
  const { type, bits } = describeCertificate(certificate).key
  return `${type.toUpperCase()} ${bits}`
}
