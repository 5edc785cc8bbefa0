/** The document a command is about, from a file or standard input, and the errors it may hold. */

import { LIMITS, type Pool, type Problem, readPool } from '../../balance/index.js'
import { WlbError } from '../../base/error.js'
import { readLimitedFile, readStandardInput } from '../../base/files/limited-file.js'
import { fail } from '../errors.js'

/** @throws POOL_DOCUMENT_INVALID, and what reading a file throws. */
export async function readDocument(file: string): Promise<Pool> {
  return parseDocument(file, (await readBytes(file)).toString('utf8'))
}

/** @throws POOL_DOCUMENT_INVALID */
export function parseDocument(file: string, text: string, line?: number): Pool {
  const reading = readPool(text)
  if (reading.state === 'refused') throw invalid(file, reading.problems, line)
  return reading.pool
}

export function invalid(file: string, problems: readonly [Problem, ...Problem[]], line?: number): WlbError {
  const [{ path, problem }, ...more] = problems
  return fail('POOL_DOCUMENT_INVALID', {
    file: nameOf(file),
    path: path || 'the whole document',
    problem,
    furtherProblems: more.length > 0 ? more.map((one) => `${one.path} (${one.problem})`).join(', ') : undefined,
    line,
  })
}

export function tooLarge(file: string, line?: number): WlbError {
  return invalid(file, [{ path: '', problem: `larger than ${LIMITS.documentBytes} bytes` }], line)
}

/** What a person calls it. */
export function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file
}

async function readBytes(file: string): Promise<Buffer> {
  if (file !== '-') {
    return readLimitedFile(file, LIMITS.documentBytes).catch((error: unknown) => {
      throw error instanceof WlbError && error.code === 'FILE_TOO_LARGE' ? tooLarge(file) : error
    })
  }
  const bytes = await readStandardInput(LIMITS.documentBytes)
  if (bytes.length > LIMITS.documentBytes) throw tooLarge(file)
  return bytes
}
