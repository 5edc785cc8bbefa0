/** The size no file of certificates or keys exceeds: larger ones are refused before they are read. */
import { WlbError } from './error.js'

/** A file of this size holds two thousand certificates. */
export const FILE_LIMIT_BYTES = 4 * 1024 * 1024

/** @throws FILE_TOO_LARGE */
export function checkFileSize(file: string, sizeBytes: number): void {
  if (sizeBytes > FILE_LIMIT_BYTES) throw fileTooLarge(file, sizeBytes)
}

function fileTooLarge(file: string, bytes: number): WlbError {
  return new WlbError(
    'FILE_TOO_LARGE',
    'No file of certificates is that large.',
    { file, bytes, limit: FILE_LIMIT_BYTES },
    `ls -l ${file}`,
  )
}
