/** The file a request is written to: an earlier request is kept beside it, and what is no request is left alone. */
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { replaceFile } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'
import { touching } from '../../base/file-failure.js'
import { readLimitedFile } from '../../base/limited-file.js'
import { readPemBlocks } from '../../x509/index.js'
import { freeName } from './pending-key.js'

export interface RequestFile {
  readonly path: string
  readonly outcome: 'written' | 'kept'
  /** Where an earlier, different request is now. */
  readonly previous: string | undefined
}

/**
 * Tells what writing would do; nothing is changed.
 *
 * @throws OUTPUT_OCCUPIED when something that is no request is there; FILE_TOO_LARGE, PATH_OCCUPIED, PATH_NOT_PERMITTED.
 */
export async function inspectRequestFile(path: string): Promise<string | undefined> {
  if (!existsSync(path)) return undefined
  const text = (await readLimitedFile(path)).toString('utf8')
  if (text !== '' && !isRequest(text)) throw outputOccupied(path)
  return text
}

/** @throws what `inspectRequestFile` throws, DISK_FULL. */
export async function writeRequestFile(path: string, pem: string): Promise<RequestFile> {
  const before = await inspectRequestFile(path)
  if (before === pem) return { path, outcome: 'kept', previous: undefined }
  return touching(path, async () => {
    const previous = before ? await freeName(dirname(path), `${basename(path)}_orig`) : undefined
    if (previous) await rename(path, previous)
    try {
      await replaceFile(path, pem, 0o644)
    } catch (error) {
      if (previous) await rename(previous, path)
      throw error
    }
    return { path, outcome: 'written', previous }
  })
}

function isRequest(text: string): boolean {
  try {
    return readPemBlocks(text).some(({ label }) => label.endsWith('CERTIFICATE REQUEST'))
  } catch {
    return false
  }
}

function outputOccupied(path: string): WlbError {
  return new WlbError(
    'OUTPUT_OCCUPIED',
    'A file that is no certificate request has the name the request was to get; it was left alone.',
    { path },
    'wlb cert request --out wlb.csr',
  )
}
