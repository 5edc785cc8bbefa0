/** Input from outside, read no further than it may be long: files of certificates or keys, and standard input. */
import { open } from 'node:fs/promises'
import { fail } from './errors.js'
import { systemCode, touching } from './file-failure.js'

/** A file of this size holds two thousand certificates; larger ones are refused before they are read. */
export const FILE_LIMIT_BYTES = 4 * 1024 * 1024

/** @throws FILE_TOO_LARGE */
export function checkFileSize(file: string, sizeBytes: number): void {
  if (sizeBytes > FILE_LIMIT_BYTES) throw fail('FILE_TOO_LARGE', { file, bytes: sizeBytes, limit: FILE_LIMIT_BYTES })
}

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

/**
 * Reads standard input to its end, whether a file, a pipe or a socket (which /dev/stdin cannot open). Of more than `limitBytes`
 * it returns one byte more than that.
 */
export async function readStandardInput(limitBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of process.stdin) {
    const bytes = Buffer.from(piece)
    pieces.push(bytes)
    length += bytes.length
    if (length > limitBytes) break
  }
  return Buffer.concat(pieces).subarray(0, limitBytes + 1)
}
