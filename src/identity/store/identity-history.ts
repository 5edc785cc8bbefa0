/**
 * The history of pairs that were in place, a folder each: certificate, key, and a record of how and when it came. A
 * folder counts once its record is there. While a folder is written its name begins with a dot; undecided ones are
 * removed.
 */
import { createHash, X509Certificate } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, syncFolder, writeNewFile } from '../../base/files/durable-file.js'
import { readOwnFile } from '../../base/files/limited-file.js'
import { describeCertificate } from '../../x509/index.js'
import { CERTIFICATE_FILE, contentOf, type FoundPair, findFault, KEY_FILE } from './identity-files.js'

/** How a pair was put in place; `found`: by hand. */
const SOURCES = ['setup', 'install', 'acme', 'self-signed', 'rollback', 'found'] as const
export type IdentitySource = (typeof SOURCES)[number]

const RECORD = z.object({
  /** A digest of both files. */
  id: z.string(),
  /** Counts up; the clock may be set back. */
  sequence: z.number(),
  how: z.enum(SOURCES),
  installedAt: z.string(),
  /** Meaningless while the pair is in place. */
  replacedAt: z.string().nullable(),
  /** The code of what is wrong with files put there by hand; then the fields below may be null. */
  fault: z.string().nullable(),
  subject: z.string().nullable(),
  fingerprintSha256: z.string().nullable(),
  notAfter: z.string().nullable(),
})
export type IdentityRecord = Readonly<z.infer<typeof RECORD>>

const RECORD_FILE = 'identity.json'
const PENDING = '.next-'
const WRITING = '.writing-'
const GOING = '.gone-'
/** Besides these the first one is kept, to go back to the state after the set-up. */
const KEPT_NEWEST = 20

export function identityId(pair: FoundPair): string {
  return createHash('sha256').update(contentOf(pair)).digest('hex').slice(0, 12)
}

/** In the order they came; the newest is last. */
export async function listRecords(folder: string): Promise<IdentityRecord[]> {
  const names = existsSync(folder) ? await readdir(folder) : []
  const records = await Promise.all(names.filter((name) => !name.startsWith('.')).map((name) => read(folder, name)))
  return records.flatMap((record) => record ?? []).sort((a, b) => a.sequence - b.sequence)
}

/** Makes the record of a pair. */
export function describePair(
  pair: FoundPair,
  rest: Pick<IdentityRecord, 'sequence' | 'how' | 'installedAt'>,
): IdentityRecord {
  const fault = findFault(pair) ?? null
  const known = { id: identityId(pair), ...rest, replacedAt: null, fault }
  const leaf = readLeaf(pair.certificatePem)
  if (!leaf) return { ...known, subject: null, fingerprintSha256: null, notAfter: null }
  const { subject, fingerprintSha256, notAfter } = describeCertificate(leaf)
  return { ...known, subject, fingerprintSha256, notAfter: notAfter.toISOString() }
}

/** Adds a pair, completely or not at all. */
export async function addIdentity(folder: string, pair: FoundPair, record: IdentityRecord): Promise<void> {
  const [writing, place] = [join(folder, `${WRITING}${record.id}`), join(folder, record.id)]
  await writeEntry(writing, pair, record)
  await rm(place, { recursive: true, force: true }) // a folder without a record
  await rename(writing, place)
  await syncFolder(folder)
}

/** Replaces a record. */
export async function replaceRecord(folder: string, record: IdentityRecord): Promise<void> {
  const writing = join(folder, `${WRITING}${record.id}`)
  await writeNewFile(writing, encode(record), 0o600)
  await rename(writing, join(folder, record.id, RECORD_FILE))
  await syncFolder(join(folder, record.id))
}

/** Writes a pair that `publishPending` adds to the history and `forgetUndecided` removes. */
export async function prepareIdentity(folder: string, pair: FoundPair, record: IdentityRecord): Promise<void> {
  await writeEntry(join(folder, `${PENDING}${record.id}`), pair, record)
  await syncFolder(folder)
}

/** Only renames, so that a full disk cannot stop it; after an interruption it can be called again. */
export async function publishPending(folder: string): Promise<void> {
  for (const name of await namesWith(folder, PENDING)) {
    const [from, to] = [join(folder, name), join(folder, name.slice(PENDING.length))]
    if (existsSync(to)) {
      // it was in place before: the files are the same, the record is newer
      for (const file of [KEY_FILE, CERTIFICATE_FILE, RECORD_FILE])
        if (existsSync(join(from, file))) await rename(join(from, file), join(to, file))
      await syncFolder(to)
      await rm(from, { recursive: true })
    } else await rename(from, to)
    await syncFolder(folder)
  }
}

/** Removes what was not finished. */
export async function forgetUndecided(folder: string): Promise<void> {
  for (const name of await namesWith(folder, '.')) await rm(join(folder, name), { recursive: true })
}

/** Removes the oldest, but never the first one and `needed`. */
export async function pruneIdentities(folder: string, needed: readonly string[]): Promise<void> {
  const [, ...later] = await listRecords(folder)
  const old = later.slice(0, -KEPT_NEWEST).filter(({ id }) => !needed.includes(id))
  for (const { id } of old) {
    const going = join(folder, `${GOING}${id}`)
    await rename(join(folder, id), going)
    await rm(going, { recursive: true })
  }
}

async function writeEntry(folder: string, pair: FoundPair, record: IdentityRecord): Promise<void> {
  await ensureFolder(folder, 0o700)
  const { certificatePem, privateKeyPem } = pair
  if (privateKeyPem !== undefined) await writeNewFile(join(folder, KEY_FILE), privateKeyPem, 0o600)
  if (certificatePem !== undefined) await writeNewFile(join(folder, CERTIFICATE_FILE), certificatePem, 0o644)
  await writeNewFile(join(folder, RECORD_FILE), encode(record), 0o600)
  await syncFolder(folder)
}

/** Undefined where there is no record of ours. */
async function read(folder: string, name: string): Promise<IdentityRecord | undefined> {
  try {
    const { data } = RECORD.safeParse(JSON.parse(await readOwnFile(join(folder, name, RECORD_FILE))))
    return data?.id === name ? data : undefined
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (error instanceof SyntaxError || code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}

async function namesWith(folder: string, beginning: string): Promise<string[]> {
  return existsSync(folder) ? (await readdir(folder)).filter((name) => name.startsWith(beginning)) : []
}

function encode(record: IdentityRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`
}

function readLeaf(pem: string | undefined): X509Certificate | undefined {
  try {
    return pem === undefined ? undefined : new X509Certificate(pem)
  } catch {
    return undefined
  }
}
