/** A file in the working directory for what was fetched: never another one's content without a word. */
import { readFile } from 'node:fs/promises'
import { replaceFile } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'
import { systemCode, touching } from '../../base/file-failure.js'
import { quoteWord } from '../../base/quote-word.js'

/** @throws FETCH_WOULD_OVERWRITE, PATH_NOT_PERMITTED, PATH_OCCUPIED, DISK_FULL. */
export async function writeFetched(file: string, bytes: Buffer, overwrite: boolean): Promise<'written' | 'already so'> {
  return touching(file, async () => {
    const before = await readFile(file).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (before?.equals(bytes)) return 'already so'
    if (before && !overwrite) throw wouldOverwrite(file)
    await replaceFile(file, bytes, 0o644)
    return 'written'
  })
}

function wouldOverwrite(file: string): WlbError {
  return new WlbError(
    'FETCH_WOULD_OVERWRITE',
    'There is a file of that name, and it holds something else.',
    { file },
    `wlb trust fetch USER@HOST ${quoteWord(file)} --overwrite`,
  )
}
