/** System errors about files and about what a process may use, turned into errors that an operator can act on. */
import type { WlbError } from '../error.js'
import { fail } from '../errors.js'
import { openFileLimit, processLimit } from '../system-limits.js'

/** Runs `work` on `path`; system errors that an operator can repair are thrown as `WlbError`, others unchanged. */
export async function touching<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explainFileFailure(error, path)
  }
}

/** The code the system gave, if this is an error of the system. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

function explainFileFailure(error: unknown, path: string): unknown {
  const systemError = systemCode(error) ?? ''
  switch (systemError) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail('PATH_NOT_PERMITTED', { path, systemError }, error)
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('DISK_FULL', { path }, error)
    case 'EIO':
      return fail('DISK_FAULTY', { path }, error)
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
    case 'ENXIO':
      return fail('PATH_OCCUPIED', { path, systemError }, error)
    case 'EFBIG':
      return fail('FILE_SIZE_LIMITED', { path }, error)
    default:
      return explainShortage(error) ?? error
  }
}

/** As deep as errors are wrapped. */
const CAUSE_LIMIT = 10

/**
 * Something that the system did not give to this process, whatever was being done: files, memory, processes, space. Looks through
 * the causes of an error too. Undefined when it is none of that.
 */
export function explainShortage(error: unknown): WlbError | undefined {
  let cause = error
  for (let depth = 0; depth < CAUSE_LIMIT && cause instanceof Error; depth++) {
    const found = shortageOf(cause)
    if (found) return found
    cause = cause.cause
  }
  return undefined
}

function shortageOf(error: Error): WlbError | undefined {
  const systemError = systemCode(error) ?? ''
  switch (systemError) {
    case 'EMFILE':
    case 'ENFILE':
      return fail(
        'TOO_MANY_OPEN_FILES',
        { limit: systemError === 'EMFILE' ? openFileLimit() : undefined, systemError },
        error,
      )
    case 'ENOMEM':
      return fail('MEMORY_EXHAUSTED', { systemError }, error)
    case 'EAGAIN':
      return /^(spawn|fork)/.test(callOf(error))
        ? fail('TOO_MANY_PROCESSES', { limit: processLimit(), systemError }, error)
        : undefined
    case 'EFBIG':
      return fail('FILE_SIZE_LIMITED', { path: pathOf(error) }, error)
    default:
      return undefined
  }
}

function callOf(error: Error): string {
  return 'syscall' in error && typeof error.syscall === 'string' ? error.syscall : ''
}

function pathOf(error: Error): string | undefined {
  return 'path' in error && typeof error.path === 'string' ? error.path : undefined
}
