/** Reads the files given for the pool: the certificates and revocation lists in them; a private key is refused. */
import type { X509Certificate } from 'node:crypto'
import { describePlace, encodePem, type NamedBytes, readContainers } from '../../x509/index.js'
import { fail } from '../errors.js'

export interface Material {
  /** Each once, wherever it came from; `place` is for people. */
  readonly certificates: readonly { readonly certificate: X509Certificate; readonly place: string }[]
  readonly crls: readonly { readonly pem: string; readonly place: string }[]
  /** What was odd about the files. */
  readonly notes: readonly string[]
}

/**
 * Reads files in any form; several certificates in one are several.
 *
 * @throws PRIVATE_KEY_IN_TRUST_FILE, before anything is sent anywhere; NOTHING_TO_TRUST where a file holds neither
 * certificate nor list; and what `readContainers` throws.
 */
export function readMaterial(files: readonly NamedBytes[]): Material {
  const { certificates, keys, requests, crls, notes } = readContainers(files)
  const [key] = keys
  if (key) throw fail('PRIVATE_KEY_IN_TRUST_FILE', { ...key.place })
  const isUsed = (file: string) => [...certificates, ...crls].some(({ place }) => place.file === file)
  const useless = files.find(({ file }) => !isUsed(file))
  const holds = requests.length > 0 ? 'a certificate request' : 'something else'
  if (useless) throw fail('NOTHING_TO_TRUST', { file: useless.file, holds })
  const distinct = new Map(
    certificates.map(({ certificate, place }) => [
      certificate.fingerprint256,
      { certificate, place: describePlace(place) },
    ]),
  )
  return {
    certificates: [...distinct.values()],
    crls: crls.map(({ der, place }) => ({ pem: encodePem('X509 CRL', der), place: describePlace(place) })),
    notes: notes.map(({ place, text }) => `${describePlace(place)}: ${text}`),
  }
}
