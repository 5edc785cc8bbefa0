/**
 * Replaces files at once: write to a temporary file in the same folder, flush it, rename it over, flush the folder. A full disk or a kill at any point leaves the previous file as it was.
 */
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fail } from '../errors.js'

/** Writes a file that is not there yet, flushed, with permission bits `mode` from the first byte on. */
export async function writeNewFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(content)
    await file.chmod(mode) // the umask may have taken bits away
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * Replaces `path` with `content`, with permission bits `mode` from the first byte on.
 * Throws the lower error (`ENOSPC`, `EACCES`, ...) with the previous file untouched and no temporary file left.
 */
export async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}`)
  try {
    await writeNewFile(temporary, content, mode)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(folder)
}

/** Makes a rename or removal inside `folder` survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Makes a folder (and those above it) with exactly `mode`, or leaves an existing one alone. Step by step, because Node's
 * own recursive way never ends on a file system that takes no folders.
 *
 * @throws FOLDER_IMPOSSIBLE where it takes none, and otherwise the lower error (`EACCES`, `ENOTDIR`, ...).
 */
export async function ensureFolder(path: string, mode: number): Promise<void> {
  if ((await makeFolder(path, mode)) !== 'no parent') return
  await ensureFolder(dirname(path), mode)
  if ((await makeFolder(path, mode)) === 'no parent') throw fail('FOLDER_IMPOSSIBLE', { path })
}

async function makeFolder(path: string, mode: number): Promise<'made' | 'there' | 'no parent'> {
  try {
    await mkdir(path, { mode })
    await chmod(path, mode) // the umask may have taken bits away
    return 'made'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return 'no parent'
    if (code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
    return 'there'
  }
}
