/** System errors about files, turned into errors that an operator can act on. */
import { fail } from './errors.js'

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
      return fail('PATH_OCCUPIED', { path, systemError }, error)
    default:
      return error
  }
}
