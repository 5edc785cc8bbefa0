/**
 * Which host is coordinator. A planned change has one commit point, the old coordinator's pool.conf: before it is
 * replaced the old one is coordinator, afterwards the new one is, whichever host is killed in between
 * (docs/protocol/pool.md, roles).
 *
 *     old: freeze -> new: store the database -> old: write `slave:new` -> new: adopt it, write `master`
 *
 * A successor that has stored a database adopts it as soon as it learns that the old coordinator follows it.
 */
import { rm } from 'node:fs/promises'
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { type Call, changing, emergency, type Method } from '../api/method.js'
import { type DatabaseImage, readImage, writeImage } from '../database/database.js'
import { type Coordinator, HostUnreachable, isLive, type LabHost, memberRefs } from './host.js'
import { writeAllegiance } from './host-files.js'

export const ROLE_METHODS: readonly [string, Method][] = [
  ['pool.designate_new_master', changing(1, designate)],
  ['pool.recover_slaves', changing(0, recoverMembers)],
  ['pool.emergency_transition_to_master', emergency(0, takeOverInEmergency)],
  ['pool.emergency_reset_master', emergency(1, followInEmergency)],
]

/** An emergency claim must have a higher generation than anything the lost coordinator wrote after its last copy. */
const EMERGENCY_LEAD = 1_000_000

async function designate({ host, coordinator, args }: Call): Promise<ApiValue> {
  const ref = args.ref(0, 'host', 'host', coordinator)
  if (ref === coordinator.hostRef) return ''
  if (!isLive(coordinator, ref)) throw new ApiFailure('HOST_OFFLINE', [ref])
  const address = String(coordinator.database.get('host', ref).address)
  const others = memberRefs(coordinator)
    .filter((other) => other !== ref && isLive(coordinator, other))
    .map((other) => String(coordinator.database.get('host', other).address))

  coordinator.frozen = true
  try {
    await coordinator.database.durable()
    await callPrepared(host, ref, address, JSON.stringify(successorImage(coordinator, ref)))
    await writeAllegiance(host.layout, { kind: 'member', coordinatorAddress: address })
  } catch (error) {
    coordinator.frozen = false
    throw error
  }
  // From here on the other host is coordinator: if it is killed now, it learns so when it restarts.
  await host.callPool(address, 'lab.take_over', []).catch((error: Error) => host.log(`take over: ${error.message}`))
  for (const other of others) {
    await host.callPool(other, 'lab.follow', [address]).catch((error: Error) => host.log(`follow: ${error.message}`))
  }
  await host.becomeMember(address)
  return ''
}

async function callPrepared(host: LabHost, ref: string, address: string, image: string): Promise<void> {
  try {
    await host.callPool(address, 'lab.prepare', [image])
  } catch (error) {
    throw error instanceof HostUnreachable ? new ApiFailure('CANNOT_CONTACT_HOST', [ref]) : error
  }
}

function successorImage({ database }: Coordinator, successor: string): DatabaseImage {
  const image = database.image()
  const { ref } = database.pool
  const pool = { ...image.tables.pool?.[ref], master: successor, current_operations: {} }
  return { ...image, generation: image.generation + 1, tables: { ...image.tables, pool: { [ref]: pool } } }
}

/** Stores a database that takes effect once the coordinator that sent it has stepped down. */
export async function acceptHandover(host: LabHost, image: DatabaseImage): Promise<void> {
  if (host.role.kind === 'coordinator') throw new ApiFailure('INTERNAL_ERROR', ['this host is coordinator itself'])
  await writeImage(host.layout.incomingDatabase, image)
}

/** The coordinator has stepped down in favour of this host. Doing it twice changes nothing. */
export async function handOverFinished(host: LabHost): Promise<void> {
  if (host.role.kind === 'coordinator') return
  const { incomingDatabase, database } = host.layout
  const image = await readImage(incomingDatabase).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!image) throw new ApiFailure('INTERNAL_ERROR', ['no database was handed over'])
  if (image.generation < (host.role.copy?.image.generation ?? 0)) {
    throw new ApiFailure('INTERNAL_ERROR', ['the database handed over is older than the one last heard of'])
  }
  // The received copy is removed last: after a kill in between, this runs again.
  await writeImage(database, image)
  await writeAllegiance(host.layout, { kind: 'coordinator' })
  await rm(incomingDatabase, { force: true })
  await host.becomeCoordinator(image)
}

async function takeOverInEmergency({ host }: Call): Promise<ApiValue> {
  if (host.role.kind === 'coordinator') throw new ApiFailure('INTERNAL_ERROR', ['this host is coordinator already'])
  const copy = host.role.copy?.image ?? (await readImage(host.layout.database).catch(() => undefined))
  if (!copy) throw new ApiFailure('INTERNAL_ERROR', ['this host has no copy of the database'])
  const own = Object.entries(copy.tables.host ?? {}).find(([, record]) => record.uuid === host.settings.uuid)
  const [pool] = Object.entries(copy.tables.pool ?? {})
  if (!own || !pool) throw new ApiFailure('INTERNAL_ERROR', ['the copy of the database does not know this host'])
  const image = {
    ...copy,
    generation: copy.generation + EMERGENCY_LEAD,
    tables: { ...copy.tables, pool: { [pool[0]]: { ...pool[1], master: own[0] } } },
  }
  await writeImage(host.layout.database, image)
  await writeAllegiance(host.layout, { kind: 'coordinator' })
  await host.becomeCoordinator(image)
  return ''
}

async function followInEmergency({ host, args }: Call): Promise<ApiValue> {
  const address = args.text(0, 'master_address')
  await writeAllegiance(host.layout, { kind: 'member', coordinatorAddress: address })
  await host.becomeMember(address)
  return ''
}

/** Tells members that lost their coordinator where it is now; returns those that came back. */
async function recoverMembers({ host, coordinator }: Call): Promise<ApiValue> {
  const recovered: string[] = []
  for (const ref of memberRefs(coordinator)) {
    if (isLive(coordinator, ref)) continue
    const address = String(coordinator.database.get('host', ref).address)
    try {
      await host.callPool(address, 'lab.follow', [host.settings.address])
      recovered.push(ref)
    } catch (error) {
      if (!(error instanceof HostUnreachable)) throw error
    }
  }
  return recovered
}
