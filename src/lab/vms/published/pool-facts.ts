/**
 * What the pool's database says about hosts and VMs that their load and their metrics depend on. A member asks the
 * coordinator for it, as xapi tells xcp-rrdd what it needs to know.
 */
import { z } from 'zod'
import type { ApiRecord, Database } from '../../database/database.js'
import { lifeOf, pinsOf } from './lives.js'

const entrySchema = z.object({ at: z.number(), host: z.string(), to: z.string().optional() })
const pinSchema = z.object({ from: z.number(), until: z.number(), cores: z.number() })

const vmSchema = z.object({
  uuid: z.string(),
  name: z.string(),
  state: z.string(),
  vcpus: z.number(),
  weight: z.number(),
  /** In cores: the least of its vCPUs and its cap. */
  mostCores: z.number(),
  memoryBytes: z.number(),
  targetBytes: z.number(),
  reportsFreeMemory: z.boolean(),
  vifs: z.array(z.string()),
  disks: z.array(z.object({ device: z.string(), sr: z.string() })),
  life: z.array(entrySchema),
  pins: z.array(pinSchema),
})

const hostSchema = z.object({
  uuid: z.string(),
  name: z.string(),
  address: z.string(),
  isLive: z.boolean(),
  cores: z.number(),
  memoryBytes: z.number(),
  overheadBytes: z.number(),
  controlDomain: vmSchema,
  pifs: z.array(z.string()),
  srs: z.array(z.string()),
})

const factsSchema = z.object({
  hosts: z.array(hostSchema),
  vms: z.array(vmSchema),
  /** The pool's VMs get archives of least and greatest values too. */
  vmExtremes: z.boolean(),
})

export type VmFacts = Readonly<z.infer<typeof vmSchema>>
export type HostFacts = Readonly<z.infer<typeof hostSchema>>
export type PoolFacts = Readonly<z.infer<typeof factsSchema>>

export function parsePoolFacts(text: string): PoolFacts {
  return factsSchema.parse(JSON.parse(text))
}

/** All hosts and all VMs that ever ran. */
export function readPoolFacts(database: Database): PoolFacts {
  const uuids = hostUuids(database)
  const guests = database.rows('VM').flatMap(([, record]) => (isGuest(record) ? [record] : []))
  return factsFrom(database, new Set(uuids.values()), guests)
}

/**
 * What one host publishes depends on: itself, the hosts its VMs have been on, and all VMs that ever ran on one of them.
 */
export function readHostFacts(database: Database, hostUuid: string): PoolFacts {
  const uuids = hostUuids(database)
  const lives = database.rows('VM').flatMap(([, record]) => {
    return isGuest(record) ? [{ record, places: placesOf(database, record, uuids) }] : []
  })
  const concerned = new Set([hostUuid])
  for (const { places } of lives) if (places.has(hostUuid)) for (const place of places) concerned.add(place)
  const guests = lives.flatMap(({ record, places }) =>
    [...places].some((place) => concerned.has(place)) ? [record] : [],
  )
  return factsFrom(database, concerned, guests)
}

function factsFrom(database: Database, wanted: ReadonlySet<string>, guests: readonly ApiRecord[]): PoolFacts {
  const uuids = hostUuids(database)
  const hosts = database.rows('host').flatMap(([ref, record]) => {
    const controlDomain = database.find('VM', String(record.control_domain))
    if (!controlDomain || !wanted.has(String(record.uuid))) return []
    return [hostFacts(database, ref, record, vmFacts(database, controlDomain, uuids))]
  })
  const otherConfig = database.pool.record.other_config
  return {
    hosts,
    vms: guests.map((record) => vmFacts(database, record, uuids)).filter(({ life }) => life.length > 0),
    vmExtremes: textIn(otherConfig, 'create_min_max_in_new_VM_RRDs') === 'true',
  }
}

function hostFacts(database: Database, ref: string, record: ApiRecord, controlDomain: VmFacts): HostFacts {
  const metrics = database.find('host_metrics', String(record.metrics))
  const ofHost = (className: string) => database.rows(className).flatMap(([, row]) => (row.host === ref ? [row] : []))
  const srs = ofHost('PBD').flatMap(({ SR }) => uuidOf(database, 'SR', SR))
  return {
    uuid: String(record.uuid),
    name: String(record.name_label),
    address: String(record.address),
    isLive: metrics?.live === true,
    cores: Math.max(1, Number(textIn(record.cpu_info, 'cpu_count') ?? 1)),
    memoryBytes: Number(metrics?.memory_total ?? 0n),
    overheadBytes: Number(record.memory_overhead ?? 0n),
    controlDomain: { ...controlDomain, pins: pinsOf(database, String(record.uuid)) },
    pifs: ofHost('PIF').flatMap(({ physical, device }) => (physical === true ? [String(device)] : [])),
    srs,
  }
}

function vmFacts(database: Database, record: ApiRecord, hosts: ReadonlyMap<string, string>): VmFacts {
  const uuid = String(record.uuid)
  const vcpus = Math.max(1, Number(record.VCPUs_at_startup ?? 1n))
  const cap = Number(textIn(record.VCPUs_params, 'cap') ?? 0)
  const guest = database.find('VM_guest_metrics', String(record.guest_metrics))
  const memoryBytes = Number(record.memory_target ?? record.memory_dynamic_max ?? 0n)
  return {
    uuid,
    name: String(record.name_label),
    state: String(record.power_state),
    vcpus,
    weight: Number(textIn(record.VCPUs_params, 'weight') ?? 256),
    mostCores: cap > 0 ? Math.min(vcpus, cap / 100) : vcpus,
    memoryBytes,
    targetBytes: memoryBytes,
    reportsFreeMemory: record.is_control_domain === true || guest?.PV_drivers_detected === true,
    vifs: refsIn(record.VIFs).flatMap((ref) => {
      const vif = database.find('VIF', ref)
      return vif ? [String(vif.device)] : []
    }),
    disks: refsIn(record.VBDs).flatMap((ref) => {
      const vbd = database.find('VBD', ref)
      const disk = vbd && vbd.empty !== true ? database.find('VDI', String(vbd.VDI)) : undefined
      return vbd && disk ? [{ device: String(vbd.device), sr: uuidOf(database, 'SR', disk.SR)[0] ?? '' }] : []
    }),
    life: [...lifeOf(database, record, hosts)],
    pins: pinsOf(database, uuid),
  }
}

function isGuest(record: ApiRecord): boolean {
  return record.is_control_domain !== true && record.is_a_template !== true && record.is_a_snapshot !== true
}

/** From references to uuids. */
export function hostUuids(database: Database): Map<string, string> {
  return new Map(database.rows('host').map(([ref, { uuid }]) => [ref, String(uuid)]))
}

function placesOf(database: Database, record: ApiRecord, hosts: ReadonlyMap<string, string>): Set<string> {
  const life = lifeOf(database, record, hosts)
  return new Set(
    life.flatMap(({ host, to }) => [host, ...(to === undefined ? [] : [to])]).filter((host) => host !== ''),
  )
}

function uuidOf(database: Database, className: string, ref: unknown): string[] {
  const record = database.find(className, String(ref))
  return record ? [String(record.uuid)] : []
}

function refsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : []
}

function textIn(map: unknown, key: string): string | undefined {
  if (typeof map !== 'object' || map === null) return undefined
  const found = Object.entries(map).find(([name]) => name === key)?.[1]
  return typeof found === 'string' ? found : undefined
}
