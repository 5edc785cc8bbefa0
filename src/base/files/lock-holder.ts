/**
 * Who holds a lock file. The number in the file may be an old one that another process has by now, so it counts only when that
 * process has this very file open (proc(5), /proc/PID/fd). A process of another user cannot be looked at and is not named.
 */
import { fstatSync, readdirSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'

export interface LockHolder {
  readonly pid: number
  /** Its command line, as one line, cut at 200 characters. */
  readonly program: string
  /** When it took the lock; ISO 8601. */
  readonly since: string
}

const PROGRAM_LIMIT = 200
/** Of the number: written over the one before in place, which needs no space on a full disk. */
const NUMBER_BYTES = 12

/** Writes this process's number into a lock file that it holds. */
export function writeHolder(file: number): void {
  writeSync(file, `${String(process.pid).padEnd(NUMBER_BYTES - 1)}\n`, 0)
}

/** `file` is our own descriptor of the lock file. */
export function findLockHolder(file: number): LockHolder | undefined {
  try {
    const text = Buffer.alloc(NUMBER_BYTES)
    const pid = Number(text.toString('latin1', 0, readSync(file, text, 0, NUMBER_BYTES, 0)).trim())
    if (!Number.isSafeInteger(pid) || pid <= 0 || !hasOpen(pid, file)) return undefined
    const program = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim().slice(0, PROGRAM_LIMIT)
    return { pid, program, since: fstatSync(file).mtime.toISOString() }
  } catch {
    return undefined // it has ended, or is another user's
  }
}

function hasOpen(pid: number, file: number): boolean {
  const { ino, dev } = fstatSync(file)
  const folder = `/proc/${pid}/fd`
  const names = readdirSync(folder).filter((name) => pid !== process.pid || name !== String(file))
  return names.some((name) => {
    const found = statSync(`${folder}/${name}`, { throwIfNoEntry: false })
    return found?.ino === ino && found.dev === dev
  })
}
