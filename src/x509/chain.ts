/**
 * Certificates in the order an appliance keeps and sends them: the leaf, then each one's issuer, the root last. Authorities
 * hand them out in any order and in any number of files (RFC 5246, 7.4.2, for the order).
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { type CertificateFacts, isLikelyIssuedBy, isSignedBy, readFacts } from './validate/certificate-facts.js'
import { isCurrent, isSame } from './validate/path.js'

export interface Chain {
  readonly leaf: X509Certificate
  /** Issuer of the leaf first. */
  readonly intermediates: readonly X509Certificate[]
  /** Undefined where the way up ends before a self-signed certificate; a self-signed leaf is its own root and is not repeated here. */
  readonly root: X509Certificate | undefined
  /** The issuer that the topmost certificate names, when it was not given; on one line, as OpenSSL prints names. */
  readonly missingIssuer: string | undefined
  /** Given, but not on the way up from the leaf. */
  readonly unrelated: readonly X509Certificate[]
}

/**
 * Finds the leaf by its private key, so that the two are proven to belong together, and orders the rest. Of several with
 * the same key the current one counts, and of those the newest.
 *
 * Returns undefined when none of `certificates` carries the public half of `key`.
 */
export function orderChain(certificates: readonly X509Certificate[], key: KeyObject, now: Date): Chain | undefined {
  const all = distinct(certificates.map(readFacts))
  const [leaf] = all.filter(({ certificate }) => belongsTo(certificate, key)).sort((a, b) => compareAge(a, b, now))
  if (!leaf) return undefined

  const path = climb([leaf], all, now)
  const top = path[path.length - 1]!
  const issuers = path.slice(1)
  const root = top.isSelfSigned ? issuers.pop() : undefined
  return {
    leaf: leaf.certificate,
    intermediates: issuers.map(({ certificate }) => certificate),
    root: root?.certificate,
    missingIssuer: top.isSelfSigned ? undefined : top.certificate.issuer.split('\n').reverse().join(', '),
    unrelated: all.filter((facts) => !path.includes(facts)).map(({ certificate }) => certificate),
  }
}

/** The certificates as a server sends them. */
export function sendingOrder({ leaf, intermediates, root }: Chain): X509Certificate[] {
  return [leaf, ...intermediates, ...(root ? [root] : [])]
}

function distinct(all: readonly CertificateFacts[]): CertificateFacts[] {
  return [...new Map(all.map((facts) => [facts.certificate.fingerprint512, facts])).values()]
}

function belongsTo(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key)
  } catch {
    return false
  }
}

/** Current before not current, then the one that began last. */
function compareAge(a: CertificateFacts, b: CertificateFacts, now: Date): number {
  const begins = (facts: CertificateFacts) => facts.notBefore?.getTime() ?? 0
  return Number(isCurrent(b, now)) - Number(isCurrent(a, now)) || begins(b) - begins(a)
}

/** Limit of signature checks for one chain: real files need a few, hostile ones could need exponentially many. */
const BUDGET = 2000

/**
 * Each step takes a certificate that is not yet on the path: two authorities that signed each other cannot make it loop. Of an
 * authority that several have signed the certificate counts that leads to a self-signed one; where none does, the first.
 */
function climb(
  path: readonly CertificateFacts[],
  all: readonly CertificateFacts[],
  now: Date,
  budget = { left: BUDGET },
): readonly CertificateFacts[] {
  const top = path[path.length - 1]!
  if (top.isSelfSigned) return path
  const candidates = all
    .filter((candidate) => isLikelyIssuedBy(top, candidate) && !path.some((one) => isSame(one, candidate)))
    .sort((a, b) => Number(b.isSelfSigned) - Number(a.isSelfSigned) || compareAge(a, b, now))
  let first: readonly CertificateFacts[] | undefined
  for (const candidate of candidates) {
    if (budget.left-- <= 0) break
    if (!isSignedBy(top, candidate)) continue
    const climbed = climb([...path, candidate], all, now, budget)
    if (climbed.at(-1)?.isSelfSigned) return climbed
    first ??= climbed
  }
  return first ?? path
}
