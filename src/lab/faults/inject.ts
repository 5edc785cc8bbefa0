/** Injects rows of the failure catalogue into a lab, one after the other, and takes all of them back. */
import { WlbError } from '../../base/error.js'
import { askAppliance, paths } from '../../config/index.js'
import type { Records } from '../database/records.js'
import { fail } from '../errors.js'
import { layoutOf, readConditions } from '../host/host-files.js'
import { fetchRecords } from '../launcher/host-control.js'
import { findHost, hostRoot, type KnownHost, readLab, withLabLocked } from '../launcher/lab-file.js'
import { programPath } from '../launcher/launcher.js'
import { clearStandIn, type StandInOrder } from '../stand-in/stand-in.js'
import { APPLIANCE_FAULTS, serveFromAuthority } from './appliance-faults.js'
import { SELF_SIGNED_GONE } from './certificate-faults.js'
import { type PoolFault, targetsOf } from './pool-stage.js'
import {
  copyAside,
  copyFolder,
  type FaultEntry,
  putBack,
  readEntries,
  removeState,
  writeEntries,
} from './saved-state.js'
import { type FaultRow, listFaults, POOL_FAULTS } from './table.js'

interface FaultOrder {
  readonly root: string
  readonly row: number
  /** Limits the row to one host. */
  readonly host?: string | undefined
  /** Another form of the row. */
  readonly variant?: string | undefined
  /** Path of the stand-in's program; default: the one that is shipped. */
  readonly standInProgram?: string
}

/**
 * Injects one row; `already` means that it was injected before and not cleared since.
 *
 * @throws LAB_FAULT_ROW_UNKNOWN, LAB_FAULT_VARIANT_UNKNOWN, LAB_COORDINATOR_DOWN, and what the row itself needs.
 */
export async function injectFault(order: FaultOrder): Promise<{ readonly fault: FaultRow; readonly already: boolean }> {
  const { root, row, variant } = order
  const fault = listFaults().find((known) => known.row === row)
  if (!fault) throw unknownRow(row)
  if (variant !== undefined && !fault.variants.includes(variant)) {
    throw fail('LAB_FAULT_VARIANT_UNKNOWN', { row, variant, known: fault.variants.join(', ') })
  }
  const lab = await readLab(root)
  if (order.host !== undefined) findHost(lab, order.host)
  return withLabLocked(root, async () => {
    const entries = await readEntries(root)
    const isSame = (entry: FaultEntry) => entry.row === row && entry.host === order.host && entry.variant === variant
    if (entries.some((entry) => isSame(entry) && entry.state === 'there')) return { fault, already: true }
    const id = Math.max(0, ...entries.map((entry) => entry.id)) + 1
    const side = POOL_FAULTS.has(row) ? 'pool' : 'appliance'
    const { host } = order
    const entry: FaultEntry = { id, row, side, host, variant, state: 'begun' }
    if (side === 'pool') await injectOnPool(order, entries, entry)
    else await injectOnAppliance(order, entries, entry)
    if (side === 'appliance' && ON_THE_POOL_TOO.has(row)) {
      await markThere(root, entry)
      await bringAbout(order, await readEntries(root), { ...entry, id: id + 1, side: 'pool' })
    }
    for (const one of await readEntries(root)) if (one.row === row) await markThere(root, one)
    return { fault, already: false }
  })
}

/** Marks an entry as complete; it was written before the change. */
async function markThere(root: string, { row, side }: FaultEntry): Promise<void> {
  const entries = await readEntries(root)
  const at = entries.findLastIndex((entry) => entry.row === row && entry.side === side)
  await writeEntries(
    root,
    entries.map((entry, index) => (index === at ? { ...entry, state: 'there' } : entry)),
  )
}

/**
 * Some rows need a certificate that an authority has issued, or one with other names: then the stand-in serves it
 * first.
 */
async function injectOnPool(order: FaultOrder, entries: readonly FaultEntry[], entry: FaultEntry): Promise<void> {
  try {
    await bringAbout(order, entries, entry)
  } catch (error) {
    const isWanting = error instanceof WlbError && NEEDS_ANOTHER_CERTIFICATE.includes(error.code)
    if (!isWanting || !(await runsHere(order.root)) || entries.some(({ side }) => side === 'appliance')) throw error
    const shown: FaultEntry = { ...entry, side: 'appliance', host: undefined, variant: undefined, state: 'there' }
    await writeEntries(order.root, [...entries, shown])
    await serveFromAuthority(standInOrder(order), order.row)
    await bringAbout(order, [...entries, shown], { ...entry, id: entry.id + 1 })
  }
}

async function runsHere(root: string): Promise<boolean> {
  return (await askAppliance(paths(root).controlSocket).catch(() => undefined)) !== undefined
}

const NEEDS_ANOTHER_CERTIFICATE = ['LAB_FAULT_NEEDS_AUTHORITY', 'LAB_FAULT_CERTIFICATE_UNFIT']

/** Copies what the row changes, then injects it. When that fails everything is restored. */
async function bringAbout(
  { root, variant }: FaultOrder,
  entries: readonly FaultEntry[],
  entry: FaultEntry,
): Promise<void> {
  const fault = poolFault(entry)
  const lab = await readLab(root)
  const { coordinator, records } = await findCoordinator(root, lab.hosts)
  const host = entry.host === undefined ? undefined : findHost(lab, entry.host)
  const { clockOffsetMs } = await readConditions(layoutOf(hostRoot(root, coordinator.name)))
  const now = new Date(Date.now() + clockOffsetMs)
  const stage = { root, now, hosts: lab.hosts, coordinator, host, variant, records }
  targetsOf(stage, fault.scope)
  await copyAside(stage, records, fault.parts, copyFolder(root, entry))
  await writeEntries(root, [...entries, entry])
  try {
    await fault.inject(stage)
  } catch (error) {
    await takeBack(root, entry)
    await writeEntries(root, entries)
    throw error
  }
}

/** When injecting fails the entry stays: only clearing can undo what was done. */
async function injectOnAppliance(order: FaultOrder, entries: readonly FaultEntry[], entry: FaultEntry): Promise<void> {
  await writeEntries(order.root, [...entries, entry])
  await APPLIANCE_FAULTS.get(order.row)?.inject(standInOrder(order))
}

function standInOrder({ root, standInProgram }: FaultOrder): StandInOrder {
  return { root, now: new Date(), program: standInProgram ?? programPath('lab-stand-in.js') }
}

/**
 * Takes back every fault, the last one first, also one that was interrupted. Returns their rows.
 *
 * @throws LAB_COORDINATOR_DOWN when records must be restored and no coordinator runs; nothing is lost then.
 */
export async function clearFaults(root: string): Promise<{ readonly cleared: readonly number[] }> {
  await readLab(root)
  return withLabLocked(root, async () => {
    const entries = await readEntries(root)
    // copies made after the stand-in started contain what it installed in the pool, earlier copies do not
    const standIn = entries.findIndex(({ side }) => side === 'appliance')
    for (const entry of entries.slice(standIn + 1).toReversed())
      if (entry.side === 'pool') await takeBackAndForget(root, entry)
    await clearStandIn(root)
    for (const entry of entries.slice(0, standIn + 1).toReversed())
      if (entry.side === 'pool') await takeBackAndForget(root, entry)
    await removeState(root)
    return { cleared: [...new Set(entries.map(({ row }) => row))] }
  })
}

async function takeBackAndForget(root: string, entry: FaultEntry): Promise<void> {
  await takeBack(root, entry)
  await writeEntries(
    root,
    (await readEntries(root)).filter(({ id }) => id !== entry.id),
  )
}

async function takeBack(root: string, entry: FaultEntry): Promise<void> {
  const { hosts } = await readLab(root)
  const { coordinator, records } = await findCoordinator(root, hosts)
  await putBack({ root, hosts, coordinator }, records, poolFault(entry).parts, copyFolder(root, entry))
}

/** Rows of the appliance's side that change the pool too. */
const ON_THE_POOL_TOO: ReadonlyMap<number, PoolFault> = new Map([[SELF_SIGNED_GONE.row, SELF_SIGNED_GONE]])

function poolFault({ row }: Pick<FaultEntry, 'row'>): PoolFault {
  const fault = POOL_FAULTS.get(row) ?? ON_THE_POOL_TOO.get(row)
  if (!fault) throw unknownRow(row)
  return fault
}

async function findCoordinator(
  root: string,
  hosts: readonly KnownHost[],
): Promise<{ coordinator: KnownHost; records: Records }> {
  for (const host of hosts) {
    const records = await fetchRecords(hostRoot(root, host.name))
    if (records) return { coordinator: host, records }
  }
  throw fail('LAB_COORDINATOR_DOWN', { root })
}

function unknownRow(row: number): WlbError {
  const known = listFaults().map((fault) => fault.row)
  return fail('LAB_FAULT_ROW_UNKNOWN', { row, known: known.join(', ') })
}
