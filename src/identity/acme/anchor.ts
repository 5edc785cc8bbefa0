/**
 * The trust anchor that a pool needs for a chain: its root, or, where the root is not available, the issuer named by
 * the topmost certificate and its key. After a renewal below the same anchor pools trust the certificate already;
 * another anchor has to be installed in them first.
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { WlbError } from '../../base/error.js'
import type { AppliancePaths } from '../../config/index.js'
import {
  type Chain,
  describeCertificate,
  encodePem,
  isSelfSigned,
  orderChain,
  readContainers,
  readIssuerKeyId,
  readPrivateKey,
} from '../../x509/index.js'
import { findFault, readPair } from '../store/identity-files.js'

export interface Anchor {
  /** One line. */
  readonly name: string
  /** Undefined where the chain comes without it. */
  readonly root: X509Certificate | undefined
  /** The certificate that the anchor has signed; a self-signed leaf is both. */
  readonly top: X509Certificate
  /** Where the authority publishes the anchor, as far as the topmost certificate says. */
  readonly publishedAt: string | undefined
}

export function anchorOf({ leaf, intermediates, root, missingIssuer }: Chain): Anchor {
  const top = intermediates.at(-1) ?? leaf
  const own = root ?? (missingIssuer === undefined ? top : undefined)
  return {
    name: own ? describeCertificate(own).subject : (missingIssuer ?? ''),
    root: own,
    top,
    publishedAt: own ? undefined : caIssuersOf(top),
  }
}

/** Where the issuer's certificate can be downloaded. */
function caIssuersOf({ infoAccess = '' }: X509Certificate): string | undefined {
  return /CA Issuers - URI:(https?:\S+)/.exec(infoAccess)?.[1]
}

/**
 * The same root, the same name and key, or a root of one that signed the top of the other. Authorities change their
 * intermediates without notice: where neither root is available, the issuer names and key identifiers of both tops are
 * compared. In doubt the answer is no.
 */
export function isSameAnchor(one: Anchor, other: Anchor): boolean {
  if (one.root && other.root) return hasSameKey(one.root, other.root)
  if (one.root) return hasSigned(one.root, other.top)
  if (other.root) return hasSigned(other.root, one.top)
  return one.top.issuer === other.top.issuer && (isSameKey(one.top, other.top) || haveSameIssuerKey(one.top, other.top))
}

/** The same of what is sent, leaf first; false where nothing is. */
export function isSameEnd(one: readonly X509Certificate[], other: readonly X509Certificate[]): boolean {
  const [end, otherEnd] = [endOf(one), endOf(other)]
  return end !== undefined && otherEnd !== undefined && isSameAnchor(end, otherEnd)
}

function endOf(sent: readonly X509Certificate[]): Anchor | undefined {
  const root = sent.find(isSelfSigned)
  const top = sent.findLast((one) => !isSelfSigned(one)) ?? root
  return top && { name: describeCertificate(root ?? top).subject, root, top, publishedAt: undefined }
}

/** A root that was reissued with its old key verifies what the old one verifies. */
function hasSameKey(one: X509Certificate, other: X509Certificate): boolean {
  return one.fingerprint256 === other.fingerprint256 || (one.subject === other.subject && isSameKey(one, other))
}

function isSameKey(one: X509Certificate, other: X509Certificate): boolean {
  try {
    return one.publicKey.equals(other.publicKey)
  } catch {
    return false // a kind of key that OpenSSL does not know
  }
}

function haveSameIssuerKey(one: X509Certificate, other: X509Certificate): boolean {
  const keyId = readIssuerKeyId(one)
  return keyId !== undefined && readIssuerKeyId(other)?.equals(keyId) === true
}

function hasSigned(root: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.issuer === root.subject && certificate.verify(root.publicKey)
  } catch {
    return false
  }
}

/** The chain in place; undefined where there is none that can be served. */
export async function readChainInPlace(paths: AppliancePaths, now: Date): Promise<Chain | undefined> {
  if (!existsSync(paths.certificateFolder)) return undefined
  const pair = await readPair(paths)
  const { certificatePem, privateKeyPem } = pair
  if (findFault(pair) !== undefined || certificatePem === undefined || privateKeyPem === undefined) return undefined
  const { certificates } = readContainers([{ file: paths.certificate, bytes: Buffer.from(certificatePem) }])
  const key = readPrivateKey(Buffer.from(privateKeyPem), undefined, paths.key)
  return orderChain(
    certificates.map(({ certificate }) => certificate),
    key,
    now,
  )
}

const TIMEOUT_MS = 10_000
const LIMIT_BYTES = 64 * 1024
/** Certificates above the topmost one that was sent. */
const STEPS = 3

/**
 * Returns the chain with its root appended. Authorities leave the root out; it is downloaded from where the certificates say
 * that their issuers are published (RFC 5280, 4.2.2.1), without protection on the way, since its signature on the chain is
 * checked. Where it cannot be had the chain is returned as it was, which is usable too. `known`: certificates at hand, such as
 * those the authority's own HTTPS is verified with.
 */
export async function completeChain(
  chainPem: string,
  signal: AbortSignal,
  known: readonly X509Certificate[] = [],
): Promise<string> {
  const sent = readAll(Buffer.from(chainPem))
  const added: X509Certificate[] = []
  for (let top = sent.at(-1); top && !isSelfSigned(top) && added.length < STEPS; top = added.at(-1)) {
    const child = top
    const issuer = known.find((one) => hasSigned(one, child)) ?? (await fetchIssuer(child, signal))
    if (!issuer) return chainPem
    added.push(issuer)
  }
  const root = added.at(-1)
  if (!root || !isSelfSigned(root)) return chainPem
  return `${chainPem.trimEnd()}\n${added.map(({ raw }) => encodePem('CERTIFICATE', raw)).join('')}`
}

async function fetchIssuer(certificate: X509Certificate, signal: AbortSignal): Promise<X509Certificate | undefined> {
  const url = caIssuersOf(certificate)
  if (url === undefined) return undefined
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)])
    const answer = await fetch(url, { signal: limit })
    if (!answer.ok || !answer.body) return undefined
    const pieces: Uint8Array[] = []
    let sizeBytes = 0
    for await (const piece of answer.body) {
      pieces.push(piece)
      sizeBytes += piece.length
      if (sizeBytes > LIMIT_BYTES) return undefined
    }
    return readAll(Buffer.concat(pieces)).find((candidate) => hasSigned(candidate, certificate))
  } catch {
    return undefined // unreachable or unreadable: the operator is told where the root is published
  }
}

/** DER, PEM or PKCS#7, as they are published. */
export function readAll(bytes: Buffer): X509Certificate[] {
  try {
    return readContainers([{ file: 'chain', bytes }]).certificates.map(({ certificate }) => certificate)
  } catch (error) {
    if (error instanceof WlbError) return []
    throw error
  }
}
