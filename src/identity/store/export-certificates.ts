/** The certificates in `server.pem`, all or some of them, to be given to a pool; never a key. */
import { X509Certificate } from 'node:crypto'
import { inspectOutput, writeOutput } from '../../base/files/output-file.js'
import { paths, readSettings } from '../../config/index.js'
import { encodePem, isSelfSigned, readPemBlocks } from '../../x509/index.js'
import { fail } from '../errors.js'
import { settleIfLeft } from './identity-change.js'
import { checkStoredIdentity, readIdentity } from './identity-files.js'

/** `all`: the file as it is served. `chain`: the leaf and its intermediates. `root`: the self-signed one at the end. */
export type ExportedPart = 'all' | 'leaf' | 'chain' | 'root'

/**
 * Reads the pair in place, proves that it fits, and chooses from its certificates, in sending order.
 *
 * @throws NOT_SET_UP, SETTINGS_INVALID, ROOT_NOT_THERE when there is no self-signed one; IDENTITY_INCOMPLETE and the
 * codes of `checkIdentity`.
 */
export async function exportCertificates(root: string, part: ExportedPart): Promise<readonly X509Certificate[]> {
  const place = paths(root)
  await readSettings(place.settings)
  await settleIfLeft(place)
  const identity = await readIdentity(place)
  checkStoredIdentity(place, identity)
  const all = readPemBlocks(identity.certificatePem)
    .filter(({ label }) => label === 'CERTIFICATE')
    .map(({ der }) => new X509Certificate(der))
  const [leaf] = all
  const top = all.findLast(isSelfSigned)
  switch (part) {
    case 'all':
      return all
    case 'leaf':
      return leaf ? [leaf] : []
    case 'chain':
      return all.filter((certificate) => certificate === leaf || !isSelfSigned(certificate))
    case 'root':
      if (!top) {
        const missing = (all.at(-1)?.issuer ?? '').split('\n').reverse().join(', ')
        throw fail('ROOT_NOT_THERE', { certificate: place.certificate, missing })
      }
      return [top]
  }
}

/**
 * Writes an export. A file that is there is replaced only if it holds nothing but certificates, as an earlier export does.
 * Devices and pipes are written into.
 *
 * @throws EXPORT_WOULD_OVERWRITE, PATH_NOT_PERMITTED, DISK_FULL, PATH_OCCUPIED.
 */
export async function writeExport(path: string, content: string | Buffer): Promise<void> {
  const before = await inspectOutput(path)
  if (before.kind === 'file' && !isEarlierExport(before.bytes)) throw fail('EXPORT_WOULD_OVERWRITE', { file: path })
  await writeOutput(path, content, 0o644)
}

export function encodeCertificates(certificates: readonly X509Certificate[]): string {
  return certificates.map(({ raw }) => encodePem('CERTIFICATE', raw)).join('')
}

function isEarlierExport(content: Buffer | undefined): boolean {
  return content !== undefined && (content.length === 0 || holdsOnlyCertificates(content))
}

function holdsOnlyCertificates(content: Buffer): boolean {
  try {
    const blocks = readPemBlocks(content.toString('utf8'))
    if (blocks.length > 0) return blocks.every(({ label }) => label === 'CERTIFICATE')
    return new X509Certificate(content).raw.equals(content)
  } catch {
    return false
  }
}
