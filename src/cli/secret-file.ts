/** Secrets come from files or standard input, never as a flag's value. */
import { readFile } from 'node:fs/promises'
import { WlbError } from '../base/error.js'
import { readStandardInput } from '../base/limited-file.js'

const LIMIT_BYTES = 1_000_000

/** The first line of a file, `-` for standard input. @throws PASSWORD_FILE_UNREADABLE */
export async function readSecretFile(file: string): Promise<string> {
  const reading = file === '-' ? readStandardInput(LIMIT_BYTES) : readFile(file)
  const content = await reading.catch((error: unknown) => {
    throw passwordFileUnreadable(file, error)
  })
  return content.toString('utf8').split(/\r?\n/, 1).join('')
}

function passwordFileUnreadable(file: string, cause: unknown): WlbError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new WlbError(
    'PASSWORD_FILE_UNREADABLE',
    'The password file cannot be read.',
    { file, why },
    'ls -l FILE',
    cause,
  )
}
