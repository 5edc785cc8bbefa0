/**
 * The reason a host's stunnel would give for refusing a certificate. stunnel stops at OpenSSL's first error, Node
 * reports the last one; so the questions OpenSSL asks first are asked here, in its order, and what is left is Node's.
 */
import type { X509Certificate } from 'node:crypto'
import { checkHost, checkLeafRevocation, isSelfSigned } from '../x509/index.js'

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
const ASKED_LAST = ['certificate has expired', 'certificate is not yet valid', 'certificate signature failure']

/** Gives stunnel's text, or undefined for a certificate that is accepted. */
export function findRefusal(presented: Presented): string | undefined {
  const { chain, serverName, anchors, crls, now, nodeError } = presented
  const [leaf] = chain
  if (!leaf) return ''
  const path = buildPath(leaf, chain, anchors)
  const chainError =
    path.error ??
    findMisuse(path.certificates) ??
    findWeakness(path.certificates) ??
    (nodeError !== undefined && !ASKED_LAST.includes(nodeError) ? nodeError : undefined) ??
    (crls && findRevocation(path.certificates, crls, now)) ??
    findWrongSignatureOrDate(path.certificates, now) ??
    nodeError
  if (chainError !== undefined) return `${PREFIX}${chainError}`
  return checkHost(leaf, serverName) ? undefined : 'Subject checks failed'
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
      const local = isTrusted ? '' : 'local '
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

function findWeakness(path: readonly X509Certificate[]): string | undefined {
  const weak = path.findIndex(({ publicKey }) => {
    const { modulusLength } = publicKey.asymmetricKeyDetails ?? {}
    return modulusLength !== undefined && modulusLength < STRENGTH_BITS
  })
  if (weak < 0) return undefined
  return weak === 0 ? 'EE certificate key too weak' : 'CA certificate key too weak'
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
