/**
 * The embedded PostgreSQL (PGlite) in a folder. Making one takes four seconds and 800 MB, which a process then never
 * gives back, so a child makes it; opening one takes a third of a second and, with small buffers, 170 MB.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { PGlite } from '@electric-sql/pglite'
import { ensureFolder, syncFolder } from '../base/durable-file.js'
import { WlbError } from '../base/error.js'
import { FlushedFiles } from './flushed-files.js'

/** A pool's rows fit many times over; the engine's own 128 MB would be most of the appliance. */
const BUFFERS = 'shared_buffers=16MB'

/**
 * Opens the database in `directory`, made before if there is none. The caller owns the folder alone: two processes can
 * open one database, and nothing complains until it is broken.
 *
 * @throws DATABASE_UNUSABLE or DATABASE_NO_SPACE when it cannot be made or opened.
 */
export async function openEmbedded(directory: string): Promise<PGlite> {
  if (!embeddedExists(directory)) await createEmbedded(directory)
  const flushed = PGlite.defaultStartParams.filter((parameter) => parameter !== '-F')
  try {
    return await PGlite.create({
      fs: new FlushedFiles(directory),
      startParams: [...flushed, '-c', 'wal_sync_method=fsync', '-c', BUFFERS],
    })
  } catch (error) {
    throw databaseUnusable(directory, error)
  }
}

/** Tells whether `directory` holds a database, complete. */
export function embeddedExists(directory: string): boolean {
  return existsSync(join(directory, 'PG_VERSION'))
}

/**
 * Makes an empty database. It appears under its name when it is complete and on the disk; what a kill leaves behind has
 * another name and goes with the next attempt.
 *
 * @throws DATABASE_NO_SPACE when the disk is full.
 * @throws DATABASE_UNUSABLE when the child fails for another reason; its last words are in the facts.
 */
export async function createEmbedded(directory: string): Promise<void> {
  const making = `${directory}.making`
  await rm(making, { recursive: true, force: true })
  await ensureFolder(making, 0o700)
  try {
    await promisify(execFile)(process.execPath, ['-e', MAKE, require.resolve('@electric-sql/pglite'), making])
    await syncTree(making)
    await rename(making, directory)
    await syncFolder(dirname(directory))
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    throw lastWords(error) === NO_SPACE ? noSpace(directory, error) : databaseUnusable(directory, error)
  }
}

const require = createRequire(import.meta.url)

/**
 * The child's whole program; as text, it needs no file of its own to be found in every way we are started. It ends before
 * the engine's code, translated in the better way, would have repaid the second that takes.
 */
const MAKE = `
require('node:v8').setFlagsFromString('--liftoff-only')
const [engine, dataDir] = process.argv.slice(1)
require(engine).PGlite.create({ dataDir }).then((database) => database.close()).then(() => process.exit(0), (error) => {
  console.error(error?.message ?? 'errno ' + error?.errno)
  process.exit(1)
})`

async function syncTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await syncTree(path)
    else if (entry.isFile()) await syncFile(path)
  }
  await syncFolder(folder)
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** ENOSPC by the number it has in WebAssembly. */
const NO_SPACE = 'errno 51'

function lastWords(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : ''
  return said.trim().split('\n').at(-1) || (error instanceof Error ? error.message : String(error))
}

function noSpace(directory: string, cause: unknown): WlbError {
  return new WlbError(
    'DATABASE_NO_SPACE',
    'There is no space left for the database; it needs 40 MB to begin with. Nothing was left behind.',
    { directory },
    `df -h ${dirname(directory)}`,
    cause,
  )
}

function databaseUnusable(directory: string, cause: unknown): WlbError {
  return new WlbError(
    'DATABASE_UNUSABLE',
    'The embedded database could not be made or opened.',
    { directory, reason: lastWords(cause) },
    `df -h ${dirname(directory)} && ls -ld ${dirname(directory)}`,
    cause,
  )
}
