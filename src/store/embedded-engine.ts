/**
 * The embedded database, run by a process of its own: whatever happens to it, a kill ends it, and the service lives
 * (docs/decisions/0016-an-engine-of-its-own-process.md).
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { type DirectoryLock, lockDirectory } from '../base/files/directory-lock.js'
import { createEmbedded, embeddedExists } from './embedded-database.js'
import { ENGINE } from './engine-program.js'
import { fail } from './errors.js'
import { reasonOf, type Session, SessionEnded, StatementRefused, type StatementResult } from './session.js'

/** A pool's rows fit many times over; the engine's own 128 MB would be most of the appliance. */
const SETTINGS = ['-c', 'wal_sync_method=fsync', '-c', 'shared_buffers=16MB']
/** After a kill the log is read from the last checkpoint on. */
const OPEN_LIMIT_MS = 30_000
/** A process that has been killed lives on while the system cannot interrupt what it is doing. */
const LOCK_PATIENCE_MS = 5000
const SAID_LIMIT = 2000

/**
 * Opens the database in `directory`, made before if there is none.
 *
 * @throws DATABASE_UNUSABLE or DATABASE_NO_SPACE when it cannot be made or opened.
 */
export async function openEngine(directory: string): Promise<Session> {
  if (!embeddedExists(directory)) await createEmbedded(directory)
  try {
    // The engine inherits it and keeps it until it has ended. The appliance that started one may be gone: its own lock on the
    // state folder does not tell whether its engine still writes.
    const lock = await lockDirectory(directory, LOCK_PATIENCE_MS)
    try {
      return await startEngine(directory, lock)
    } finally {
      await lock.release()
    }
  } catch (error) {
    throw fail('DATABASE_UNUSABLE', { directory, reason: reasonOf(error) }, error)
  }
}

const require = createRequire(import.meta.url)

async function startEngine(directory: string, lock: DirectoryLock): Promise<Session> {
  const files = ['@electric-sql/pglite', '@electric-sql/pglite/nodefs'].map((name) => require.resolve(name))
  // --liftoff-only: half the processor time to open, a third more for the largest statements (docs/decisions)
  const child = spawn(
    process.execPath,
    ['--liftoff-only', '-e', ENGINE, `${process.pid}`, ...files, directory, ...SETTINGS],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc', lock.descriptor],
      serialization: 'advanced',
      detached: true, // Ctrl-C at a terminal is for the service
    },
  )
  const session = new EngineSession(child)
  const timer = setTimeout(() => session.kill(`it did not open within ${OPEN_LIMIT_MS / 1000} s`), OPEN_LIMIT_MS)
  try {
    await session.opened
    return session
  } finally {
    clearTimeout(timer)
  }
}

/** What the process answers to each order; order 0 is the opening. */
type Answer<R> = { readonly id: number } & (
  | StatementResult<R>
  | { readonly refused: string; readonly sqlState: string }
)

interface Pending {
  answered(answer: unknown): void
  ended(reason: string): void
}

class EngineSession implements Session {
  readonly ended: Promise<string>
  readonly opened: Promise<unknown>
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  readonly #pending = new Map<number, Pending>()
  #lastId = -1
  #reportEnd: (reason: string) => void = () => {}
  #endReason: string | undefined
  #said = ''

  constructor(child: ChildProcess) {
    this.#child = child
    child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
      this.#said = `${this.#said}${piece}`.slice(-SAID_LIMIT)
    })
    child.on('message', (answer) => {
      if (isAnswer(answer)) this.#pending.get(answer.id)?.answered(answer)
    })
    this.ended = new Promise((resolve) => {
      this.#reportEnd = resolve
    })
    this.#exited = new Promise<void>((resolve) => {
      child.once('error', (error) => this.#end(error.message))
      child.once('close', (exitCode, signal) => {
        this.#end(this.#said.trim().split('\n').at(-1) || `its process ended with ${signal ?? exitCode}`)
        resolve()
      })
    })
    this.opened = this.#order({})
  }

  async query<R>(sql: string, parameters: readonly unknown[]): Promise<StatementResult<R>> {
    const answer = await this.#order<R>({ sql, parameters })
    if ('refused' in answer) throw new StatementRefused(answer.refused, answer.sqlState)
    return answer
  }

  /** It is one thread: while it carries out a statement it hears nothing. */
  async limitStatements(): Promise<void> {}

  async close(): Promise<void> {
    this.#child.send({ close: true }, () => {})
    await this.#exited
  }

  /** Those who wait are told at once: the system may not be able to end the process soon. */
  kill(reason: string): void {
    this.#end(reason)
    this.#child.kill('SIGKILL')
  }

  #end(reason: string): void {
    this.#endReason ??= reason
    this.#reportEnd(this.#endReason)
    for (const { ended } of this.#pending.values()) ended(this.#endReason)
    this.#pending.clear()
  }

  /** The first one has no statement: its answer says that the database is open. */
  #order<R>(statement: { readonly sql?: string; readonly parameters?: readonly unknown[] }): Promise<Answer<R>> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const ended = (reason: string) => reject(new SessionEnded(reason))
      if (this.#endReason !== undefined) return ended(this.#endReason)
      const answered = (answer: unknown) => {
        this.#pending.delete(id)
        if (isAnswer<R>(answer)) resolve(answer)
      }
      this.#pending.set(id, { answered, ended })
      if (statement.sql !== undefined) this.#child.send({ id, ...statement }, () => {}) // if this fails, it has ended
    })
  }
}

function isAnswer<R>(message: unknown): message is Answer<R> {
  return typeof message === 'object' && message !== null && 'id' in message && typeof message.id === 'number'
}
