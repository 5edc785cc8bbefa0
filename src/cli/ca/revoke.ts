/** `wlb ca revoke`: a certificate goes onto the list, and the list is published. */
import { X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { findCertificate, type Revoked, revokeCertificate } from '../../authority/index.js'
import { WlbError } from '../../base/error.js'
import { printJson } from '../print.js'
import { chooseFolder, isSure, readBytes, readPassphrase, sayNothingChanged, sayWhatItIs } from './ask.js'
import type { RevokeFlags } from './commands.js'
import { describePublished } from './crl.js'

/** @throws USAGE_SERIAL_OR_FILE when it is neither a file nor a serial number. */
export async function revoke(root: string, serialOrFile: string, flags: RevokeFlags): Promise<void> {
  const folder = chooseFolder(root, flags.dir)
  sayWhatItIs()
  const serialNumber = await readSerial(serialOrFile)
  const { subject } = await findCertificate(folder, serialNumber)
  process.stderr.write(`revokes: ${serialNumber}, ${subject}\n`)
  if (!(await isSure(flags.yes, 'Revoke it? It cannot be taken back.', `wlb ca revoke ${serialNumber}`)))
    return sayNothingChanged()
  const passphrase = await readPassphrase(flags.passphraseFile, 'known', `wlb ca revoke ${serialNumber}`)
  if (passphrase === undefined) return sayNothingChanged()

  const now = new Date()
  const { reason, days, out } = flags
  const revoked = await revokeCertificate({
    folder,
    serialNumber,
    reason,
    passphrase,
    now,
    lifetimeDays: days,
    ...(out !== undefined && { out: resolve(out) }),
  })
  if (flags.json) return printJson(documentOf(revoked))
  process.stdout.write(`${describeRevoked(revoked, now)}\n`)
}

export function describeRevoked({ issued, already, crl }: Revoked, now: Date): string {
  const since = `${issued.revoked?.at} (${issued.revoked?.reason})`
  const what = already ? 'It was revoked already, since' : 'Revoked at'
  return [`${what} ${since}: ${issued.serialNumber}, ${issued.subject}`, '', describePublished(crl, now)].join('\n')
}

function documentOf({ issued, already, crl }: Revoked) {
  const { serialNumber, subject, names, revoked } = issued
  return { serialNumber, subject, names, already, revokedAt: revoked?.at, reason: revoked?.reason, crl }
}

async function readSerial(serialOrFile: string): Promise<string> {
  if (existsSync(serialOrFile)) {
    const bytes = await readBytes(serialOrFile, 'certificate')
    try {
      return new X509Certificate(bytes).serialNumber
    } catch (error) {
      throw neither(serialOrFile, 'the file holds no certificate', error)
    }
  }
  if (!/^[0-9a-f]{2}(:?[0-9a-f]{2})*$/i.test(serialOrFile)) throw neither(serialOrFile, 'no file, and not hexadecimal')
  return serialOrFile.replaceAll(':', '').toUpperCase()
}

function neither(given: string, found: string, cause?: unknown): WlbError {
  return new WlbError(
    'USAGE_SERIAL_OR_FILE',
    'What to revoke is named by its serial number, or by a file with the certificate.',
    { given, found },
    'wlb ca list',
    cause,
  )
}
