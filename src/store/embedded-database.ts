/**
 * The embedded PostgreSQL (PGlite) in a folder. Making one takes four seconds and 800 MB, which a process then never
 * gives back, so a child makes it; opening one takes a third of a second and, with small buffers, 170 MB.
 */
import { execFile } from 'node:child_process'
import { closeSync, existsSync, fsyncSync, openSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'
import { ensureFolder, syncFolder } from '../base/durable-file.js'
import { fail } from './errors.js'

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
    throw fail('DATABASE_UNUSABLE', { directory, reason: lastWords(error) }, error)
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

/**
 * PGlite's files in a folder, with a flush that reaches the disk. In its own file layer fsync and fdatasync succeed and do
 * nothing, so a commit would survive a killed process and not a power cut. The engine must be told to use it: no `-F`, and `wal_sync_method=fsync`
 * (its fdatasync cannot be reached from here).
 */
class FlushedFiles extends NodeFS {
  override async init(database: PGlite, options: EmscriptenOptions): ReturnType<NodeFS['init']> {
    const { emscriptenOpts } = await super.init(database, options)
    const addFlush = (module: unknown) => {
      if (!hasNodeFiles(module)) throw new Error('This version of PGlite keeps its file layer elsewhere.')
      const { stream_ops: operations, realPath } = module.NODEFS
      operations.fsync = (stream) => flush(stream.nfd ?? realPath(stream.node))
    }
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [emscriptenOpts.preRun ?? [], addFlush].flat() } }
  }
}

type EmscriptenOptions = Parameters<NodeFS['init']>[1]

/** Answers 0, as the engine's system call does; a failure goes up and ends the engine, which then recovers from its log. */
function flush(file: number | string): number {
  if (typeof file === 'number') {
    fsyncSync(file)
    return 0
  }
  const folder = openSync(file, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
  return 0
}

interface NodeFileLayer {
  readonly NODEFS: {
    readonly stream_ops: { fsync?: (stream: { readonly nfd?: number; readonly node: unknown }) => number }
    readonly realPath: (node: unknown) => string
  }
}

function hasNodeFiles(module: unknown): module is NodeFileLayer {
  return typeof module === 'object' && module !== null && 'NODEFS' in module
}
