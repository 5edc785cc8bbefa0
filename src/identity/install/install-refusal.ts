/** Why files of an authority are not installed, and what to ask the authority for (docs/certificate-from-an-authority.md). */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import type { PoolVerdict } from '../../tls/index.js'
import { type Chain, type Contents, describeCertificate, readExtension } from '../../x509/index.js'
import type { KeyCandidate } from './install-key.js'
import { NAMESAKE, RSA_KEY, whatToAsk } from './what-to-ask.js'

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

export function nothingToInstall(files: readonly string[], { requests, crls, keys }: Contents): WlbError {
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
