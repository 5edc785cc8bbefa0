/**
 * The one path OpenSSL 3.0 takes from a leaf to a trust anchor (build_chain of x509_vfy.c): trust anchors before what the
 * server sent, the first candidate that is in its dates, and never a step back. Browsers try every path; a pool does not.
 */
import { type CertificateFacts, isLikelyIssuedBy } from './certificate-facts.js'
import { SERVER_AUTH } from './extensions.js'
import type { TrustAnchor } from './verdict.js'

export interface Anchor {
  readonly facts: CertificateFacts
  readonly settings: Pick<TrustAnchor, 'trustedFor' | 'rejectedFor'>
}

export interface Path {
  /** From the leaf up. */
  readonly certificates: readonly CertificateFacts[]
  /** How many of them came from the server; the others are the trust store's own. */
  readonly fromServer: number
  readonly end: 'anchored' | 'too long' | 'self-signed' | 'no issuer' | { readonly rejected: CertificateFacts }
}

/** SSL_get_verify_depth is 100 unless somebody changes it; the leaf comes on top. */
const LONGEST = 101
const ANY_PURPOSE = '2.5.29.37.0'

/** Builds the path. `sent` is everything the server sent, the leaf included. */
export function buildPath(
  leaf: CertificateFacts,
  sent: readonly CertificateFacts[],
  anchors: readonly Anchor[],
  now: Date,
): Path {
  const trusted = indexBySubject(anchors, ({ facts }) => facts.subjectKey)
  const untrusted = indexBySubject(sent, ({ subjectKey }) => subjectKey)
  const certificates = [leaf]
  let fromServer = 1
  let mayUseSent = true

  for (;;) {
    const top = certificates[certificates.length - 1]!
    const anchor = certificates.length > LONGEST ? undefined : findTrusted(top, trusted, now)
    if (anchor && (!top.isSelfSigned || isSame(top, anchor.facts))) {
      // a self-signed certificate of the server's is replaced by the store's own copy
      if (top.isSelfSigned) certificates.splice(--fromServer, 1, anchor.facts)
      else certificates.push(anchor.facts)
      mayUseSent = false
      const trust = readTrust(anchor)
      if (trust === 'trusted') return { certificates, fromServer, end: 'anchored' }
      if (trust === 'rejected') return { certificates, fromServer, end: { rejected: anchor.facts } }
      if (!anchor.facts.isSelfSigned) continue
    }
    if (!mayUseSent) break
    const next =
      top.isSelfSigned || certificates.length > LONGEST ? undefined : findSent(top, untrusted, certificates, now)
    if (next) {
      certificates.push(next)
      fromServer++
      const namesakes = untrusted.get(next.subjectKey) ?? []
      namesakes.splice(namesakes.indexOf(next), 1)
    } else {
      mayUseSent = false
    }
  }
  const top = certificates[certificates.length - 1]!
  if (certificates.length > LONGEST) return { certificates, fromServer, end: 'too long' }
  // a certificate that cannot be read in full issues nothing, not even itself
  return { certificates, fromServer, end: top.isSelfSigned && !top.invalid ? 'self-signed' : 'no issuer' }
}

function indexBySubject<T>(all: readonly T[], key: (one: T) => string): Map<string, T[]> {
  const index = new Map<string, T[]>()
  for (const one of all) {
    const namesakes = index.get(key(one))
    if (namesakes) namesakes.push(one)
    else index.set(key(one), [one])
  }
  return index
}

function findTrusted(top: CertificateFacts, trusted: Map<string, Anchor[]>, now: Date): Anchor | undefined {
  const candidates = (trusted.get(top.issuerKey) ?? []).filter(({ facts }) => isLikelyIssuedBy(top, facts))
  return preferCurrent(candidates, ({ facts }) => facts, now)
}

function findSent(
  top: CertificateFacts,
  untrusted: Map<string, CertificateFacts[]>,
  path: readonly CertificateFacts[],
  now: Date,
): CertificateFacts | undefined {
  const isNew = (candidate: CertificateFacts) =>
    (top.isSelfIssued && path.length === 1) || !path.some((one) => isSame(one, candidate))
  const candidates = (untrusted.get(top.issuerKey) ?? []).filter(
    // OpenSSL looks once at what was sent, and twice at what is installed
    (candidate) => !candidate.isHalfRead && isLikelyIssuedBy(top, candidate) && isNew(candidate),
  )
  return preferCurrent(candidates, (facts) => facts, now)
}

/** The first one in its dates; else the one that ends last. */
function preferCurrent<T>(candidates: readonly T[], factsOf: (one: T) => CertificateFacts, now: Date): T | undefined {
  const current = candidates.find((candidate) => isCurrent(factsOf(candidate), now))
  if (current) return current
  const endOf = (one: T) => factsOf(one).notAfter?.getTime() ?? Number.NEGATIVE_INFINITY
  return candidates.reduce<T | undefined>((best, one) => (best && endOf(one) <= endOf(best) ? best : one), undefined)
}

/** Seconds count; the very second of notAfter is already too late (X509_cmp_time). */
export function isCurrent({ notBefore, notAfter }: CertificateFacts, now: Date): boolean {
  const seconds = wholeSeconds(now)
  return notBefore !== undefined && notAfter !== undefined && +notBefore <= seconds && seconds < +notAfter
}

/** OpenSSL's clock has no fractions. */
export function wholeSeconds(now: Date): number {
  return Math.floor(now.getTime() / 1000) * 1000
}

export function isSame(a: CertificateFacts, b: CertificateFacts): boolean {
  return a === b || a.certificate.raw.equals(b.certificate.raw)
}

/**
 * X509_check_trust for TLS servers: a plain anchor counts where it is self-signed; a TRUSTED CERTIFICATE block's own
 * list of purposes decides alone, an intermediate included.
 */
function readTrust({ facts, settings }: Anchor): 'trusted' | 'rejected' | 'undecided' {
  const explicit = readExplicitTrust(settings)
  if (explicit !== 'undecided') return explicit
  return facts.isSelfSigned && !facts.invalid ? 'trusted' : 'undecided'
}

/** What a TRUSTED CERTIFICATE block itself says. */
export function readExplicitTrust({
  trustedFor,
  rejectedFor,
}: Anchor['settings']): 'trusted' | 'rejected' | 'undecided' {
  const isMeant = (purpose: string) => purpose === SERVER_AUTH || purpose === ANY_PURPOSE
  if (rejectedFor?.some(isMeant)) return 'rejected'
  if (!trustedFor) return 'undecided'
  return trustedFor.some(isMeant) ? 'trusted' : 'rejected'
}
