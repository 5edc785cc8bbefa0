/** Files an operator names on a command line, read as certificate files with bounded work. */
import { open, readFile } from 'node:fs/promises'
import { WlbError } from '../error.js'
import { readStandardInput } from '../standard-input.js'
import { checkFileSize, FILE_LIMIT_BYTES, type NamedBytes } from '../x509/index.js'
import { systemCode, touching } from './file-failure.js'

/**
 * Reads the bytes of each file; `-` is standard input.
 *
 * @throws FILE_MISSING, PATH_NOT_PERMITTED, PATH_OCCUPIED, FILE_TOO_LARGE.
 */
export async function readCertificateFiles(files: readonly string[]): Promise<NamedBytes[]> {
  const read: NamedBytes[] = []
  for (const file of files) read.push({ file, bytes: await readBounded(file) })
  return read
}

async function readBounded(file: string): Promise<Buffer> {
  if (file === '-') {
    const bytes = await readStandardInput(FILE_LIMIT_BYTES)
    checkFileSize('standard input', bytes.length)
    return bytes
  }
  try {
    return await touching(file, async () => {
      const handle = await open(file, 'r')
      try {
        const { size } = await handle.stat()
        checkFileSize(file, size)
        if (size > 0) return await handle.readFile()
        return await readStream(file)
      } finally {
        await handle.close()
      }
    })
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? fileMissing(file, error) : error
  }
}

/** A pipe has no size beforehand. */
async function readStream(file: string): Promise<Buffer> {
  const bytes = await readFile(file)
  checkFileSize(file, Math.min(bytes.length, FILE_LIMIT_BYTES + 1))
  return bytes
}

function fileMissing(file: string, cause: unknown): WlbError {
  return new WlbError('FILE_MISSING', 'There is no such file.', { file }, `ls -l ${file}`, cause)
}
