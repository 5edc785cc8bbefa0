/**
 * The journal of each pool on disk: a folder a pool, a file a run that changed something (docs/trust.md, the journal). All of
 * them are kept, because they hold the certificates of which a pool lists only fingerprints.
 */
import { X509Certificate } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readOwnFile } from '../../base/files/limited-file.js'
import { configFolder } from '../../xapi/index.js'
import { fail } from '../errors.js'
import { STEP_ORDER } from './steps/step.js'

const ENTRY = z.object({
  order: STEP_ORDER,
  /** `doing`: begun, with no recorded end. */
  state: z.enum(['doing', 'done', 'failed', 'undone']),
})
export type JournalEntry = Readonly<z.infer<typeof ENTRY>>

const REQUEST = z.object({
  goal: z.enum(['self-signed', 'ca']),
  /** The certificates decided to be trusted, and others that were given, in PEM. */
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
/** Enough to plan again where a run was interrupted. */
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

/** Reads the newest run that changed something, without opening the journal. */
export async function readLastRun(poolUuid: string, home = configFolder()): Promise<JournalRecord | undefined> {
  const folder = journalFolder(poolUuid, home)
  const newest = (await listFiles(folder).catch(() => [])).at(-1)
  return newest === undefined ? undefined : readRecord(join(folder, newest))
}

/** The unfinished runs of all pools of this user. @throws JOURNAL_UNREADABLE */
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

/** Every certificate in the journals of this user. */
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

export function journalFolder(uuid: string, home: string): string {
  return join(home, 'journals', /^[0-9a-f-]{36}$/i.test(uuid) ? uuid : Buffer.from(uuid).toString('hex'))
}

const FILE = /^(\d{6})\.json$/

export function fileAfter(file: string | undefined): string {
  return `${String(Number(file === undefined ? 0 : FILE.exec(file)?.[1]) + 1).padStart(6, '0')}.json`
}

export async function listFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => FILE.test(name)).sort()
}

export async function readRecord(path: string): Promise<JournalRecord> {
  try {
    return RECORD.parse(JSON.parse(await readOwnFile(path)))
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
