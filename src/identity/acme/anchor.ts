/**
 * What a pool has to trust for a chain: its root, or, where the root is not at hand, whom the topmost certificate names as
 * its issuer and by which key. A renewal below the same anchor concerns no pool; another anchor has to be there before.
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { AppliancePaths } from '../../config/paths.js'
import {
  type Chain,
  describeCertificate,
  orderChain,
  readContainers,
  readIssuerKeyId,
  readPrivateKey,
} from '../../x509/index.js'
import { findFault, readPair } from '../identity-store.js'

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

/** Where the certificate of its issuer can be had. */
export function caIssuersOf({ infoAccess = '' }: X509Certificate): string | undefined {
  return /CA Issuers - URI:(https?:\S+)/.exec(infoAccess)?.[1]
}

/**
 * The same root, the same name and key, or a root of one that has signed the top of the other. Authorities change their
 * intermediates at will: where neither root is at hand, what both say of it is compared. Not sure is not the same.
 */
export function isSameAnchor(one: Anchor, other: Anchor): boolean {
  if (one.root && other.root) return hasSameKey(one.root, other.root)
  if (one.root) return hasSigned(one.root, other.top)
  if (other.root) return hasSigned(other.root, one.top)
  return one.top.issuer === other.top.issuer && (isSameKey(one.top, other.top) || haveSameIssuerKey(one.top, other.top))
}

/** A root that was signed anew with its old key is trusted by whoever trusts the old one, or the other way round. */
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

export function hasSigned(root: X509Certificate, certificate: X509Certificate): boolean {
  try {
    return certificate.issuer === root.subject && certificate.verify(root.publicKey)
  } catch {
    return false
  }
}

/** The chain in place; undefined where there is none that works. */
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
