/**
 * What the pool's database says about hosts and VMs that their load and their metrics depend on. A member asks the
 * coordinator for it, as xapi tells xcp-rrdd what it needs to know.
 */
import { z } from 'zod'
import type { ApiRecord, Database } from '../../database/database.js'
import { mapOf, numberOf, objectOf, objectsOf, textOf } from '../values.js'
import { hostLifeOf, lifeOf, pinsOf } from './lives.js'

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
  /** What Xen needs for it besides. */
  overheadBytes: z.number(),
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
  life: z.array(entrySchema),
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
    const controlDomain = objectOf(database, 'VM', record, 'control_domain')
    if (!controlDomain || !wanted.has(String(record.uuid))) return []
    return [hostFacts(database, ref, record, vmFacts(database, controlDomain, uuids))]
  })
  return {
    hosts,
    vms: guests.map((record) => vmFacts(database, record, uuids)).filter(({ life }) => life.length > 0),
    vmExtremes: mapOf(database.pool.record, 'other_config').create_min_max_in_new_VM_RRDs === 'true',
  }
}

function hostFacts(database: Database, ref: string, record: ApiRecord, controlDomain: VmFacts): HostFacts {
  const metrics = objectOf(database, 'host_metrics', record, 'metrics')
  const ofHost = (className: string) => database.rows(className).flatMap(([, row]) => (row.host === ref ? [row] : []))
  return {
    uuid: textOf(record, 'uuid'),
    name: textOf(record, 'name_label'),
    address: textOf(record, 'address'),
    isLive: metrics?.live === true,
    life: [...hostLifeOf(database, textOf(record, 'uuid'))],
    cores: Math.max(1, Number(mapOf(record, 'cpu_info').cpu_count ?? 1)),
    memoryBytes: metrics ? numberOf(metrics, 'memory_total') : 0,
    overheadBytes: numberOf(record, 'memory_overhead'),
    controlDomain: { ...controlDomain, pins: pinsOf(database, textOf(record, 'uuid')) },
    pifs: ofHost('PIF').flatMap((pif) => (pif.physical === true ? [textOf(pif, 'device')] : [])),
    srs: ofHost('PBD').flatMap((pbd) => uuidOf(objectOf(database, 'SR', pbd, 'SR'))),
  }
}

function vmFacts(database: Database, record: ApiRecord, hosts: ReadonlyMap<string, string>): VmFacts {
  const uuid = textOf(record, 'uuid')
  const vcpus = Math.max(1, numberOf(record, 'VCPUs_at_startup'))
  const { cap = '0', weight = '256' } = mapOf(record, 'VCPUs_params')
  const guest = objectOf(database, 'VM_guest_metrics', record, 'guest_metrics')
  return {
    uuid,
    name: textOf(record, 'name_label'),
    state: textOf(record, 'power_state'),
    vcpus,
    weight: Number(weight),
    mostCores: Number(cap) > 0 ? Math.min(vcpus, Number(cap) / 100) : vcpus,
    memoryBytes: numberOf(record, 'memory_target'),
    overheadBytes: numberOf(record, 'memory_overhead'),
    reportsFreeMemory: record.is_control_domain === true || guest?.PV_drivers_detected === true,
    vifs: objectsOf(database, 'VIF', record, 'VIFs').map((vif) => textOf(vif, 'device')),
    disks: objectsOf(database, 'VBD', record, 'VBDs').flatMap((vbd) => {
      const disk = vbd.empty === true ? undefined : objectOf(database, 'VDI', vbd, 'VDI')
      const [sr = ''] = disk ? uuidOf(objectOf(database, 'SR', disk, 'SR')) : []
      return disk ? [{ device: textOf(vbd, 'device'), sr }] : []
    }),
    life: [...lifeOf(database, record, hosts)],
    pins: pinsOf(database, uuid),
  }
}

function isGuest(record: ApiRecord): boolean {
  return record.is_control_domain !== true && record.is_a_template !== true && record.is_a_snapshot !== true
}

/** From references to uuids. */
function hostUuids(database: Database): Map<string, string> {
  return new Map(database.rows('host').map(([ref, { uuid }]) => [ref, String(uuid)]))
}

function placesOf(database: Database, record: ApiRecord, hosts: ReadonlyMap<string, string>): Set<string> {
  const life = lifeOf(database, record, hosts)
  return new Set(
    life.flatMap(({ host, to }) => [host, ...(to === undefined ? [] : [to])]).filter((host) => host !== ''),
  )
}

function uuidOf(record: ApiRecord | undefined): string[] {
  return record ? [textOf(record, 'uuid')] : []
}
