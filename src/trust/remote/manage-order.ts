/** What an authority has sent for an appliance elsewhere: its chain in order, its key, and what a pool would say, before anything is touched. */
import { createPublicKey, type X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/limited-file.js'
import { readCertificateFiles } from '../../identity/install/certificate-files.js'
import {
  type JudgedChain,
  judgeChain,
  keyMismatch,
  leafNotGiven,
  nothingToInstall,
} from '../../identity/install/install-judgement.js'
import { chooseKey, type KeyCandidate } from '../../identity/install/install-key.js'
import type { ServedIdentity } from '../../tls/index.js'
import {
  encodePem,
  exportPrivateKey,
  type FileContents,
  findPrivateKey,
  readContainers,
  type SealedKey,
} from '../../x509/index.js'

export interface ManagedIdentity extends JudgedChain {
  readonly identity: ServedIdentity
  readonly keyFile: string
}

/**
 * Reads and judges the files. The key is one that was named or came along: the appliance's own never leaves it. Issuers that
 * were not given may be among `inPlace`.
 *
 * @throws CERTIFICATE_NOT_GIVEN, LEAF_NOT_GIVEN, CERTIFICATE_KEY_MISMATCH, USAGE_NEEDS_KEY, and what `judgeChain` and reading the
 * files throw.
 */
export async function readManagedIdentity({
  files,
  keyFile,
  passphrase,
  inPlace,
  ...question
}: {
  readonly files: readonly string[]
  readonly keyFile: string | undefined
  readonly passphrase: string | undefined
  readonly inPlace: readonly X509Certificate[]
  readonly name: string
  readonly port: number
  readonly now: Date
}): Promise<ManagedIdentity> {
  const contents = readContainers(await readCertificateFiles(files), passphrase)
  const given = contents.certificates.map(({ certificate }) => certificate)
  if (given.length === 0) throw nothingToInstall(files, contents)
  const candidates = await findGivenKeys(contents, keyFile, passphrase)
  const key = chooseKey(candidates, given)
  if (!key || !given.some((one) => isFor(one, key))) {
    throw given.every(({ ca }) => ca) ? leafNotGiven(given) : keyMismatch(given, candidates)
  }
  const judged = judgeChain(given, inPlace, { ...question, key: key.open() })
  const certificatePem = judged.served.map(({ raw }) => encodePem('CERTIFICATE', raw)).join('')
  return { ...judged, identity: { certificatePem, privateKeyPem: exportPrivateKey(key.open()) }, keyFile: key.file }
}

/**
 * The key alone, where the certificates were judged before.
 *
 * @throws CERTIFICATE_KEY_MISMATCH, USAGE_NEEDS_KEY, and what reading the files throws.
 */
export async function readManagedKey(
  {
    files,
    keyFile,
    passphrase,
  }: {
    readonly files: readonly string[]
    readonly keyFile: string | undefined
    readonly passphrase: string | undefined
  },
  leaf: X509Certificate,
): Promise<string> {
  // what is given beside a key that was named is not asked for it
  const contents = readContainers(await readCertificateFiles(keyFile === undefined ? files : []), passphrase)
  const candidates = await findGivenKeys(contents, keyFile, passphrase)
  const key = chooseKey(candidates, [leaf])
  if (!key || !isFor(leaf, key)) throw keyMismatch([leaf], candidates)
  return exportPrivateKey(key.open())
}

async function findGivenKeys({ keys }: FileContents, keyFile: string | undefined, passphrase: string | undefined) {
  const candidates =
    keyFile === undefined
      ? keys.map(({ key, place }) => candidate(place.file, key, passphrase))
      : [candidate(keyFile, findPrivateKey(await readLimitedFile(keyFile), keyFile), passphrase)]
  if (candidates.length === 0) throw needsKey()
  return candidates
}

function candidate(file: string, key: SealedKey, passphrase: string | undefined): KeyCandidate {
  const open = () => key.open(passphrase)
  return { source: 'given', file, wasEncrypted: key.encrypted, isInPkcs12: false, open }
}

function isFor(certificate: X509Certificate, key: KeyCandidate): boolean {
  return certificate.publicKey.equals(createPublicKey(key.open()))
}

function needsKey(): WlbError {
  return new WlbError(
    'USAGE_NEEDS_KEY',
    'The private key has to be given: the one on the appliance is not read.',
    { missing: '--key' },
    'wlb trust install USER@HOST FILES --key FILE',
  )
}
