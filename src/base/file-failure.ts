/** What the system says about a file, in an operator's words: where it was, and what to look at. */
import { WlbError } from './error.js'

/** Runs `work` on `path`; failures an operator can mend come out as such, everything else as it was. */
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
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new WlbError(
        'PATH_NOT_PERMITTED',
        'This user may not read or write there; nothing was changed.',
        { path, systemError: systemCode(error) ?? '' },
        `ls -ld ${path} ${path.slice(0, path.lastIndexOf('/')) || '/'}`,
        error,
      )
    case 'ENOSPC':
    case 'EDQUOT':
      return new WlbError(
        'DISK_FULL',
        'There is no space left for this file; what was there before is unchanged.',
        { path },
        `df -h ${path.slice(0, path.lastIndexOf('/')) || '/'}`,
        error,
      )
    case 'EIO':
      return new WlbError(
        'DISK_FAULTY',
        'The disk or its file system reports a fault.',
        { path },
        'dmesg | tail',
        error,
      )
    case 'ENOTDIR':
    case 'EEXIST':
    case 'EISDIR':
      return new WlbError(
        'PATH_OCCUPIED',
        'Something else is in the way: a file where a folder belongs, or a folder where a file belongs.',
        { path, systemError: systemCode(error) ?? '' },
        `ls -ld ${path}`,
        error,
      )
    default:
      return error
  }
}
