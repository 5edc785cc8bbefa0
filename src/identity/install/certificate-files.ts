/** Files an operator names on a command line, read as certificate files with bounded work. */

import { checkFileSize, FILE_LIMIT_BYTES } from '../../base/file-size.js'
import { readLimitedFile } from '../../base/limited-file.js'
import { readStandardInput } from '../../base/standard-input.js'
import type { NamedBytes } from '../../x509/index.js'

/**
 * Reads the bytes of each file, each once; `-` is standard input.
 *
 * @throws what `readLimitedFile` throws.
 */
export async function readCertificateFiles(files: readonly string[]): Promise<NamedBytes[]> {
  const read: NamedBytes[] = []
  for (const file of new Set(files)) {
    read.push({ file, bytes: file === '-' ? await readInput() : await readLimitedFile(file) })
  }
  return read
}

async function readInput(): Promise<Buffer> {
  const bytes = await readStandardInput(FILE_LIMIT_BYTES)
  checkFileSize('standard input', bytes.length)
  return bytes
}
