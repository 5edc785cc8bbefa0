/** Which private key belongs to what an authority has sent: one that was named or came along, one that waits, the one in place. */
import { createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { readLimitedFile } from '../../base/limited-file.js'
import type { AppliancePaths } from '../../config/paths.js'
import { type FileContents, findPrivateKey, type SealedKey } from '../../x509/index.js'
import { readCertificateFiles } from './certificate-files.js'

/** Where the private key comes from. */
export type KeySource = 'given' | 'among the files' | 'made for the request' | 'in place'

export interface KeyCandidate {
  readonly source: KeySource
  readonly file: string
  readonly wasEncrypted: boolean
  /** Tells whether its file is a PKCS#12. */
  readonly isInPkcs12: boolean
  /** Opens it once. */
  open(): KeyObject
}

/**
 * The keys to be tried, in this order: a key that was named is the only one; else those among the files, those that wait
 * for a certificate, the one in place.
 *
 * @throws KEY_MISSING, PEM_MALFORMED and what `readLimitedFile` throws, for a key that was named.
 */
export async function findKeys(
  place: AppliancePaths,
  { keys }: FileContents,
  { keyFile, passphrase }: { readonly keyFile?: string; readonly passphrase?: string },
): Promise<KeyCandidate[]> {
  const candidate = (source: KeySource, file: string, key: SealedKey, isInPkcs12 = false): KeyCandidate => {
    let opened: KeyObject | undefined
    const open = () => {
      opened ??= key.open(passphrase)
      return opened
    }
    return { source, file, wasEncrypted: key.encrypted, isInPkcs12, open }
  }
  if (keyFile !== undefined) {
    const named = await readCertificateFiles([keyFile])
    return named.map(({ bytes }) => candidate('given', keyFile, findPrivateKey(bytes, keyFile)))
  }
  const given = keys.map(({ key, place: { file, part } }) =>
    candidate('among the files', file, key, part?.startsWith('PKCS#12')),
  )
  const own: KeyCandidate[] = []
  for (const file of await listPendingKeys(place)) {
    const key = await findOwnKey(file)
    if (key) own.push(candidate('made for the request', file, key))
  }
  const inPlace = await findOwnKey(place.key)
  if (inPlace) own.push(candidate('in place', place.key, inPlace))
  // with and without its passphrase, a key is often given twice
  return [...given.filter((key) => !key.wasEncrypted), ...given.filter((key) => key.wasEncrypted), ...own]
}

/** The key that waits for its certificate, and those that waited before it: theirs may still arrive. */
export async function listPendingKeys({ pendingKey, certificateFolder }: AppliancePaths): Promise<string[]> {
  if (!existsSync(certificateFolder)) return []
  const name = basename(pendingKey)
  const names = (await readdir(certificateFolder)).filter((one) => one === name || one.startsWith(`${name}_orig`))
  return names.sort().map((one) => join(certificateFolder, one))
}

/** What lies there and is no key helps nobody, and is no reason to refuse one that does. */
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
 * The first key that one of the certificates carries the public half of; undefined when there is none.
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
      const isOwn = candidate.source === 'made for the request' || candidate.source === 'in place'
      if (!isOwn) throw error
      if (error instanceof WlbError && error.code.startsWith('KEY_PASSPHRASE')) locked ??= error
    }
  }
  if (locked) throw locked
  return undefined
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
