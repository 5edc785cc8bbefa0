/** The short files that `xe` reads before anything else: settings and passwords. */
import { closeSync, openSync, readSync } from 'node:fs'
import { decodeText } from '../../base/files/given-text.js'

const LIMIT_BYTES = 64 * 1024

/** As editors save it, UTF-16 too. Undefined when it cannot be read, or has more than any such file. */
export function readShortFile(path: string): string | undefined {
  try {
    const bytes = readStart(path)
    return bytes.length > LIMIT_BYTES ? undefined : decodeText(bytes).text
  } catch {
    return undefined
  }
}

function readStart(path: string): Buffer {
  const file = openSync(path, 'r')
  try {
    const pieces: Buffer[] = []
    let missing = LIMIT_BYTES + 1
    while (missing > 0) {
      const piece = Buffer.alloc(missing)
      const read = readSync(file, piece)
      if (read === 0) break
      pieces.push(piece.subarray(0, read))
      missing -= read
    }
    return Buffer.concat(pieces)
  } finally {
    closeSync(file)
  }
}
