/**
 * Reads the certificate file of an appliance over SSH, as `scp root@HOST:/etc/ssl/certs/server.pem` would. A file that holds a
 * private key is refused before anything is written here, since what is fetched goes to every host of a pool.
 */
import type { X509Certificate } from 'node:crypto'
import { FILE_LIMIT_BYTES } from '../../base/files/limited-file.js'
import { quoteWord } from '../../base/text/quote-word.js'
import { paths } from '../../config/index.js'
import { renderSshTarget, requireSuccess, type SshConnection } from '../../ssh/index.js'
import { readContainers } from '../../x509/index.js'
import { fail } from './errors.js'

export interface FetchedCertificate {
  /** As they are on the appliance. */
  readonly bytes: Buffer
  readonly leaf: X509Certificate
  /** Where it was found. */
  readonly file: string
}

/** @throws SSH_FILE_MISSING, SSH_FILE_UNREADABLE, SSH_FILE_TOO_LARGE, what `readCertificateBytes` and `run` throw. */
export async function fetchCertificate(
  ssh: SshConnection,
  { applianceRoot = '/' }: { readonly applianceRoot?: string | undefined } = {},
): Promise<FetchedCertificate> {
  const file = paths(applianceRoot).certificate
  const bytes = await fetchFile(ssh, file)
  return { bytes, file, leaf: readCertificateBytes(bytes, `${renderSshTarget(ssh.target)}:${file}`) }
}

const EXIT_MISSING = 44
const EXIT_UNREADABLE = 45

/** @throws SSH_FILE_MISSING, SSH_FILE_UNREADABLE, SSH_FILE_TOO_LARGE and what `run` throws. */
export async function fetchFile(ssh: SshConnection, file: string, limitBytes = FILE_LIMIT_BYTES): Promise<Buffer> {
  const word = quoteWord(file)
  const command =
    `[ -e ${word} ] || exit ${EXIT_MISSING}; [ -f ${word} ] && [ -r ${word} ] || exit ${EXIT_UNREADABLE}; ` +
    `head -c ${limitBytes + 1} ${word}`
  const result = await ssh.run(command, { limitBytes: limitBytes + 1 })
  const facts = { target: renderSshTarget(ssh.target), file }
  if (result.exitCode === EXIT_MISSING) throw fail('SSH_FILE_MISSING', facts)
  if (result.exitCode === EXIT_UNREADABLE) throw fail('SSH_FILE_UNREADABLE', facts)
  requireSuccess(ssh.target, command, result)
  if (result.stdout.length > limitBytes) throw fail('SSH_FILE_TOO_LARGE', { ...facts, limitBytes })
  return result.stdout
}

/**
 * Finds the leaf, the first certificate of the file.
 *
 * @throws PRIVATE_KEY_NOT_WANTED when there is a private key too; NO_CERTIFICATE_FETCHED when there is none; what
 * `readContainers` throws.
 */
export function readCertificateBytes(bytes: Buffer, from: string): X509Certificate {
  // a damaged block may still disclose the key
  const text = bytes.toString('latin1').replaceAll('\0', '')
  if (/PRIVATE KEY-----/.test(text)) throw fail('PRIVATE_KEY_NOT_WANTED', { file: from })
  const { certificates, keys } = readContainers([{ file: from, bytes }])
  if (keys.length > 0) throw fail('PRIVATE_KEY_NOT_WANTED', { file: from })
  const leaf = certificates[0]?.certificate
  if (!leaf) throw fail('NO_CERTIFICATE_FETCHED', { file: from })
  return leaf
}
