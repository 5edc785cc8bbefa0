/**
 * Files that an option names for output. A regular file is replaced at once and durably; what is no file (a device, a pipe, a
 * file descriptor) is written into and stays what it is, as with a shell's `>`.
 */
import { constants } from 'node:fs'
import { open, readlink, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { fail } from '../errors.js'
import { replaceFile } from './durable-file.js'
import { systemCode, touching } from './file-failure.js'
import { FILE_LIMIT_BYTES, readUpTo } from './limited-file.js'

export type Output =
  | { readonly kind: 'nothing there' }
  /** Nothing is kept there, so nothing can be lost. */
  | { readonly kind: 'stream' }
  /** `bytes` are those of the file; undefined for one that is larger than anything we write. */
  | { readonly kind: 'file'; readonly bytes: Buffer | undefined }

/** What is at `path` before anything is written. A stream is not opened. @throws PATH_NOT_PERMITTED, PATH_OCCUPIED */
export async function inspectOutput(path: string): Promise<Output> {
  return touching(path, async () => {
    if (await isStream(path)) return { kind: 'stream' }
    const file = await open(path, 'r').catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (!file) return { kind: 'nothing there' }
    try {
      const bytes = await readUpTo(file, FILE_LIMIT_BYTES)
      return { kind: 'file', bytes: bytes.length > FILE_LIMIT_BYTES ? undefined : bytes }
    } finally {
      await file.close()
    }
  })
}

/**
 * Writes `content`. Of a symbolic link, the file it leads to is written. `mode` is that of a new file.
 *
 * @throws FILE_MISSING where its folder is not there; PATH_NOT_PERMITTED, PATH_OCCUPIED, DISK_FULL, DISK_FAULTY and the like.
 */
export async function writeOutput(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  try {
    await writeThere(path, content, mode)
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? fail('FILE_MISSING', { file: dirname(path) }, error) : error
  }
}

async function writeThere(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  await touching(path, async () => {
    if (await isStandardOutput(path)) return writeToStandardOutput(content)
    if (!(await isStream(path))) return replaceFile(await endOfLinks(path), content, mode)
    try {
      const stream = await open(path, constants.O_WRONLY) // of a pipe, this waits for the reader
      try {
        await stream.writeFile(content)
      } finally {
        await stream.close()
      }
    } catch (error) {
      if (systemCode(error) !== 'EPIPE') throw error // `--out >(head -1)` has read enough
    }
  })
}

const STANDARD_OUTPUT = ['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']

/** `-`, and the names that Linux has for the same: they cannot always be opened, and what is said besides must not mix in. */
export async function isStandardOutput(path: string): Promise<boolean> {
  if (path === '-') return true
  for (const link of await linksFrom(path)) if (STANDARD_OUTPUT.includes(link)) return true
  return false
}

/** Through the stream that everything else is printed with: in its order, and to a socket too, which cannot be opened. */
function writeToStandardOutput(content: string | Uint8Array): Promise<void> {
  return new Promise((resolveWritten, reject) => {
    process.stdout.write(content, (error) => {
      if (error && systemCode(error) !== 'EPIPE') reject(error)
      else resolveWritten()
    })
  })
}

/** A descriptor may be a regular file: replacing that would take it from whoever holds the descriptor. */
async function isStream(path: string): Promise<boolean> {
  if ((await linksFrom(path)).some((link) => /^\/(dev|proc\/[^/]+)\/fd\/\d+$/.test(link))) return true
  try {
    const there = await stat(path)
    return !there.isFile() && !there.isDirectory()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

async function endOfLinks(path: string): Promise<string> {
  return (await linksFrom(path)).at(-1) ?? path
}

/** As many as Linux follows. */
const LINK_LIMIT = 40

/** The path, and where its last part leads from link to link; the last one is no link, and need not exist. */
async function linksFrom(path: string): Promise<string[]> {
  const links = [resolve(path)]
  while (links.length <= LINK_LIMIT) {
    const from = links.at(-1) ?? path
    if (/^\/proc\/[^/]+\/fd\/\d+$/.test(from)) break // it leads to an open file, and its text is only a name for that
    const to = await readlink(from).catch(() => undefined)
    if (to === undefined) break
    links.push(resolve(dirname(from), to))
  }
  return links
}
