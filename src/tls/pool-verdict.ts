/**
 * The reason a host's stunnel would give for refusing a certificate. stunnel stops at OpenSSL's first error, Node
 * reports the last one; so the questions OpenSSL asks first are asked here, in its order, and what is left is Node's.
 */
import type { X509Certificate } from 'node:crypto'
import { checkHost, checkLeafRevocation, describeCertificate, isSelfSigned } from '../x509/index.js'

export interface Presented {
  /** Leaf first, then what Node linked to it. */
  readonly chain: readonly X509Certificate[]
  readonly serverName: string
  readonly anchors: readonly X509Certificate[]
  /** Contents of the CRL files; undefined where the folder is empty and revocation is not asked about. */
  readonly crls: readonly Buffer[] | undefined
  readonly now: Date
  /** The text of Node's own verification, dates left out where `now` is not the system's; undefined: nothing found. */
  readonly nodeError: string | undefined
}

const PREFIX = 'Pre-verification error: '
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0'
const STRENGTH_BITS = 2048
const WEAK_DIGEST = /^(ecdsa-with-SHA1|sha1With|md5With)/
const ASKED_WITH_DATES = ['certificate has expired', 'certificate is not yet valid', 'certificate signature failure']
/** Name constraints and policies, which OpenSSL asks about when stunnel has already looked at the host name. */
const ASKED_AFTER_NAME = /subtree|name constraint|name syntax|policy/

/** Gives stunnel's text, or undefined for a certificate that is accepted. */
export function findRefusal(presented: Presented): string | undefined {
  const { chain, serverName, anchors, crls, now, nodeError } = presented
  const [leaf] = chain
  if (!leaf) return ''
  const path = buildPath(leaf, chain, anchors)
  const isLate = nodeError !== undefined && ASKED_AFTER_NAME.test(nodeError)
  const isEarly = nodeError !== undefined && !isLate && !ASKED_WITH_DATES.includes(nodeError)
  const chainError =
    path.error ??
    findMisuse(path.certificates) ??
    findWeakness(path.certificates) ??
    (isEarly ? nodeError : undefined) ??
    (crls && findRevocation(path.certificates, crls, now)) ??
    findWrongSignatureOrDate(path.certificates, now) ??
    (isLate ? undefined : nodeError)
  if (chainError !== undefined) return `${PREFIX}${chainError}`
  if (!checkHost(leaf, serverName)) return 'Subject checks failed'
  return nodeError === undefined ? undefined : `${PREFIX}${nodeError}`
}

interface Path {
  /** From the leaf up. */
  readonly certificates: readonly X509Certificate[]
  /** Why it does not end in a self-signed trust anchor. */
  readonly error?: string
}

/** Anchors are tried before what the server sent; only a self-signed anchor ends a path well, and no step is undone. */
function buildPath(leaf: X509Certificate, sent: readonly X509Certificate[], anchors: readonly X509Certificate[]): Path {
  const path = [leaf]
  for (let top = leaf; ; ) {
    const current = top
    const isTrusted = anchors.some((anchor) => anchor.raw.equals(current.raw))
    if (isSelfSigned(current)) {
      if (isTrusted) return { certificates: path }
      const where = path.length === 1 ? '' : ' in certificate chain'
      return { certificates: path, error: `self-signed certificate${where}` }
    }
    const isNext = (candidate: X509Certificate) => !path.includes(candidate) && couldIssue(candidate, current)
    const next = anchors.find(isNext) ?? sent.find(isNext)
    if (!next) {
      // a leaf in the bundle is none the less where the search begins
      const local = isTrusted && path.length > 1 ? '' : 'local '
      return { certificates: path, error: `unable to get ${local}issuer certificate` }
    }
    path.push(next)
    top = next
  }
}

/** By name and key identifier, not by signature: that is asked later. An issuer without keyCertSign is still found. */
function couldIssue(issuer: X509Certificate, certificate: X509Certificate): boolean {
  if (certificate.checkIssued(issuer)) return true
  return certificate.issuer === issuer.subject && certificate.verify(issuer.publicKey)
}

function findMisuse(path: readonly X509Certificate[]): string | undefined {
  const [leaf, ...issuers] = path
  if (issuers.some((issuer) => !issuer.ca)) return 'invalid CA certificate'
  const usages: readonly string[] = leaf?.keyUsage ?? []
  const fits = usages.length === 0 || usages.includes(SERVER_AUTH) || usages.includes(ANY_EXTENDED_KEY_USAGE)
  return fits ? undefined : 'unsuitable certificate purpose'
}

/** The root's own signature is nobody's business. */
function findWeakness(path: readonly X509Certificate[]): string | undefined {
  for (const [depth, certificate] of path.entries()) {
    const { modulusLength } = certificate.publicKey.asymmetricKeyDetails ?? {}
    const isShort = modulusLength !== undefined && modulusLength < STRENGTH_BITS
    if (isShort) return depth === 0 ? 'EE certificate key too weak' : 'CA certificate key too weak'
    const isRoot = depth === path.length - 1
    if (!isRoot && WEAK_DIGEST.test(describeCertificate(certificate).signatureAlgorithm)) {
      return 'CA signature digest algorithm too weak'
    }
  }
  return undefined
}

function findRevocation(path: readonly X509Certificate[], crls: readonly Buffer[], now: Date): string | undefined {
  const [leaf, issuer = leaf] = path
  if (!leaf || !issuer) return undefined
  const answer = checkLeafRevocation({ leaf, issuer, crls, now })
  return answer.state === 'rejected' ? answer.text : undefined
}

/** From the root down, as OpenSSL goes. Signatures are asked for here too: Node may have stopped at another clock's date. */
function findWrongSignatureOrDate(path: readonly X509Certificate[], now: Date): string | undefined {
  for (const [depth, certificate] of [...path.entries()].reverse()) {
    const issuer = path[depth + 1]
    if (issuer && !certificate.verify(issuer.publicKey)) return 'certificate signature failure'
    if (new Date(certificate.validFrom) > now) return 'certificate is not yet valid'
    if (new Date(certificate.validTo) < now) return 'certificate has expired'
  }
  return undefined
}
