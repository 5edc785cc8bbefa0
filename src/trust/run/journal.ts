/**
 * Writes down what is done to a pool before it is done. The newest record is what `undo` takes back and `--resume` continues.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { WlbError } from '../../base/error.js'
import { type DirectoryLock, lockDirectory } from '../../base/files/directory-lock.js'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { configFolder } from '../../xapi/index.js'
import { fail } from '../errors.js'
import {
  fileAfter,
  type JournalEntry,
  type JournalRecord,
  type JournalRequest,
  journalFolder,
  listFiles,
  readRecord,
} from './journal-records.js'
import type { StepOrder } from './steps/step.js'

export interface Journal {
  readonly folder: string
  /** The newest run that changed something; undefined where there was none. */
  readonly last: JournalRecord | undefined
  /**
   * Begins a run, or continues an interrupted one: its entries stay, so that an undo takes back both. Nothing is written
   * before the first entry.
   */
  begin(by: string, request: JournalRequest | null, startedAt: Date): void
  /** Writes the record although no step was done yet, so that a resumed run knows the plan. */
  keep(): Promise<void>
  /** Writes the state of a step; returns when it is on disk. */
  write(order: StepOrder, state: JournalEntry['state']): Promise<void>
  /** Sets the state of the run. Nothing is written where nothing was changed. */
  settle(state: JournalRecord['state']): Promise<void>
  /** Another process may open it. */
  close(): Promise<void>
}

/**
 * Opens a pool's journal for one process alone.
 *
 * @throws TRUST_BUSY when another one has it; JOURNAL_UNREADABLE when a file is not one of ours.
 */
export async function openJournal(pool: { uuid: string; name: string }, home = configFolder()): Promise<Journal> {
  const folder = journalFolder(pool.uuid, home)
  await ensureFolder(folder, 0o700)
  const lock = await lockDirectory(folder).catch((error: unknown) => {
    throw error instanceof WlbError && error.code === 'DIRECTORY_IN_USE'
      ? fail('TRUST_BUSY', { pool: pool.name, pid: error.facts.pid })
      : error
  })
  try {
    await removeTemporaries(folder)
    const files = await listFiles(folder)
    const newest = files.at(-1)
    const last = newest === undefined ? undefined : await readRecord(join(folder, newest))
    return new OpenJournal(folder, pool, lock, last, newest)
  } catch (error) {
    await lock.release()
    throw error
  }
}

class OpenJournal implements Journal {
  readonly folder: string
  readonly #pool: { uuid: string; name: string }
  readonly #lock: DirectoryLock
  #record: JournalRecord | undefined
  /** Of the record that was read or begun. */
  #file: string | undefined

  constructor(
    folder: string,
    pool: { uuid: string; name: string },
    lock: DirectoryLock,
    last: JournalRecord | undefined,
    file: string | undefined,
  ) {
    this.folder = folder
    this.#pool = pool
    this.#lock = lock
    this.#record = last
    this.#file = file
  }

  get last(): JournalRecord | undefined {
    return this.#record
  }

  begin(by: string, request: JournalRequest | null, startedAt: Date): void {
    const goesOn = this.#record?.state === 'open' || this.#record?.state === 'undoing'
    if (goesOn && this.#record) {
      this.#record = { ...this.#record, by, state: 'open', request: request ?? this.#record.request }
      return
    }
    const { uuid, name } = this.#pool
    this.#file = fileAfter(this.#file)
    this.#record = {
      version: 1,
      pool: { uuid, name },
      by,
      startedAt: startedAt.toISOString(),
      state: 'open',
      request,
      entries: [],
    }
  }

  async keep(): Promise<void> {
    await this.#save(this.#begun())
  }

  async write(order: StepOrder, state: JournalEntry['state']): Promise<void> {
    const record = this.#begun()
    const at = findOpen(record.entries, order)
    const entry = { order, state }
    // a step begun again moves to the end, so that it is undone first
    const isBegun = at < 0 || state === 'doing'
    const entries = isBegun
      ? [...record.entries.filter((_, index) => index !== at), entry]
      : record.entries.with(at, entry)
    await this.#save({ ...record, entries })
  }

  async settle(state: JournalRecord['state']): Promise<void> {
    const record = this.#begun()
    if (record.entries.length > 0 || record.writtenAt !== undefined) await this.#save({ ...record, state })
  }

  close(): Promise<void> {
    return this.#lock.release()
  }

  #begun(): JournalRecord {
    if (!this.#record) throw new Error('the journal was not begun')
    return this.#record
  }

  async #save(changed: JournalRecord): Promise<void> {
    const record = { ...changed, writtenAt: new Date().toISOString() }
    const file = this.#file ?? fileAfter(undefined)
    await replaceFile(join(this.folder, file), `${JSON.stringify(record, undefined, 2)}\n`, 0o600)
    this.#file = file
    this.#record = record
  }
}

/** An undone entry is not found: the same order done again gets an entry of its own. */
function findOpen(entries: readonly JournalEntry[], order: StepOrder): number {
  const text = JSON.stringify(order)
  return entries.findLastIndex((entry) => entry.state !== 'undone' && JSON.stringify(entry.order) === text)
}

/** Removes temporary files that an interrupted write left. */
async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('.')) await rm(join(folder, name), { force: true })
  }
}
