/**
 * Where VMs have been, and what demands were pinned, as the pool's database remembers it: values that are no fields, which
 * move to the next coordinator with everything else. A VM that nothing has happened to since the pool was made needs none.
 */
import { z } from 'zod'
import type { ApiRecord, Change, Database } from '../../database/database.js'
import { OLDEST_SECONDS } from '../archives/archives.js'
import { continued, forgotten, type Life, type LifeEntry, type Pin } from '../load/life.js'

const lifeSchema = z.array(z.object({ at: z.number(), host: z.string(), to: z.string().optional() }))
const pinsSchema = z.array(z.object({ from: z.number(), until: z.number(), cores: z.number() }))

/** `hosts` has uuids by references. */
export function lifeOf(database: Database, vm: ApiRecord, hosts: ReadonlyMap<string, string>): Life {
  const remembered = rememberedLife(database, String(vm.uuid))
  if (remembered) return remembered
  const { host } = placeOf(vm, hosts)
  return host === '' ? [] : [{ at: 0, host }]
}

function rememberedLife(database: Database, uuid: string): Life | undefined {
  const text = database.internal(lifeKey(uuid))
  return text === '' ? undefined : lifeSchema.parse(JSON.parse(text))
}

/**
 * Notes every start, stop and move in the database from now on. Returns how to stop.
 *
 * @param nowSeconds the time of the pool, in seconds since the epoch.
 */
export function rememberLives(database: Database, nowSeconds: () => number): () => void {
  const hostUuids = () => new Map(database.rows('host').map(([ref, { uuid }]) => [ref, String(uuid)]))
  const known = new Map<string, { readonly uuid: string; readonly place: Omit<LifeEntry, 'at'> }>()
  for (const [ref, vm] of database.rows('VM')) {
    known.set(ref, { uuid: String(vm.uuid), place: placeOf(vm, hostUuids()) })
  }
  return database.onChange(({ className, ref, operation }: Change) => {
    if (className !== 'VM') return
    const before = known.get(ref)
    const vm = operation === 'del' ? undefined : database.find('VM', ref)
    if (!vm) return void known.delete(ref)
    const place = placeOf(vm, hostUuids())
    const uuid = String(vm.uuid)
    if (before && before.place.host === place.host && before.place.to === place.to) return
    known.set(ref, { uuid, place })
    if (!before && place.host === '') return // a new VM that does not run has no life yet
    const now = nowSeconds()
    const life =
      rememberedLife(database, uuid) ?? (before && before.place.host !== '' ? [{ at: 0, ...before.place }] : [])
    const next = continued(forgotten(life, now - OLDEST_SECONDS), { at: now, ...place })
    database.setInternal(lifeKey(uuid), JSON.stringify(next))
  })
}

/** A host has been up from the beginning unless something else is known; its entries name itself, or nothing while it is down. */
export function hostLifeOf(database: Database, uuid: string): Life {
  return rememberedLife(database, uuid) ?? [{ at: 0, host: uuid }]
}

/**
 * Notes when hosts go and come back, from now on. A coordinator that starts takes every other host for dead until it connects: that
 * is no news.
 */
export function rememberHosts(database: Database, nowSeconds: () => number): () => void {
  return database.onChange(({ className, ref }: Change) => {
    if (className !== 'host_metrics') return
    const host = database.rows('host').find(([, { metrics }]) => metrics === ref)?.[1]
    if (!host) return
    const uuid = String(host.uuid)
    const isUp = database.find(className, ref)?.live === true
    const now = nowSeconds()
    const life = hostLifeOf(database, uuid)
    const next = continued(forgotten(life, now - OLDEST_SECONDS), { at: now, host: isUp ? uuid : '' })
    if (next.at(-1) !== life.at(-1)) database.setInternal(lifeKey(uuid), JSON.stringify(next))
  })
}

function placeOf(vm: ApiRecord, hosts: ReadonlyMap<string, string>): Omit<LifeEntry, 'at'> {
  const host = vm.power_state === 'Running' ? (hosts.get(String(vm.resident_on)) ?? '') : ''
  const to = hosts.get(String(vm.scheduled_to_be_resident_on))
  return host === '' || to === undefined || to === host ? { host } : { host, to }
}

/** Pinned demands of a VM, or of a host's control domain. */
export function pinsOf(database: Database, uuid: string): Pin[] {
  const text = database.internal(pinsKey(uuid))
  return text === '' ? [] : pinsSchema.parse(JSON.parse(text))
}

/** Pins a demand; a later one replaces it from then on. */
export function addPin(database: Database, uuid: string, pin: Pin): void {
  const kept = pinsOf(database, uuid).map((one) => {
    const isOpen = one.until === 0 || one.until > pin.from
    return isOpen ? { ...one, until: pin.from } : one
  })
  const recent = kept.filter(({ until }) => until > pin.from - OLDEST_SECONDS)
  database.setInternal(pinsKey(uuid), JSON.stringify([...recent, pin]))
}

function lifeKey(uuid: string): string {
  return `lab_life_${uuid}`
}

function pinsKey(uuid: string): string {
  return `lab_pins_${uuid}`
}
