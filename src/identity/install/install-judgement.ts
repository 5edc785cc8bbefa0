/**
 * What a pool would make of certificates before they are put in place: their order, the verdict of a host that trusts the
 * end of the chain, and a refusal that says what to ask the authority for (docs/certificate-from-an-authority.md).
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { checkAsPool, type PoolVerdict } from '../../tls/index.js'
import { type Chain, encodePem, isSelfSigned, lint, orderChain, sendingOrder, type Warning } from '../../x509/index.js'
import { incomplete, refused } from './install-refusal.js'

export interface JudgedChain {
  readonly chain: Chain
  /** In sending order. */
  readonly served: readonly X509Certificate[]
  /** Those of them that were not given. */
  readonly borrowed: readonly X509Certificate[]
  readonly verdict: PoolVerdict
  readonly warnings: readonly Warning[]
}

/**
 * Orders and judges. One of `given` carries the public half of `key`; issuers that are missing may come from `others`.
 *
 * @throws CHAIN_INCOMPLETE when the issuer of the leaf is not among them.
 * @throws CERTIFICATE_REFUSED when no pool would accept the result.
 */
export function judgeChain(
  given: readonly X509Certificate[],
  others: readonly X509Certificate[],
  {
    key,
    name,
    port,
    now,
  }: { readonly key: KeyObject; readonly name: string; readonly port: number; readonly now: Date },
): JudgedChain {
  const alone = orderChain(given, key, now)
  if (!alone) throw new Error('the key belongs to none of the certificates')
  const isGiven = (certificate: X509Certificate) => given.some(({ raw }) => raw.equals(certificate.raw))
  const found = alone.missingIssuer === undefined ? alone : (orderChain([...given, ...others], key, now) ?? alone)
  const chain = { ...found, unrelated: found.unrelated.filter(isGiven) }
  const namesakes = findNamesakes(chain)
  if (chain.missingIssuer !== undefined && chain.intermediates.length + namesakes.length === 0) throw incomplete(chain)

  const served = sendingOrder(chain)
  // whoever gives an authority of the missing issuer's name means it to be used
  const presented = namesakes.length > 0 ? [...served, ...chain.unrelated] : served
  const question = { presented, crls: undefined, name, now }
  const verdict = checkAsPool({ ...question, bundle: Buffer.from(assumedBundle(chain, namesakes)), port })
  if (!verdict.accepted) throw refused(verdict, question, namesakes)
  return {
    chain,
    served,
    borrowed: served.filter((certificate) => !isGiven(certificate)),
    verdict,
    warnings: lint({ ...question, anchors: [] }, verdict),
  }
}

/** Named as the issuer that is missing, and signed by another key: an authority that was renewed, or the wrong one. */
function findNamesakes({ leaf, intermediates, missingIssuer, unrelated }: Chain): X509Certificate[] {
  const { issuer } = intermediates.at(-1) ?? leaf
  return missingIssuer === undefined ? [] : unrelated.filter(({ subject }) => subject === issuer)
}

/** A host that trusts the end of the chain: its root, or the topmost certificate, made an anchor for TLS servers alone. */
function assumedBundle(
  { leaf, intermediates, root, missingIssuer, unrelated }: Chain,
  namesakes: readonly X509Certificate[],
): string {
  if (namesakes.length > 0) {
    const roots = unrelated.filter(isSelfSigned)
    return (roots.length > 0 ? roots : namesakes).map(({ raw }) => encodePem('CERTIFICATE', raw)).join('')
  }
  const top = root ?? intermediates.at(-1) ?? leaf
  const plain = encodePem('CERTIFICATE', top.raw)
  if (missingIssuer === undefined) return plain
  // a bundle needs a plain block too, and the first of two alike counts
  return encodePem('TRUSTED CERTIFICATE', Buffer.concat([top.raw, SERVER_AUTH_ONLY])) + plain
}

/** CertAux { trust { serverAuth } }. */
const SERVER_AUTH_ONLY = Buffer.from('300c300a06082b06010505070301', 'hex')
