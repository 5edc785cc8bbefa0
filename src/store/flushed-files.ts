/**
 * PGlite's files in a folder, with a flush that reaches the disk. Its own file layer has none: fsync and fdatasync succeed
 * and do nothing, so a commit would survive a killed process and not a power cut.
 */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import type { PGlite } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/** The engine must be told to use it: no `-F`, and `wal_sync_method=fsync` (its fdatasync cannot be reached from here). */
export class FlushedFiles extends NodeFS {
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
