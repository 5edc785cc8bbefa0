/**
 * Revocation lists for `wlb cert check`, in any form people have them. A pool reads PEM alone, so another form is read as the
 * PEM that has to be installed, and said to be so.
 */
import { quoteFile } from '../../../base/text/quote-word.js'
import { readCertificateFiles } from '../../../identity/install/certificate-files.js'
import { describeFile, encodePem, isDeltaCrl, type NamedBytes, readContainers } from '../../../x509/index.js'

export interface RevocationLists {
  /** As files of a host; undefined where none was given. */
  readonly files: readonly Buffer[] | undefined
  /** A sentence each. */
  readonly warnings: readonly string[]
}

/** @throws FILE_UNRECOGNIZED for a file that holds nothing we know, and what reading files and containers throws. */
export async function readRevocationLists(names: readonly string[]): Promise<RevocationLists> {
  const lists = (await readCertificateFiles(names)).filter(({ bytes }) => bytes.toString('latin1').trim() !== '')
  const read = lists.map(readList)
  return {
    files: read.length > 0 ? read.map(({ bytes }) => bytes) : undefined,
    warnings: read.flatMap(({ warnings }) => warnings),
  }
}

function readList(given: NamedBytes): { readonly bytes: Buffer; readonly warnings: readonly string[] } {
  const { file, bytes } = given
  // What a host would read is left as it is, faults included: the verdict is about that.
  const isPem = bytes.includes('-----BEGIN ')
  const found = isPem ? readIfPossible(given) : readContainers([given])
  const crls = found?.crls ?? []
  const warnings = crls
    .filter(({ der }) => isDeltaCrl(der))
    .map(() => `${file} is a delta list, which names only changes: a pool does not use it, and needs the complete list`)
  if (found && crls.length === 0) warnings.push(`${file} is no revocation list, but ${describeFile(bytes)}`)
  if (isPem || crls.length === 0) return { bytes, warnings }
  warnings.push(`${file} is not PEM, and a pool reads nothing else: ${convert(given)}`)
  return { bytes: Buffer.from(crls.map(({ der }) => encodePem('X509 CRL', der)).join('')), warnings }
}

function readIfPossible(given: NamedBytes) {
  try {
    return readContainers([given])
  } catch {
    return undefined
  }
}

function convert({ file, bytes }: NamedBytes): string {
  const name = quoteFile(file)
  return bytes[0] === 0x30
    ? `openssl crl -inform DER -in ${name} -out CRL.pem`
    : `iconv -f UTF-16 -t UTF-8 ${name} > CRL.pem`
}
