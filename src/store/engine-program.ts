/**
 * The program of the process that runs the embedded database. As text, it needs no file of its own to be found in every way we
 * are started. Whatever it cannot go on with it says on standard error, and then kills itself: an engine that has met a fault
 * in the middle of something may loop for ever, and its log makes the next one whole.
 *
 * - fsync: in PGlite's own file layer it succeeds and does nothing, so a commit would survive a killed process and not a power
 *   cut. The engine must be told to use it: no `-F`, and `wal_sync_method=fsync` (its fdatasync cannot be reached from here).
 *   After a failure the system no longer knows what was written, so a second attempt must not be believed.
 * - The parent: when it is gone, so is this process, even if its main thread hangs in the engine; hence the second thread.
 * - Signals: a service manager and a terminal send theirs to all processes of a service; the parent finishes its requests first.
 * - Descriptor 4 is the folder's lock, held for as long as this process lives.
 */
export const ENGINE = `
const { closeSync, fsyncSync, openSync, writeSync } = require('node:fs')
const { Worker } = require('node:worker_threads')
const [parent, engine, files, directory, ...settings] = process.argv.slice(1)

const kill = () => process.kill(process.pid, 'SIGKILL')
const give = (error) => {
  try {
    writeSync(2, (error?.message ?? 'errno ' + error?.errno).replace(/\\s+/g, ' ') + '\\n')
  } finally {
    kill()
  }
}
process.on('uncaughtException', give).on('disconnect', kill)
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM']) process.on(signal, () => {})
new Worker(
  'setInterval(() => { if (process.ppid !== ' + parent + ') process.kill(process.pid, "SIGKILL") }, 500)',
  { eval: true },
)

const { PGlite } = require(engine)
const { NodeFS } = require(files)

class FlushedFiles extends NodeFS {
  async init(database, options) {
    const { emscriptenOpts } = await super.init(database, options)
    const addFlush = ({ NODEFS }) => {
      NODEFS.stream_ops.fsync = (stream) => flush(stream.nfd ?? NODEFS.realPath(stream.node))
    }
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [emscriptenOpts.preRun ?? [], addFlush].flat() } }
  }
}

function flush(file) {
  try {
    if (typeof file === 'number') fsyncSync(file)
    else {
      const folder = openSync(file, 'r')
      fsyncSync(folder)
      closeSync(folder)
    }
  } catch (error) {
    give(error)
  }
  return 0
}

const flushed = PGlite.defaultStartParams.filter((parameter) => parameter !== '-F')
PGlite.create({ fs: new FlushedFiles(directory), startParams: [...flushed, ...settings] }).then((database) => {
  const carryOut = async ({ id, sql, parameters }) => {
    try {
      const { rows, affectedRows } = await database.query(sql, parameters)
      process.send({ id, rows, affectedRows: affectedRows ?? 0 })
    } catch (error) {
      if (error?.severity !== 'ERROR' || typeof error.code !== 'string') return give(error)
      process.send({ id, refused: error.message, sqlState: error.code })
    }
  }
  process.on('message', (order) => {
    if (order.sql !== undefined) carryOut(order)
    else database.close().then(() => process.exit(0), give)
  })
  process.send({ id: 0, rows: [], affectedRows: 0 })
}, give)
`
