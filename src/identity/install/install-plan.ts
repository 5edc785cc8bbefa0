/**
 * What `wlb cert install` would do with the files it is given: which is the leaf, whose key fits, in which order the chain
 * goes, and what a pool would make of the result. Nothing is changed here (docs/certificate-from-an-authority.md).
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/limited-file.js'
import { type AppliancePaths, paths } from '../../config/paths.js'
import { readSettings } from '../../config/settings.js'
import type { PoolVerdict, ServedIdentity } from '../../tls/index.js'
import {
  type Chain,
  checkHost,
  describePlace,
  encodePem,
  exportPrivateKey,
  type FileContents,
  type NamedBytes,
  orderChain,
  readContainers,
  type Warning,
} from '../../x509/index.js'
import { askAboutPools } from '../appliance-status.js'
import { isInPlace } from '../store/identity-change.js'
import { type CertificateSource, locate, mergeCommand, readCertificateFiles } from './certificate-files.js'
import { judgeChain, keyMismatch, leafNotGiven, nothingToInstall } from './install-judgement.js'
import { chooseKey, findKeys, type KeyCandidate, type KeySource } from './install-key.js'

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

export interface InstallPlan {
  /** What pools connect to. */
  readonly name: string
  readonly port: number
  readonly identity: ServedIdentity
  readonly chain: Chain
  readonly key: {
    readonly source: KeySource
    readonly file: string
    readonly wasEncrypted: boolean
    readonly isInPkcs12: boolean
    /** Certificates are in its file too. */
    readonly isAmongOthers: boolean
  }
  /** Where each certificate of the chain was found, in sending order. */
  readonly sources: readonly CertificateSource[]
  /** Makes `server.pem` of them by hand. */
  readonly mergeCommand: string
  /** Issuers that were not given and are taken from the certificate in place. */
  readonly borrowed: readonly X509Certificate[]
  /** With the chain's own root installed, or where the root was not given, with its topmost certificate trusted. */
  readonly verdict: PoolVerdict
  /** What will work and should not be left so. */
  readonly warnings: readonly Warning[]
  /** What was odd about the files. */
  readonly notes: readonly string[]
  /** What pools connect to, as far as the running appliance knows, and this certificate does not speak for. */
  readonly addressesNotNamed: readonly string[]
  /** The very pair is in place already. */
  readonly isInPlace: boolean
}

/**
 * @throws NOT_SET_UP, and what reading the files and opening the keys throws.
 * @throws CERTIFICATE_NOT_GIVEN, LEAF_NOT_GIVEN when the files do not hold one that is for an appliance.
 * @throws CERTIFICATE_KEY_MISMATCH when no key at hand belongs to any of the certificates.
 * @throws CHAIN_INCOMPLETE when the issuer of the leaf is not among them.
 * @throws CERTIFICATE_REFUSED when no pool would accept the result.
 */
export async function planInstallation(request: InstallRequest): Promise<InstallPlan> {
  const { root, passphrase, now } = request
  const place = paths(root)
  const { hostname, port } = await readSettings(place.settings)
  const name = request.name ?? hostname
  const files = await readCertificateFiles(request.files)
  const contents = readContainers(files, passphrase)
  const given = contents.certificates.map(({ certificate }) => certificate)
  if (given.length === 0) throw nothingToInstall(request.files, contents)

  const candidates = await findKeys(place, contents, request)
  const key = chooseKey(candidates, given)
  const alone = key && orderChain(given, key.open(), now)
  if (!key || !alone) throw given.every(({ ca }) => ca) ? leafNotGiven(given) : keyMismatch(given, candidates)
  const inPlace = alone.missingIssuer === undefined ? NOTHING : await readInPlace(place)
  const borrowed = inPlace.certificates.map(({ certificate }) => certificate)
  const judged = judgeChain(given, borrowed, { key: key.open(), name, port, now })
  const { chain, served, verdict, warnings } = judged

  const identity = {
    certificatePem: served.map(({ raw }) => encodePem('CERTIFICATE', raw)).join(''),
    privateKeyPem: exportPrivateKey(key.open()),
  }
  const located = { ...contents, certificates: [...contents.certificates, ...inPlace.certificates] }
  const everyFile = [...files, ...inPlace.files]
  const sources = served.map((certificate) => locate(placeOf(certificate, located), located, everyFile))
  return {
    name,
    port,
    identity,
    chain,
    key: describeKey(key, contents),
    sources,
    mergeCommand: mergeCommand(sources, located, everyFile),
    borrowed: judged.borrowed,
    verdict,
    warnings,
    notes: contents.notes.map(({ place: where, text }) => `${describePlace(where)}: ${text}`),
    addressesNotNamed: (await askAboutPools(root))?.addressesUsed.filter((used) => !checkHost(chain.leaf, used)) ?? [],
    isInPlace: await isInPlace(place, identity),
  }
}

interface InPlace {
  readonly certificates: FileContents['certificates']
  readonly files: readonly NamedBytes[]
}

const NOTHING: InPlace = { certificates: [], files: [] }

/** The certificates the appliance serves now: on renewal the authority often sends the new leaf alone. */
async function readInPlace({ certificate }: AppliancePaths): Promise<InPlace> {
  if (!existsSync(certificate)) return NOTHING
  const files = [{ file: certificate, bytes: await readLimitedFile(certificate) }]
  try {
    return { certificates: readContainers(files).certificates, files }
  } catch (error) {
    if (error instanceof WlbError) return NOTHING // what cannot be read cannot help, and is about to be replaced
    throw error
  }
}

function placeOf(certificate: X509Certificate, { certificates }: Pick<FileContents, 'certificates'>) {
  const found = certificates.find((one) => one.certificate.raw.equals(certificate.raw))
  if (!found) throw new Error('a certificate of the chain is in none of the files it was made from')
  return found.place
}

function describeKey({ source, file, wasEncrypted, isInPkcs12 }: KeyCandidate, { certificates }: FileContents) {
  const isAmongOthers = certificates.some(({ place }) => place.file === file)
  return { source, file, wasEncrypted, isInPkcs12, isAmongOthers }
}
