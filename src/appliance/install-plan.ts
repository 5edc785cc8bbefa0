/**
 * What `wlb cert install` would do with the files it is given: which is the leaf, whose key fits, in which order the chain
 * goes, and what a pool would make of the result. Nothing is changed here (docs/certificate-from-an-authority.md).
 */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { WlbError } from '../error.js'
import { checkAsPool, type PoolVerdict, type ServedIdentity } from '../tls/index.js'
import {
  type Chain,
  type Contents,
  describeCertificate,
  describePlace,
  encodePem,
  exportPrivateKey,
  findPrivateKey,
  orderChain,
  type Place,
  readContainers,
  sendingOrder,
} from '../x509/index.js'
import { readCertificateFiles } from './certificate-files.js'
import { touching } from './file-failure.js'
import { isInPlace } from './identity-change.js'
import { type AppliancePaths, paths } from './paths.js'
import { readSettings } from './settings.js'
import { whatToAsk } from './what-to-ask.js'

export interface InstallRequest {
  readonly root: string
  /** In any order and any form. */
  readonly files: readonly string[]
  readonly keyFile?: string
  /** Of the key, or of a PKCS#12 file. */
  readonly passphrase?: string
  /** What pools connect to, where that is not the configured host name. */
  readonly name?: string
  readonly now: Date
}

/** Where the private key comes from. */
export type KeySource = 'given' | 'among the files' | 'made for the request' | 'in place'

export interface InstallPlan {
  /** What pools connect to. */
  readonly name: string
  readonly port: number
  readonly identity: ServedIdentity
  readonly chain: Chain
  readonly key: { readonly source: KeySource; readonly file: string; readonly wasEncrypted: boolean }
  /** Where each certificate of the chain was found, in sending order. */
  readonly places: readonly Place[]
  /** Issuers that were not given and are taken from the certificate in place. */
  readonly borrowed: readonly X509Certificate[]
  /** With the chain's own root installed, or where the root was not given, with its topmost certificate trusted. */
  readonly verdict: PoolVerdict
  /** What was odd about the files. */
  readonly notes: readonly string[]
  /** The very pair is in place already. */
  readonly isInPlace: boolean
}

/**
 * @throws NOT_SET_UP, and what reading the files throws.
 * @throws CERTIFICATE_KEY_MISMATCH when no key at hand belongs to any of the certificates.
 * @throws CHAIN_INCOMPLETE when the issuer of the leaf is not among them.
 * @throws CERTIFICATE_REFUSED when no pool would accept the result.
 */
export async function planInstallation(request: InstallRequest): Promise<InstallPlan> {
  const { root, passphrase, now } = request
  const place = paths(root)
  const { hostname, port } = await readSettings(place.settings)
  const name = request.name ?? hostname
  const contents = readContainers(await readCertificateFiles(request.files), passphrase)
  const given = contents.certificates.map(({ certificate }) => certificate)
  if (given.length === 0) throw nothingToInstall(request.files, contents)

  const candidates = await findKeys(request, place, contents)
  const fitting = candidates.find((candidate) => orderChain(given, candidate.open(), now))
  const alone = fitting && orderChain(given, fitting.open(), now)
  if (!fitting || !alone) throw keyMismatch(given, candidates)
  const inPlace = alone.missingIssuer === undefined ? [] : await readInPlace(place)
  const chain = orderChain([...given, ...inPlace], fitting.open(), now) ?? alone
  if (chain.missingIssuer !== undefined && chain.intermediates.length === 0) throw incomplete(chain)

  const served = sendingOrder(chain)
  const verdict = checkAsPool({
    presented: served,
    bundle: Buffer.from(assumedBundle(chain)),
    crls: undefined,
    name,
    port,
    now,
  })
  if (!verdict.accepted) throw refused(verdict, name)

  const identity = {
    certificatePem: served.map(({ raw }) => encodePem('CERTIFICATE', raw)).join(''),
    privateKeyPem: exportPrivateKey(fitting.open()),
  }
  const isGiven = (certificate: X509Certificate) => given.some(({ raw }) => raw.equals(certificate.raw))
  return {
    name,
    port,
    identity,
    chain: { ...chain, unrelated: chain.unrelated.filter(isGiven) },
    key: { source: fitting.source, file: fitting.file, wasEncrypted: fitting.wasEncrypted },
    places: served.map((certificate) => placeOf(certificate, contents, place)),
    borrowed: served.filter((certificate) => !isGiven(certificate)),
    verdict,
    notes: contents.notes.map(({ place: where, text }) => `${describePlace(where)}: ${text}`),
    isInPlace: await isInPlace(place, identity),
  }
}

interface KeyCandidate {
  readonly source: KeySource
  readonly file: string
  readonly wasEncrypted: boolean
  /** Opens it once. */
  open(): KeyObject
}

/** A key that was named is the only one; else those among the files, the one made for the request, the one in place. */
async function findKeys(
  { keyFile, passphrase }: InstallRequest,
  place: AppliancePaths,
  { keys }: Contents,
): Promise<KeyCandidate[]> {
  const candidate = (source: KeySource, file: string, key: ReturnType<typeof findPrivateKey>): KeyCandidate => {
    let opened: KeyObject | undefined
    return {
      source,
      file,
      wasEncrypted: key.encrypted,
      open: () => {
        opened ??= key.open(passphrase)
        return opened
      },
    }
  }
  if (keyFile !== undefined) {
    const [named] = await readCertificateFiles([keyFile])
    return named ? [candidate('given', keyFile, findPrivateKey(named.bytes, keyFile))] : []
  }
  const own: KeyCandidate[] = []
  for (const [source, file] of [
    ['made for the request', place.pendingKey],
    ['in place', place.key],
  ] as const) {
    if (!existsSync(file)) continue
    const bytes = await touching(file, () => readFile(file))
    own.push(candidate(source, file, findPrivateKey(bytes, file)))
  }
  return [...keys.map(({ key, place: { file } }) => candidate('among the files', file, key)), ...own]
}

/** The certificates the appliance serves now: on renewal the authority often sends the new leaf alone. */
async function readInPlace({ certificate }: AppliancePaths): Promise<X509Certificate[]> {
  if (!existsSync(certificate)) return []
  const bytes = await touching(certificate, () => readFile(certificate))
  try {
    return readContainers([{ file: certificate, bytes }]).certificates.map((found) => found.certificate)
  } catch {
    return [] // what cannot be read cannot help, and is about to be replaced
  }
}

/** A host that trusts the end of the chain: its root, or the topmost certificate, made an anchor for TLS servers alone. */
function assumedBundle({ leaf, intermediates, root, missingIssuer }: Chain): string {
  const top = root ?? intermediates.at(-1) ?? leaf
  const plain = encodePem('CERTIFICATE', top.raw)
  if (missingIssuer === undefined) return plain
  // a bundle needs a plain block too, and the first of two alike counts
  return encodePem('TRUSTED CERTIFICATE', Buffer.concat([top.raw, SERVER_AUTH_ONLY])) + plain
}

/** CertAux { trust { serverAuth } }. */
const SERVER_AUTH_ONLY = Buffer.from('300c300a06082b06010505070301', 'hex')

function placeOf(certificate: X509Certificate, { certificates }: Contents, place: AppliancePaths): Place {
  const found = certificates.find((one) => one.certificate.raw.equals(certificate.raw))
  return found ? found.place : { file: place.certificate }
}

const subjectOf = (certificate: X509Certificate) => describeCertificate(certificate).subject

function nothingToInstall(files: readonly string[], { requests, crls, keys }: Contents): WlbError {
  const found = [
    ...(requests.length > 0 ? ['a certificate request, which goes to the authority'] : []),
    ...(crls.length > 0 ? ['a revocation list, which goes to the pool'] : []),
    ...(keys.length > 0 ? ['a private key'] : []),
  ]
  return new WlbError(
    'CERTIFICATE_NOT_GIVEN',
    'There is no certificate in the files.',
    { files: files.join(' '), found: found.join('; ') || 'nothing' },
    'wlb cert install --help',
  )
}

function keyMismatch(certificates: readonly X509Certificate[], keys: readonly KeyCandidate[]): WlbError {
  return new WlbError(
    'CERTIFICATE_KEY_MISMATCH',
    'None of the private keys at hand belongs to any of the certificates given.',
    {
      certificates: certificates.map(subjectOf).join('; '),
      keys: keys.map(({ source, file }) => `${file} (${source})`).join('; ') || 'none',
    },
    'wlb cert request --new-key',
  )
}

function incomplete({ leaf, missingIssuer = '', unrelated }: Chain): WlbError {
  return new WlbError(
    'CHAIN_INCOMPLETE',
    'The certificate of the issuer is not among the files; without it no pool can be told to trust this one.',
    {
      leaf: subjectOf(leaf),
      askTheAuthorityFor: `the certificate of "${missingIssuer}", in PEM`,
      ...(unrelated.length > 0 && { givenAndUnrelated: unrelated.map(subjectOf).join('; ') }),
    },
    'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem',
  )
}

function refused({ obstacle, defects, reason, xapiError }: PoolVerdict, name: string): WlbError {
  const ask = [...new Set(defects.flatMap(({ code }) => whatToAsk(code) ?? []))]
  const key = obstacle === 'key' ? ['The key is not RSA: pools offer ECDHE-RSA suites only.'] : []
  const isNameAlone = key.length === 0 && defects.every(({ code }) => code === 'NAME_MISMATCH')
  return new WlbError(
    'CERTIFICATE_REFUSED',
    'No pool would accept this; nothing was changed.',
    {
      name,
      found: [...key, ...defects.map(({ message }) => message)].join(' '),
      ...(ask.length > 0 && { askTheAuthorityFor: ask.join('; ') }),
      poolWouldSay: xapiError.join(' ') || reason,
    },
    isNameAlone ? 'wlb cert install LEAF.pem INTERMEDIATE.pem ROOT.pem --name OTHER' : 'wlb cert request --new-key',
  )
}
