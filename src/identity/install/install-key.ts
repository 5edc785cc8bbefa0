/** Finds the private key of a certificate: one that was given, one that waits for its certificate, the one in place, or one from before. */
import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/files/limited-file.js'
import type { AppliancePaths } from '../../config/index.js'
import { type FileContents, findPrivateKey, type SealedKey } from '../../x509/index.js'
import { KEY_FILE, readPair } from '../store/identity-files.js'
import { identityId, listRecords } from '../store/identity-history.js'
import { readCertificateFiles } from './certificate-files.js'
import { noKeyFits } from './install-judgement.js'

/** Where the private key comes from. */
export type KeySource = 'given' | 'among the files' | 'made for the request' | 'in place' | 'in the history'

export interface KeyCandidate {
  readonly source: KeySource
  readonly file: string
  readonly wasEncrypted: boolean
  /** Its file is a PKCS#12. */
  readonly isInPkcs12: boolean
  /** Opens it once. */
  open(): KeyObject
}

/** The options that name a key, of a command that installs a certificate. */
export interface GivenKey {
  readonly keyFile?: string | undefined
  /** Of the key, or of a PKCS#12 file. */
  readonly passphrase?: string | undefined
  /** Called before a file is opened that takes more than a moment of work. */
  readonly onSlow?: ((file: string) => void) | undefined
}

/**
 * The keys an operator gave: the one that was named, or else those among the files.
 *
 * @throws KEY_MISSING, PEM_MALFORMED and what `readLimitedFile` throws, for a key that was named.
 */
export async function findGivenKeys(
  { keys }: FileContents,
  { keyFile, passphrase }: GivenKey,
): Promise<KeyCandidate[]> {
  if (keyFile !== undefined) {
    const named = await readCertificateFiles([keyFile])
    return named.map(({ bytes }) => candidate('given', keyFile, findPrivateKey(bytes, keyFile), passphrase))
  }
  const among = keys.map(({ key, place: { file, part } }) =>
    candidate('among the files', file, key, passphrase, part?.startsWith('PKCS#12')),
  )
  // the same key is often given with and without its passphrase
  return [...among.filter((key) => !key.wasEncrypted), ...among.filter((key) => key.wasEncrypted)]
}

/**
 * The keys to be tried, in this order: a key that was named is the only one; else those among the files, those that wait
 * for a certificate, the one in place, those that were in place before.
 *
 * @throws as `findGivenKeys`.
 */
export async function findKeys(
  place: AppliancePaths,
  contents: FileContents,
  given: GivenKey,
): Promise<KeyCandidate[]> {
  const candidates = await findGivenKeys(contents, given)
  if (given.keyFile !== undefined) return candidates
  for (const file of await listPendingKeys(place)) {
    const key = await findOwnKey(file)
    if (key) candidates.push(candidate('made for the request', file, key, given.passphrase))
  }
  const inPlace = await findOwnKey(place.key)
  if (inPlace) candidates.push(candidate('in place', place.key, inPlace, given.passphrase))
  for (const file of await listFormerKeys(place)) {
    const key = await findOwnKey(file)
    if (key) candidates.push(candidate('in the history', file, key, given.passphrase))
  }
  return candidates
}

function candidate(
  source: KeySource,
  file: string,
  key: SealedKey,
  passphrase: string | undefined,
  isInPkcs12 = false,
): KeyCandidate {
  let opened: KeyObject | undefined
  const open = () => {
    opened ??= key.open(passphrase)
    return opened
  }
  return { source, file, wasEncrypted: key.encrypted, isInPkcs12, open }
}

/** The key that waits for its certificate, and those that waited before it, whose certificates may still arrive. */
export async function listPendingKeys({ pendingKey, certificateFolder }: AppliancePaths): Promise<string[]> {
  if (!existsSync(certificateFolder)) return []
  const name = basename(pendingKey)
  const names = (await readdir(certificateFolder)).filter((one) => one === name || one.startsWith(`${name}_orig`))
  return names.sort().map((one) => join(certificateFolder, one))
}

/** Of the pairs that were in place before, the newest first. */
async function listFormerKeys(place: AppliancePaths): Promise<string[]> {
  const inPlace = identityId(await readPair(place))
  const former = (await listRecords(place.identities)).filter(({ id }) => id !== inPlace)
  return former.reverse().map(({ id }) => join(place.identities, id, KEY_FILE))
}

/** Undefined for a file that holds no key, which is no reason to refuse the other keys. */
async function findOwnKey(file: string): Promise<SealedKey | undefined> {
  if (!existsSync(file)) return undefined
  const bytes = await readLimitedFile(file)
  try {
    return findPrivateKey(bytes, file)
  } catch (error) {
    if (error instanceof WlbError) return undefined
    throw error
  }
}

/**
 * The first key whose public half one of the certificates carries; undefined when there is none.
 *
 * @throws what opening it throws, where that key was given, or where it might have been the one.
 */
export function chooseKey(
  candidates: readonly KeyCandidate[],
  certificates: readonly X509Certificate[],
): KeyCandidate | undefined {
  const known = new Set(certificates.map(publicHalf))
  let locked: unknown
  for (const candidate of candidates) {
    try {
      if (known.has(spki(createPublicKey(candidate.open())))) return candidate
    } catch (error) {
      const isOwn = candidate.source !== 'given' && candidate.source !== 'among the files'
      if (!isOwn) throw error
      if (error instanceof WlbError && error.code.startsWith('KEY_PASSPHRASE')) locked ??= error
    }
  }
  if (locked) throw locked
  return undefined
}

/** @throws CERTIFICATE_KEY_MISMATCH when none of the keys belongs to one of the certificates, and as `chooseKey`. */
export function requireKey(
  candidates: readonly KeyCandidate[],
  certificates: readonly X509Certificate[],
): KeyCandidate {
  const key = chooseKey(candidates, certificates)
  if (!key) throw noKeyFits(certificates, candidates)
  return key
}

function publicHalf(certificate: X509Certificate): string {
  try {
    return spki(certificate.publicKey)
  } catch {
    return '' // a kind of key that OpenSSL does not know
  }
}

function spki(key: KeyObject): string {
  return key.export({ type: 'spki', format: 'der' }).toString('latin1')
}
