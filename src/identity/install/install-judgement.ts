/**
 * What a pool would make of certificates before they are put in place: their order, the verdict of a host that trusts the
 * end of the chain, and a refusal that says what to ask the authority for (docs/certificate-from-an-authority.md).
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
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
import type { KeyCandidate } from './install-key.js'

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

const subjectOf = (certificate: X509Certificate) => describeCertificate(certificate).subject || '(no name)'

/** As many of a list as an error can show. */
const SHOWN = 8

function list(words: readonly string[]): string {
  const rest = words.length - SHOWN
  return [...words.slice(0, SHOWN), ...(rest > 0 ? [`${rest} more`] : [])].join('; ')
}

/** `found`, `found2`, `found3`: facts are flat, and each is a line. */
function numbered(name: string, texts: readonly string[]): Record<string, string> {
  const shown = texts.slice(0, SHOWN).map((text, index) => [index === 0 ? name : `${name}${index + 1}`, text])
  return Object.fromEntries(shown)
}

export function nothingToInstall(files: readonly string[], { requests, crls, keys }: FileContents): WlbError {
  const found = [
    ...(requests.length > 0 ? ['a certificate request, which goes to the authority'] : []),
    ...(crls.length > 0 ? ['a revocation list, which goes to the pool'] : []),
    ...(keys.length > 0 ? ['a private key'] : []),
  ]
  return new WlbError(
    'CERTIFICATE_NOT_GIVEN',
    'There is no certificate in the files.',
    { files: list(files), found: found.join('; ') || 'nothing' },
    'wlb cert install --help',
  )
}

export function leafNotGiven(certificates: readonly X509Certificate[]): WlbError {
  return new WlbError(
    'LEAF_NOT_GIVEN',
    'Only certificates of authorities are in the files; the one that was signed for this appliance is missing.',
    { given: list(certificates.map(subjectOf)) },
    'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem',
  )
}

export function keyMismatch(certificates: readonly X509Certificate[], keys: readonly KeyCandidate[]): WlbError {
  return new WlbError(
    'CERTIFICATE_KEY_MISMATCH',
    'None of the private keys at hand belongs to any of the certificates given.',
    {
      certificates: list(certificates.map(subjectOf)),
      keys: list(keys.map(({ source, file }) => `${file} (${source})`)) || 'none',
    },
    'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem --key KEY.pem',
  )
}

export function incomplete({ leaf, missingIssuer = '', unrelated }: Chain): WlbError {
  const published = /CA Issuers - URI:(\S+)/.exec(readExtension(leaf, () => leaf.infoAccess) ?? '')?.[1]
  return new WlbError(
    'CHAIN_INCOMPLETE',
    'The certificate of the issuer is not among the files; without it no pool can be told to trust this one.',
    {
      leaf: subjectOf(leaf),
      askTheAuthorityFor: `the certificate of "${missingIssuer}", in PEM`,
      ...(published !== undefined && { orFetchItFrom: published }),
      ...(unrelated.length > 0 && { givenAndUnrelated: list(unrelated.map(subjectOf)) }),
    },
    'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem',
  )
}

/** What is wrong comes first, in the order a pool meets it. `namesakes` have the issuer's name and another key. */
export function refused(
  { obstacles, defects, reason, xapiError }: PoolVerdict,
  { name, now }: { readonly name: string; readonly now: Date },
  namesakes: readonly X509Certificate[],
): WlbError {
  const isKeyWrong = obstacles.some(({ code }) => code === 'KEY_NOT_RSA')
  const found = [
    ...obstacles.map(({ message }) => message),
    ...namesakes.map((one) => `${subjectOf(one)} has the name of the issuer, and not its key.`),
    ...defects.map(({ message }) => message),
  ]
  const ask = [
    ...(isKeyWrong ? [RSA_KEY] : []),
    ...(namesakes.length > 0 ? [NAMESAKE] : []),
    ...defects.flatMap((defect) => whatToAsk(defect) ?? []),
  ]
  return new WlbError(
    'CERTIFICATE_REFUSED',
    'No pool would accept this; nothing was changed.',
    {
      ...numbered('found', found),
      ...numbered('askTheAuthorityFor', [...new Set(ask)]),
      name,
      ...(defects.some(({ code }) => code === 'NOT_YET_VALID') && { clock: now.toISOString() }),
      poolWouldSay: xapiError.join(' ') || reason,
    },
    whatToType(isKeyWrong ? ['LEAF_KEY_TOO_WEAK'] : defects.map(({ code }) => code)),
  )
}

function whatToType(codes: readonly string[]): string {
  if (codes.includes('LEAF_KEY_TOO_WEAK')) return 'wlb cert request --new-key'
  const isNameAlone = codes.every((code) => code === 'NAME_MISMATCH')
  return `wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem${isNameAlone ? ' --name OTHER' : ''}`
}

type Code = Defect['code']

const CURRENT = 'a certificate that is valid now, for the same request'
const BY_OTHER_KEY =
  'the certificate of the very authority that signed this: what was given has its name and another key'
/** For an authority that was given, has the right name, and did not sign. */
export const NAMESAKE = BY_OTHER_KEY
export const RSA_KEY = 'a certificate for a new request with an RSA key: wlb cert request --new-key makes one'
const SERVER =
  'a certificate for a TLS server: extended key usage serverAuth, key usage digitalSignature and keyEncipherment'
const UNCONSTRAINED = 'a certificate from an authority that may vouch for this name'
const STRONG = 'a chain with RSA keys of 2048 bits or more, signed with SHA-256 or better'

const ASK: Partial<Record<Code, string>> = {
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
  NAME_MISMATCH: 'a certificate that names this host name as a dNSName (subject alternative name)',
  NAME_NOT_PERMITTED: UNCONSTRAINED,
  NAME_EXCLUDED: UNCONSTRAINED,
  LEAF_KEY_TOO_WEAK:
    'a certificate for a new request: wlb cert request --new-key makes one with a key that is long enough',
  AUTHORITY_KEY_TOO_WEAK: STRONG,
  DIGEST_TOO_WEAK: STRONG,
  CURVE_EXPLICIT: STRONG,
}

/** A request in an operator's words; defects for which no authority can help get none. */
export function whatToAsk({ code, depth, certificate }: Defect): string | undefined {
  const isDated = ASK[code] === CURRENT && depth > 0
  return isDated ? `the current certificate of "${describeCertificate(certificate).subject}"` : ASK[code]
}
