/**
 * The certificate file of an appliance, byte for byte, as `scp root@HOST:/etc/ssl/certs/server.pem` would bring it; a file
 * that holds a private key is refused before anything is written here, since what is fetched goes to every host of a pool.
 */
import type { X509Certificate } from 'node:crypto'
import { WlbError } from '../../base/error.js'
import { FILE_LIMIT_BYTES } from '../../base/limited-file.js'
import { quoteWord } from '../../base/quote-word.js'
import { paths } from '../../config/paths.js'
import type { SshConnection } from '../../ssh/connection.js'
import { commandFailed } from '../../ssh/run-command.js'
import { renderSshTarget, type SshTarget } from '../../ssh/target.js'
import { readContainers } from '../../x509/index.js'

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
  { applianceRoot = '/' }: { readonly applianceRoot?: string } = {},
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
  if (result.exitCode === EXIT_MISSING) throw fileMissing(ssh.target, file)
  if (result.exitCode === EXIT_UNREADABLE) throw fileUnreadable(ssh.target, file)
  if (result.exitCode !== 0) throw commandFailed(ssh.target, command, result)
  if (result.stdout.length > limitBytes) throw fileTooLarge(ssh.target, file, limitBytes)
  return result.stdout
}

/**
 * Finds the leaf, the first certificate of the file.
 *
 * @throws PRIVATE_KEY_NOT_WANTED when there is a private key too; NO_CERTIFICATE_FETCHED when there is none; what `readContainers` throws.
 */
export function readCertificateBytes(bytes: Buffer, from: string): X509Certificate {
  // a damaged block is a key all the same, to whoever gets the file
  const text = bytes.toString('latin1').replaceAll('\0', '')
  if (/PRIVATE KEY-----/.test(text)) throw privateKeyNotWanted(from)
  const { certificates, keys } = readContainers([{ file: from, bytes }])
  if (keys.length > 0) throw privateKeyNotWanted(from)
  const leaf = certificates[0]?.certificate
  if (!leaf) throw noCertificateFetched(from)
  return leaf
}

function privateKeyNotWanted(file: string): WlbError {
  return new WlbError(
    'PRIVATE_KEY_NOT_WANTED',
    'The file holds a private key beside the certificate; it was not copied, since a pool would hand it to every host.',
    { file },
    "sed -n '/BEGIN CERTIFICATE/,/END CERTIFICATE/p' /etc/ssl/certs/server.pem, on the appliance",
  )
}

function noCertificateFetched(file: string): WlbError {
  return new WlbError(
    'NO_CERTIFICATE_FETCHED',
    'There is no certificate in the file.',
    { file },
    'wlb trust fetch --from-tls HOST:PORT --fingerprint SHA256',
  )
}

function fileMissing(target: SshTarget, file: string): WlbError {
  return new WlbError(
    'SSH_FILE_MISSING',
    'There is no such file on the other machine.',
    { target: renderSshTarget(target), file },
    'wlb trust fetch USER@HOST --appliance-root DIR',
  )
}

function fileUnreadable(target: SshTarget, file: string): WlbError {
  return new WlbError(
    'SSH_FILE_UNREADABLE',
    'The user may not read that file on the other machine, or it is none.',
    { target: renderSshTarget(target), file },
    `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ls -ld ${quoteWord(file)}`,
  )
}

function fileTooLarge(target: SshTarget, file: string, limitBytes: number): WlbError {
  return new WlbError(
    'SSH_FILE_TOO_LARGE',
    'No such file is that large; nothing of it was kept.',
    { target: renderSshTarget(target), file, limitBytes },
    `ssh -p ${target.port} ${quoteWord(`${target.user}@${target.host}`)} ls -l ${quoteWord(file)}`,
  )
}
