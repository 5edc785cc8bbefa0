/** A file that leaves the authority: it may replace one of its own kind, and nothing else. */
import { constants, existsSync } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { replaceFile } from '../base/durable-file.js'
import { WlbError } from '../base/error.js'
import { touching } from '../base/file-failure.js'
import { PUBLIC_MODE } from './folder.js'

export type OutputLabel = 'CERTIFICATE' | 'X509 CRL'

/** Two certificates have 5 kB; a list of a thousand has 40. */
const MAX_BYTES = 5_000_000

/**
 * Makes sure, before anything is signed, that a file can be written there and that doing so destroys nothing.
 *
 * @throws OUTPUT_OCCUPIED when what is there is not what would be written.
 * @throws OUTPUT_FOLDER_MISSING
 */
export async function checkOutput(path: string, label: OutputLabel): Promise<void> {
  const folder = dirname(path)
  await touching(folder, async () => {
    if (!existsSync(folder)) throw outputFolderMissing(folder)
    await access(folder, constants.W_OK | constants.X_OK)
  })
  if (!existsSync(path)) return
  const { size } = await touching(path, () => stat(path))
  const before = size <= MAX_BYTES ? await touching(path, () => readFile(path, 'latin1')) : undefined
  const labels = [...(before ?? '').matchAll(/^-----BEGIN (.+)-----\s*$/gm)].map(([, found]) => found)
  if (before === '') return
  if (labels.length === 0 || labels.some((found) => found !== label)) throw outputOccupied(path, label)
}

export async function writeOutput(path: string, pem: string): Promise<void> {
  await touching(path, () => replaceFile(path, pem, PUBLIC_MODE))
}

function outputOccupied(path: string, label: OutputLabel): WlbError {
  return new WlbError(
    'OUTPUT_OCCUPIED',
    'The output file exists and holds something else; it was not touched, and nothing was signed.',
    { path, expected: label },
    `mv ${path} ${path}.before`,
  )
}

function outputFolderMissing(folder: string): WlbError {
  return new WlbError(
    'OUTPUT_FOLDER_MISSING',
    'The folder for the output file does not exist; nothing was signed.',
    { folder },
    `mkdir -p ${folder}`,
  )
}
