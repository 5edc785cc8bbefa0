/**
 * Makes the embedded PostgreSQL (PGlite) in a folder. That takes four seconds and 800 MB, which a process then never gives back,
 * so a child makes it. `embedded-engine.ts` opens it.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { ensureFolder, syncFolder } from '../base/files/durable-file.js'
import { fail } from './errors.js'

/** Takes four seconds of processor time; on a machine that is busy or slow many times that. */
const MAKING_LIMIT_MS = 120_000

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
    const args = ['-e', MAKE, require.resolve('@electric-sql/pglite'), making]
    await promisify(execFile)(process.execPath, args, { timeout: MAKING_LIMIT_MS, killSignal: 'SIGKILL' })
    await syncTree(making)
    await rename(making, directory)
    await syncFolder(dirname(directory))
  } catch (error) {
    await rm(making, { recursive: true, force: true })
    const reason = lastWords(error)
    throw reason === NO_SPACE
      ? fail('DATABASE_NO_SPACE', { directory }, error)
      : fail('DATABASE_UNUSABLE', { directory, reason }, error)
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
