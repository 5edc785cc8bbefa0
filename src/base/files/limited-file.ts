/** Input from outside, read no further than it may be long: named files, standard input, files of our own that may be damaged. */
import { type FileHandle, open } from 'node:fs/promises'
import { fail } from '../errors.js'
import { systemCode, touching } from './file-failure.js'
import { decodeText, whyNoText } from './given-text.js'

/** A file of this size holds two thousand certificates; larger ones are refused before they are read. */
export const FILE_LIMIT_BYTES = 4 * 1024 * 1024

/** @throws FILE_TOO_LARGE */
export function checkFileSize(file: string, sizeBytes: number, limitBytes = FILE_LIMIT_BYTES): void {
  if (sizeBytes > limitBytes) throw fail('FILE_TOO_LARGE', { file, bytes: sizeBytes, limit: limitBytes })
}

/**
 * Reads a file that somebody named, or one of ours. What has no size of its own, such as a pipe or a device, is measured
 * while it is read.
 *
 * @throws FILE_MISSING, FILE_TOO_LARGE, PATH_NOT_PERMITTED, PATH_OCCUPIED for a folder.
 */
export async function readLimitedFile(file: string, limitBytes = FILE_LIMIT_BYTES): Promise<Buffer> {
  return touching(file, async () => {
    const handle = await open(file, 'r')
    try {
      const there = await handle.stat()
      if (there.isFile()) checkFileSize(file, there.size, limitBytes)
      const bytes = await readUpTo(handle, limitBytes)
      checkFileSize(file, bytes.length, limitBytes)
      return bytes
    } finally {
      await handle.close()
    }
  }).catch((error: unknown) => {
    throw systemCode(error) === 'ENOENT' ? fail('FILE_MISSING', { file }, error) : error
  })
}

/** Reads to the end. Of more than `limitBytes` it returns one byte more than that. */
export async function readUpTo(handle: FileHandle, limitBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let sizeBytes = 0
  while (sizeBytes <= limitBytes) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024))
    if (bytesRead === 0) break
    pieces.push(buffer.subarray(0, bytesRead))
    sizeBytes += bytesRead
  }
  return Buffer.concat(pieces).subarray(0, limitBytes + 1)
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

/** More than any of our own files comes to: the index of an authority with ten thousand certificates has 30 MB. */
const OWN_FILE_LIMIT_BYTES = 64 * 1024 * 1024

/** Reads a file that we wrote, such as a journal, which may be damaged since. @throws FILE_TOO_LARGE; lower errors (`ENOENT`, ...) unchanged */
export async function readOwnFile(file: string): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const bytes = await readUpTo(handle, OWN_FILE_LIMIT_BYTES)
    checkFileSize(file, bytes.length, OWN_FILE_LIMIT_BYTES)
    return bytes.toString('utf8')
  } finally {
    await handle.close()
  }
}

/** Settings, lists and passwords: what people write by hand is short. */
const TEXT_LIMIT_BYTES = 1024 * 1024

/** Reads text that a person wrote. @throws TEXT_UNREADABLE, and what `readLimitedFile` throws. */
export async function readLimitedText(file: string, limitBytes = TEXT_LIMIT_BYTES): Promise<string> {
  return readText(await readLimitedFile(file, limitBytes), file)
}

/** @throws TEXT_UNREADABLE when the bytes are no text. */
export function readText(bytes: Buffer, file: string): string {
  const why = whyNoText(bytes)
  if (why !== undefined) throw fail('TEXT_UNREADABLE', { file, why })
  return decodeText(bytes).text
}
