/** The size no file of certificates or keys exceeds: larger ones are refused before they are read. */
import { fail } from './errors.js'

/** A file of this size holds two thousand certificates. */
export const FILE_LIMIT_BYTES = 4 * 1024 * 1024

/** @throws FILE_TOO_LARGE */
export function checkFileSize(file: string, sizeBytes: number): void {
  if (sizeBytes > FILE_LIMIT_BYTES) throw fail('FILE_TOO_LARGE', { file, bytes: sizeBytes, limit: FILE_LIMIT_BYTES })
}
