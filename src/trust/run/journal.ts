/**
 * What was done to a pool, written down before it is done: one folder a pool under the user's configuration folder, one
 * file a run that changed something. The newest file is what `undo` takes back and `--resume` goes on with; all of them
 * keep the certificates they tell of, because a pool tells fingerprints only (docs/trust.md, the journal).
 */
import { X509Certificate } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type DirectoryLock, lockDirectory } from '../../base/directory-lock.js'
import { ensureFolder, replaceFile } from '../../base/durable-file.js'
import { WlbError } from '../../base/error.js'
import { configFolder } from '../../xapi/pool/known-pools.js'
import { fail } from '../errors.js'
import { STEP_ORDER, type StepOrder } from './steps/step.js'

const ENTRY = z.object({
  order: STEP_ORDER,
  /** `doing`: begun, and nobody came back to say how it ended. */
  state: z.enum(['doing', 'done', 'failed', 'undone']),
})
export type JournalEntry = Readonly<z.infer<typeof ENTRY>>

const REQUEST = z.object({
  goal: z.enum(['self-signed', 'ca']),
  /** What was decided to be trusted, and what was given beside it, in PEM. */
  certificates: z.array(z.string()),
  crls: z.array(z.string()),
  appliance: z.string(),
  name: z.string(),
  /** Of a renewal: what was decided to be done, which cannot be found out again once it is half done. */
  renewal: z
    .object({
      orders: z.array(STEP_ORDER),
      /** Of the pools that an appliance does it in by itself, all of them or none. */
      together: z.array(z.string()).optional(),
    })
    .optional(),
})
/** Enough to plan anew where a run was cut short. */
export type JournalRequest = Readonly<z.infer<typeof REQUEST>>

const RECORD = z.object({
  version: z.literal(1),
  pool: z.object({ uuid: z.string(), name: z.string() }),
  /** Which command wrote it: `apply`, `renew`. */
  by: z.string(),
  startedAt: z.string(),
  writtenAt: z.string().optional(),
  /** `open`: under way or cut short; `undoing` likewise, backwards. */
  state: z.enum(['open', 'done', 'undoing', 'undone']),
  request: REQUEST.nullable(),
  entries: z.array(ENTRY),
})
export type JournalRecord = Readonly<z.infer<typeof RECORD>>

export interface Journal {
  readonly folder: string
  /** The newest run that changed something; undefined where there was none. */
  readonly last: JournalRecord | undefined
  /**
   * From now on runs are written down. One that was cut short is gone on with: its entries stay, so that an undo takes
   * back both. Nothing is written before the first entry.
   */
  begin(by: string, request: JournalRequest | null, startedAt: Date): void
  /** Writes down what is decided although nothing was done yet: whoever goes on has to know of it. */
  keep(): Promise<void>
  /** Writes down the state of a step, durably; returns when it is on the disk. */
  write(order: StepOrder, state: JournalEntry['state']): Promise<void>
  /** Ends a run, or tells which way it goes. Nothing is written where nothing was changed. */
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
    await forgetHalves(folder)
    const files = await listFiles(folder)
    const newest = files.at(-1)
    const last = newest === undefined ? undefined : await readRecord(join(folder, newest))
    return new OpenJournal(folder, pool, lock, last, newest)
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** The newest run that changed something, as it is on the disk now; for whoever only looks. */
export async function readLastRun(poolUuid: string, home = configFolder()): Promise<JournalRecord | undefined> {
  const folder = journalFolder(poolUuid, home)
  const newest = (await listFiles(folder).catch(() => [])).at(-1)
  return newest === undefined ? undefined : readRecord(join(folder, newest))
}

/** Of every pool of this user the run that has not come to its end. @throws JOURNAL_UNREADABLE */
export async function readOpenRuns(home = configFolder()): Promise<readonly JournalRecord[]> {
  const root = join(home, 'journals')
  const pools = await readdir(root).catch(() => [])
  const records = await Promise.all(
    pools.map(async (pool) => {
      const newest = (await listFiles(join(root, pool))).at(-1)
      return newest === undefined ? [] : [await readRecord(join(root, pool, newest))]
    }),
  )
  return records.flat().filter(({ state }) => state === 'open' || state === 'undoing')
}

/** Every certificate that any journal of this user tells of. */
export async function readKnownCertificates(home = configFolder()): Promise<readonly X509Certificate[]> {
  const root = join(home, 'journals')
  const pools = await readdir(root).catch(() => [])
  const records = await Promise.all(
    pools.map(async (pool) => {
      const folder = join(root, pool)
      const files = await listFiles(folder).catch(() => [])
      return Promise.all(files.map((file) => readRecord(join(folder, file)).catch(() => undefined)))
    }),
  )
  const pems = records.flat().flatMap((record) => [
    ...(record?.request?.certificates ?? []),
    ...(record?.entries ?? []).flatMap(({ order }) => {
      return order.kind === 'install' || (order.kind === 'uninstall' && order.pem !== null) ? [order.pem ?? ''] : []
    }),
  ])
  return [...new Set(pems)].flatMap(parse)
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
    // what is begun again is the latest that was done, and the first to be taken back
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

/** An entry that was taken back is history; the same order done again is another one. */
function findOpen(entries: readonly JournalEntry[], order: StepOrder): number {
  const text = JSON.stringify(order)
  return entries.findLastIndex((entry) => entry.state !== 'undone' && JSON.stringify(entry.order) === text)
}

function journalFolder(uuid: string, home: string): string {
  return join(home, 'journals', /^[0-9a-f-]{36}$/i.test(uuid) ? uuid : Buffer.from(uuid).toString('hex'))
}

const FILE = /^(\d{6})\.json$/

function fileAfter(file: string | undefined): string {
  return `${String(Number(file === undefined ? 0 : FILE.exec(file)?.[1]) + 1).padStart(6, '0')}.json`
}

async function listFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => FILE.test(name)).sort()
}

/** What a kill left of a file that was being written. */
async function forgetHalves(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('.')) await rm(join(folder, name), { force: true })
  }
}

async function readRecord(path: string): Promise<JournalRecord> {
  try {
    return RECORD.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw fail('JOURNAL_UNREADABLE', { path, why }, error)
  }
}

function parse(pem: string): X509Certificate[] {
  try {
    return [new X509Certificate(pem)]
  } catch {
    return []
  }
}
