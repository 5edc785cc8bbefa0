/**
 * What a pool would make of certificates before they are put in place: their order, the verdict of a host that trusts
 * the end of the chain, and an error that says what to ask the authority for (docs/certificate-from-an-authority.md).
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import type { WlbError } from '../../base/error.js'
import { checkAsPool, type PoolVerdict } from '../../tls/index.js'
import {
  type Chain,
  type Defect,
  describeCertificate,
  encodePem,
  type FileContents,
  isSelfSigned,
  lint,
  orderChain,
  readExtension,
  sendingOrder,
  type Warning,
} from '../../x509/index.js'
import { CERTIFICATE_WITH_NAME, fail } from '../errors.js'

export interface JudgedChain {
  readonly chain: Chain
  /** In sending order. */
  readonly served: readonly X509Certificate[]
  /** Issuers among them that were not given. */
  readonly borrowed: readonly X509Certificate[]
  /** With the chain's own root installed, or where the root was not given, with its topmost certificate trusted. */
  readonly verdict: PoolVerdict
  /** What will work and should not be left so. */
  readonly warnings: readonly Warning[]
}

/**
 * Orders and judges. One of `given` carries the public half of `key`; missing issuers may come from `others`.
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
  // an authority that was given and has the missing issuer's name was given to be used
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

/** Certificates with the name of the missing issuer and another key: of an authority that was renewed, or the wrong one. */
function findNamesakes({ leaf, intermediates, missingIssuer, unrelated }: Chain): X509Certificate[] {
  const { issuer } = intermediates.at(-1) ?? leaf
  return missingIssuer === undefined ? [] : unrelated.filter(({ subject }) => subject === issuer)
}

/**
 * The bundle of a host that trusts the end of the chain: its root, or the topmost certificate as an anchor for TLS
 * servers only.
 */
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
  // a bundle needs a plain block too, and of two blocks for one certificate the first counts
  return encodePem('TRUSTED CERTIFICATE', Buffer.concat([top.raw, SERVER_AUTH_ONLY])) + plain
}

/** CertAux { trust { serverAuth } }. */
const SERVER_AUTH_ONLY = Buffer.from('300c300a06082b06010505070301', 'hex')

function incomplete({ leaf, missingIssuer = '', unrelated }: Chain): WlbError {
  return fail('CHAIN_INCOMPLETE', {
    leaf: subjectOf(leaf),
    askTheAuthorityFor: `the certificate of "${missingIssuer}", in PEM`,
    orFetchItFrom: /CA Issuers - URI:(\S+)/.exec(readExtension(leaf, () => leaf.infoAccess) ?? '')?.[1],
    givenAndUnrelated: unrelated.length > 0 ? listShort(unrelated.map(subjectOf)) : undefined,
  })
}

/** Facts in the order in which a pool finds the defects. */
function refused(
  { obstacles, defects, reason, xapiError }: PoolVerdict,
  { name, now }: { readonly name: string; readonly now: Date },
  namesakes: readonly X509Certificate[],
): WlbError {
  const found = [
    ...obstacles.map(({ message }) => message),
    ...namesakes.map((one) => `${subjectOf(one)} has the name of the issuer, and not its key.`),
    ...defects.map(({ message }) => message),
  ]
  const ask = [
    ...(obstacles.some(({ code }) => code === 'KEY_NOT_RSA') ? [RSA_KEY] : []),
    ...(namesakes.length > 0 ? [BY_OTHER_KEY] : []),
    ...defects.flatMap((defect) => whatToAsk(defect) ?? []),
  ]
  return fail('CERTIFICATE_REFUSED', {
    ...numbered('found', found),
    ...numbered('askTheAuthorityFor', [...new Set(ask)]),
    name,
    clock: defects.some(({ code }) => code === 'NOT_YET_VALID') ? now.toISOString() : undefined,
    poolWouldSay: xapiError.join(' ') || reason,
  })
}

/** `found`, `found2`, `found3`: facts are flat, and each is a line. */
function numbered(name: string, texts: readonly string[]): Record<string, string> {
  const shown = texts.slice(0, SHOWN).map((text, index) => [index === 0 ? name : `${name}${index + 1}`, text])
  return Object.fromEntries(shown)
}

/** How many entries of a list an error shows. */
const SHOWN = 8

function listShort(words: readonly string[]): string {
  const rest = words.length - SHOWN
  return [...words.slice(0, SHOWN), ...(rest > 0 ? [`${rest} more`] : [])].join('; ')
}

function subjectOf(certificate: X509Certificate): string {
  return describeCertificate(certificate).subject || '(no name)'
}

export function nothingToInstall(files: readonly string[], { requests, crls, keys }: FileContents): WlbError {
  const found = [
    ...(requests.length > 0 ? ['a certificate request, which goes to the authority'] : []),
    ...(crls.length > 0 ? ['a revocation list, which goes to the pool'] : []),
    ...(keys.length > 0 ? ['a private key'] : []),
  ]
  return fail('CERTIFICATE_NOT_GIVEN', { files: listShort(files), found: found.join('; ') || 'nothing' })
}

/** No key at hand belongs to one of `certificates`. */
export function noKeyFits(
  certificates: readonly X509Certificate[],
  keys: readonly { readonly source: string; readonly file: string }[],
): WlbError {
  const former = keys.filter(({ source }) => source === 'in the history').length
  const tried = [
    ...keys.filter(({ source }) => source !== 'in the history').map(({ source, file }) => `${file} (${source})`),
    ...(former > 0 ? [`${former} in the history`] : []),
  ]
  return fail('CERTIFICATE_KEY_MISMATCH', {
    certificates: listShort(certificates.map(subjectOf)),
    keys: listShort(tried) || 'none',
  })
}

export function leafNotGiven(authorities: readonly X509Certificate[]): WlbError {
  return fail('LEAF_NOT_GIVEN', { given: listShort(authorities.map(subjectOf)) })
}

const CURRENT = 'a certificate that is valid now, for the same request'
const BY_OTHER_KEY =
  'the certificate of the very authority that signed this: what was given has its name and another key'
const RSA_KEY = 'a certificate for a new request with an RSA key: wlb cert request --new-key makes one'
const SERVER =
  'a certificate for a TLS server: extended key usage serverAuth, key usage digitalSignature and keyEncipherment'
const UNCONSTRAINED = 'a certificate from an authority that may vouch for this name'
const STRONG = 'a chain with RSA keys of 2048 bits or more, signed with SHA-256 or better'

const ASK: Partial<Record<Defect['code'], string>> = {
  EXPIRED: CURRENT,
  NOT_YET_VALID: `${CURRENT}; first check the clock of this machine`,
  NOT_BEFORE_MALFORMED: CURRENT,
  NOT_AFTER_MALFORMED: CURRENT,
  ISSUER_MISSING: 'the certificate of the issuer named here, in PEM',
  ROOT_MISSING: 'the root certificate, in PEM',
  SIGNATURE_WRONG: BY_OTHER_KEY,
  PURPOSE_UNSUITABLE: SERVER,
  AUTHORITY_INVALID: 'the certificate of a real authority: basicConstraints CA:TRUE, key usage keyCertSign',
  PATH_TOO_LONG: 'a certificate issued closer to the root: an authority above allows fewer authorities below it',
  CRITICAL_EXTENSION_UNKNOWN: 'a certificate without that critical extension',
  PROXY_NOT_ALLOWED: SERVER,
  NAME_MISMATCH: CERTIFICATE_WITH_NAME,
  NAME_NOT_PERMITTED: UNCONSTRAINED,
  NAME_EXCLUDED: UNCONSTRAINED,
  LEAF_KEY_TOO_WEAK:
    'a certificate for a new request: wlb cert request --new-key makes one with a key that is long enough',
  AUTHORITY_KEY_TOO_WEAK: STRONG,
  DIGEST_TOO_WEAK: STRONG,
  CURVE_EXPLICIT: STRONG,
}

/** What to ask the authority for; undefined for defects that it cannot cure. */
function whatToAsk({ code, depth, certificate }: Defect): string | undefined {
  const isDated = ASK[code] === CURRENT && depth > 0
  return isDated ? `the current certificate of "${describeCertificate(certificate).subject}"` : ASK[code]
}
