/**
 * What is needed to take faults back: the list of injected faults, written before each change so that a program that
 * dies in the middle leaves an entry, and copies of what a fault is about to change (stores, names, conditions,
 * records).
 */
import { existsSync } from 'node:fs'
import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { ensureFolder, replaceFile } from '../../base/files/durable-file.js'
import { parseRecords, type RecordChanges, type Records, type Rows } from '../database/records.js'
import { layoutOf, placesOf } from '../host/host-files.js'
import { postToHost } from '../launcher/host-control.js'
import { hostRoot, type KnownHost, labFolder } from '../launcher/lab-file.js'
import type { Part } from './pool-stage.js'
import { refreshConditions } from './surroundings-faults.js'

const entrySchema = z.object({
  /** Names the folder with the copies. */
  id: z.number(),
  row: z.number(),
  side: z.enum(['pool', 'appliance']),
  host: z.string().optional(),
  variant: z.string().optional(),
  /** `begun` until the change is complete. */
  state: z.enum(['begun', 'there']),
})
const schema = z.object({ entries: z.array(entrySchema) })

export type FaultEntry = Readonly<z.infer<typeof entrySchema>>

export async function readEntries(root: string): Promise<readonly FaultEntry[]> {
  try {
    return schema.parse(JSON.parse(await readFile(stateFile(root), 'utf8'))).entries
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}

export async function writeEntries(root: string, entries: readonly FaultEntry[]): Promise<void> {
  await ensureFolder(faultFolder(root), 0o700)
  await replaceFile(stateFile(root), `${JSON.stringify({ entries }, undefined, 2)}\n`, 0o600)
}

/** Removes the list and all copies. */
export async function removeState(root: string): Promise<void> {
  await rm(faultFolder(root), { recursive: true, force: true })
}

/** Returns the folder with the copies made before an entry's change. */
export function copyFolder(root: string, { id }: Pick<FaultEntry, 'id'>): string {
  return join(faultFolder(root), String(id))
}

function faultFolder(root: string): string {
  return join(labFolder(root), 'faults')
}

function stateFile(root: string): string {
  return join(faultFolder(root), 'state.json')
}

interface Lab {
  readonly root: string
  readonly hosts: readonly KnownHost[]
  readonly coordinator: KnownHost
}

const ALL: readonly Part[] = ['stores', 'names', 'conditions', 'records']
/** The fields that faults write; changes that users make to other fields are kept. */
const POOL_FIELDS = [
  'wlb_url',
  'wlb_username',
  'wlb_enabled',
  'wlb_verify_cert',
  'tls_verification_enabled',
  'restrictions',
]
const HOST_FIELDS = ['software_version', 'tls_verification_enabled']

/** Copies the parts into a folder of their own. */
export async function copyAside(lab: Lab, records: Records, parts: readonly Part[], folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await ensureFolder(folder, 0o700)
  for (const host of lab.hosts) {
    for (const [index, path] of pathsOf(lab.root, host, parts).entries()) {
      if (existsSync(path)) await copy(path, join(folder, host.name, String(index)))
    }
  }
  if (parts.includes('records')) {
    await replaceFile(join(folder, 'records.json'), JSON.stringify(records), 0o600)
  }
}

/** Restores the parts. Doing it twice changes nothing. */
export async function putBack(lab: Lab, now: Records, parts: readonly Part[], folder: string): Promise<void> {
  for (const host of lab.hosts) {
    for (const [index, path] of pathsOf(lab.root, host, parts).entries()) {
      await replacePath(join(folder, host.name, String(index)), path)
    }
    if (parts.includes('conditions')) await refreshConditions(hostRoot(lab.root, host.name))
  }
  if (!parts.includes('records')) return
  const before = parseRecords(JSON.parse(await readFile(join(folder, 'records.json'), 'utf8')))
  const changes = JSON.stringify(differences(before, now))
  await postToHost(hostRoot(lab.root, lab.coordinator.name), '/lab/records', changes)
}

function pathsOf(root: string, { name }: KnownHost, parts: readonly Part[]): string[] {
  const layout = layoutOf(hostRoot(root, name))
  const places = (['LegacyRootCert', 'CRL'] as const).flatMap((store) => placesOf(layout, { store }))
  const paths: Readonly<Record<Part, readonly string[]>> = {
    stores: [...places.flatMap(({ folder, bundle }) => (bundle ? [folder, bundle] : [folder])), layout.verifySwitch],
    names: [layout.hosts],
    conditions: [layout.conditions],
    records: [],
  }
  return ALL.flatMap((part) => (parts.includes(part) ? paths[part] : []))
}

/** Links are copied as links: hash links point to files in the same folder. */
async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 })
  await cp(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true })
}

/** Replaces a path as a whole, by two renames; a path that the copy lacks is removed. */
async function replacePath(from: string, to: string): Promise<void> {
  const [fresh, stale] = ['new', 'old'].map((word) => join(dirname(to), `.${basename(to)}.${word}`))
  if (!fresh || !stale) return
  for (const path of [fresh, stale]) await rm(path, { recursive: true, force: true })
  if (existsSync(from)) await copy(from, fresh)
  if (existsSync(to)) await rename(to, stale)
  if (existsSync(fresh)) await rename(fresh, to)
  await rm(stale, { recursive: true, force: true })
}

function differences(before: Records, now: Records): RecordChanges {
  const isInstalled = (row: Rows[string] | undefined) => row?.type === 'ca'
  const gone = Object.entries(now.Certificate).flatMap(([ref, row]) =>
    isInstalled(row) && !before.Certificate[ref] ? [ref] : [],
  )
  const rows = Object.entries(before.Certificate).filter(([, row]) => isInstalled(row))
  return {
    pool: only(before.pool, now.pool, POOL_FIELDS),
    host: only(before.host, now.host, HOST_FIELDS),
    Certificate: Object.fromEntries(rows),
    gone,
    isOldPool: before.isOldPool,
  }
}

/** Objects that were removed meanwhile stay removed. */
function only(before: Rows, now: Rows, fields: readonly string[]): Rows {
  return Object.fromEntries(
    Object.entries(before).flatMap(([ref, row]) =>
      now[ref]
        ? [[ref, Object.fromEntries(fields.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]]])))]]
        : [],
    ),
  )
}
