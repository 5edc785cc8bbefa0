/**
 * What installing an authority's files would do: which certificate is the leaf, whose key fits, in which order the
 * chain goes, what a pool would make of the result, and the steps. Nothing is changed here
 * (docs/certificate-from-an-authority.md).
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import { paths, readSettings } from '../../config/index.js'
import type { ServedIdentity } from '../../tls/index.js'
import {
  checkHost,
  describePlace,
  encodePem,
  exportPrivateKey,
  type FileContents,
  type NamedBytes,
  orderChain,
  readContainers,
} from '../../x509/index.js'
import { askAboutPools } from '../appliance-status.js'
import { isInPlace } from '../store/identity-change.js'
import { type CertificateSource, locate, mergeCommand, readCertificateFiles } from './certificate-files.js'
import { type JudgedChain, judgeChain, leafNotGiven, noKeyFits, nothingToInstall } from './install-judgement.js'
import { chooseKey, findKeys, type GivenKey, type KeyCandidate } from './install-key.js'
import { type InstallKey, type InstallStep, installSteps } from './install-steps.js'

/** What was given for one appliance, on this machine or another. */
export interface InstallQuestion extends GivenKey {
  /** In any order and any form. */
  readonly files: readonly string[]
  /** What pools connect to. */
  readonly name: string
  readonly port: number
  readonly now: Date
}

/** The certificates and the key that would be put in place. */
export interface JudgedFiles extends JudgedChain {
  readonly name: string
  readonly port: number
  readonly identity: ServedIdentity
  readonly key: InstallKey
  /** Where each certificate of the chain was found, in sending order. */
  readonly sources: readonly CertificateSource[]
  /** Makes `server.pem` of them by hand. */
  readonly mergeCommand: string
  /** What was unusual about the files. */
  readonly notes: readonly string[]
}

export interface InstallPlan extends JudgedFiles {
  /** Names that pools connect to, as far as the running appliance knows, and the leaf does not carry. */
  readonly addressesNotNamed: readonly string[]
  /** This pair is in place already, and over SSH it is served too. */
  readonly isInPlace: boolean
  /** None where it is in place. */
  readonly steps: readonly InstallStep[]
}

/** What the place of installation adds to the given files. */
export interface InstallPlace {
  /** The keys that may be used, in the order in which they are tried. */
  findKeys(contents: FileContents): Promise<readonly KeyCandidate[]>
  /**
   * The certificate file in place; undefined where there is none. Read where an issuer was not given: on renewal the
   * authority often sends the leaf alone.
   */
  readInPlace(): Promise<NamedBytes | undefined>
}

/**
 * @throws what reading the files and opening the keys throws.
 * @throws CERTIFICATE_NOT_GIVEN, LEAF_NOT_GIVEN when the files do not hold one that is for an appliance.
 * @throws CERTIFICATE_KEY_MISMATCH when no key at hand belongs to any of the certificates.
 * @throws CHAIN_INCOMPLETE when the issuer of the leaf is not among them.
 * @throws CERTIFICATE_REFUSED when no pool would accept the result.
 */
export async function judgeFiles(question: InstallQuestion, place: InstallPlace): Promise<JudgedFiles> {
  const { passphrase, onSlow, name, port, now } = question
  const files = await readCertificateFiles(question.files)
  const contents = readContainers(files, passphrase, onSlow)
  const given = contents.certificates.map(({ certificate }) => certificate)
  if (given.length === 0) throw nothingToInstall(question.files, contents)

  const candidates = await place.findKeys(contents)
  const key = chooseKey(candidates, given)
  const alone = key && orderChain(given, key.open(), now)
  if (!key || !alone) throw given.every(({ ca }) => ca) ? leafNotGiven(given) : noKeyFits(given, candidates)
  const inPlace = alone.missingIssuer === undefined ? undefined : await place.readInPlace()
  const own = readIfPossible(inPlace)
  const others = own.map(({ certificate }) => certificate)
  const judged = judgeChain(given, others, { key: key.open(), name, port, now })

  const located = { ...contents, certificates: [...contents.certificates, ...own] }
  const everyFile = inPlace ? [...files, inPlace] : files
  const sources = judged.served.map((certificate) => locate(placeOf(certificate, located), located, everyFile))
  const { source, file, wasEncrypted, isInPkcs12 } = key
  const isAmongOthers = contents.certificates.some((one) => one.place.file === file)
  return {
    ...judged,
    name,
    port,
    identity: {
      certificatePem: judged.served.map(({ raw }) => encodePem('CERTIFICATE', raw)).join(''),
      privateKeyPem: exportPrivateKey(key.open()),
    },
    key: { source, file, wasEncrypted, isInPkcs12, isAmongOthers },
    sources,
    mergeCommand: mergeCommand(sources, located, everyFile),
    notes: contents.notes.map(({ place: where, text }) => `${describePlace(where)}: ${text}`),
  }
}

/** None from a file that cannot be parsed: it is about to be replaced. */
function readIfPossible(file: NamedBytes | undefined): FileContents['certificates'] {
  try {
    return file ? readContainers([file]).certificates : []
  } catch (error) {
    if (error instanceof WlbError) return []
    throw error
  }
}

function placeOf(certificate: X509Certificate, { certificates }: Pick<FileContents, 'certificates'>) {
  const found = certificates.find((one) => one.certificate.raw.equals(certificate.raw))
  if (!found) throw new Error('a certificate of the chain is in none of the files it was made from')
  return found.place
}

export interface InstallRequest extends GivenKey {
  readonly root: string
  /** In any order and any form. */
  readonly files: readonly string[]
  /** What pools connect to, where that is not the configured host name. */
  readonly name?: string | undefined
  readonly now: Date
}

/**
 * The plan for the appliance on this machine.
 *
 * @throws NOT_SET_UP, and what `judgeFiles` throws.
 */
export async function planInstallation(request: InstallRequest): Promise<InstallPlan> {
  const { root } = request
  const place = paths(root)
  const { hostname, port } = await readSettings(place.settings)
  const judged = await judgeFiles(
    { ...request, name: request.name ?? hostname, port },
    {
      findKeys: (contents) => findKeys(place, contents, request),
      readInPlace: async () => {
        const file = place.certificate
        return existsSync(file) ? { file, bytes: await readLimitedFile(file) } : undefined
      },
    },
  )
  const used = (await askAboutPools(root))?.addressesUsed ?? []
  const isAlready = await isInPlace(place, judged.identity)
  return {
    ...judged,
    addressesNotNamed: used.filter((address) => !checkHost(judged.chain.leaf, address)),
    isInPlace: isAlready,
    steps: isAlready ? [] : installSteps(root, judged),
  }
}
