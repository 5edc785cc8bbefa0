/** `wlb cert export`: the certificates in place, for a pool or a colleague; never a key. */

import type { X509Certificate } from 'node:crypto'
import { isStandardOutput } from '../../base/files/output-file.js'
import { quoteWord } from '../../base/text/quote-word.js'
import { encodeCertificates, exportCertificates, exportDocument, writeExport } from '../../identity/index.js'
import { describeCertificate } from '../../x509/index.js'
import { fail } from '../errors.js'
import { printJson, printText, renderFacts } from '../terminal/print.js'
import type { ExportFlags } from './commands.js'

/** @throws USAGE_ONE_PART, USAGE_DER_IS_ONE, and what `exportCertificates` and `writeExport` throw. */
export async function certExport(root: string, flags: ExportFlags): Promise<void> {
  const parts = (['leaf', 'chain', 'root'] as const).filter((part) => flags[part])
  const [part = 'all'] = parts
  if (parts.length > 1) throw fail('USAGE_ONE_PART', { given: parts.map((one) => `--${one}`).join(' ') })
  const certificates = await exportCertificates(root, part)
  const [first] = certificates
  if (flags.der && (certificates.length !== 1 || !first))
    throw fail('USAGE_DER_IS_ONE', { certificates: certificates.length })
  const content = flags.der && first ? first.raw : encodeCertificates(certificates)
  const file = flags.out === undefined || (await isStandardOutput(flags.out)) ? undefined : flags.out
  if (file !== undefined) await writeExport(file, content)
  if (flags.json) return printJson(exportDocument(certificates, content, file))
  if (file === undefined) process.stdout.write(content)
  else printText(`${describe(certificates, file)}\n`)
}

function describe(certificates: readonly X509Certificate[], file: string): string {
  return [
    `Written: ${quoteWord(file)}`,
    renderFacts(
      certificates.map(describeCertificate).flatMap(({ subject, fingerprintSha256 }): [string, string][] => [
        ['certificate', subject],
        ['SHA-256', fingerprintSha256],
      ]),
    ),
  ].join('\n')
}
