/** Files that come from outside: looked at before they are read, and read no further than such a file can be long. */
import { open } from 'node:fs/promises'
import { fail } from './errors.js'
import { systemCode, touching } from './file-failure.js'
import { checkFileSize, FILE_LIMIT_BYTES } from './file-size.js'

/**
 * Reads a file of certificates or keys. What has no size of its own, such as a pipe, is measured while it is read.
 *
 * @throws FILE_MISSING, FILE_TOO_LARGE, PATH_NOT_PERMITTED, PATH_OCCUPIED for a folder.
 */
export async function readLimitedFile(file: string): Promise<Buffer> {
  return touching(file, async () => {
    const handle = await open(file, 'r')
    try {
      checkFileSize(file, (await handle.stat()).size)
      const pieces: Buffer[] = []
      let sizeBytes = 0
      while (sizeBytes <= FILE_LIMIT_BYTES) {
        const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024))
        if (bytesRead === 0) return Buffer.concat(pieces)
        pieces.push(buffer.subarray(0, bytesRead))
        sizeBytes += bytesRead
      }
      checkFileSize(file, sizeBytes)
      return Buffer.concat(pieces)
    } finally {
      await handle.close()
    }
  }).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? fail('FILE_MISSING', { file }, error) : error
  })
}
