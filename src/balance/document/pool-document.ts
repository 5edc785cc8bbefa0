/**
 * The document `openwlb-pool/1`: all that advice depends on, as JSON. Its types are inferred from the schema, and
 * docs/pool-document.md is printed from it. Unknown keys are kept and ignored.
 */
import { z } from 'zod'
import { series } from './series.js'

/** What is refused before any work is done with it. */
export const LIMITS = {
  documentBytes: 64 * 1024 * 1024,
  hosts: 1024,
  vms: 20_000,
  rules: 5_000,
  /** Of one series: a fortnight of minutes. */
  samples: 20_160,
  textLength: 256,
  listLength: 4_096,
} as const

const text = z.string().min(1).max(LIMITS.textLength)
const bytes = z.number().min(0).max(1e18)
const perSecond = z.number().positive().max(1e15)
const fraction = z.number().gt(0).max(1)
const weight = z.number().min(0).max(1)
const texts = z.array(text).max(LIMITS.listLength)
/** ISO 8601 with a zone, as XenAPI and JavaScript print it. */
const time = z.iso.datetime({ offset: true })

/** A key that may be missing; programs also write null for that. */
function maybe<Value extends z.ZodType>(schema: Value) {
  return schema.nullish().transform((value) => value ?? undefined)
}

/** The same for a key that has a default. */
function or<Value extends z.ZodType>(schema: Value, otherwise: z.core.util.NoUndefined<z.input<Value>>) {
  return z.preprocess((value) => value ?? undefined, z.prefault(schema, otherwise))
}

const features = z
  .union([z.string().max(4_096), texts])
  .describe('CPU features: the words of xapi in hex ("17cbfbff-f7fa3223"), or names')

const settings = z
  .looseObject({
    horizonMinutes: maybe(z.number().min(1).max(10_080)).describe(
      'how long a placement is expected to hold; a short one makes fewer moves (aggressiveness)',
    ),
    recentMoveMinutes: or(z.number().min(0).max(10_080), 30).describe(
      'a VM that moved within this time is not moved by a plan',
    ),
    coordinatorReserve: or(z.number().min(0).max(0.9), 0.1).describe(
      'share of CPU and memory that is kept free on the coordinator',
    ),
    hostCpuThresholdCritical: or(fraction, 0.9).describe('share of a host’s CPU that counts as critical'),
    hostMemoryThresholdCritical: or(bytes, 53_477_376).describe(
      'free memory of a host, in bytes, that counts as critical',
    ),
    hostPifReadThresholdCritical: maybe(perSecond).describe('bytes received per second that count as critical'),
    hostPifWriteThresholdCritical: maybe(perSecond).describe('bytes sent per second that count as critical'),
    hostPbdReadThresholdCritical: maybe(perSecond).describe('bytes read per second that count as critical'),
    hostPbdWriteThresholdCritical: maybe(perSecond).describe('bytes written per second that count as critical'),
    vmCpuUtilizationWeightHigh: or(weight, 1).describe('importance of CPU'),
    vmMemoryWeightHigh: or(weight, 1).describe('importance of memory'),
    vmNetworkReadWeightHigh: or(weight, 0.5).describe('importance of what is received'),
    vmNetworkWriteWeightHigh: or(weight, 0.5).describe('importance of what is sent'),
    vmDiskReadWeightHigh: or(weight, 0.2).describe('importance of what is read from disks'),
    vmDiskWriteWeightHigh: or(weight, 0.2).describe('importance of what is written to disks'),
  })
  .describe('thresholds and weights of the WLB dictionary, in camelCase')

/** The series of a VM or of a host's own consumption, one a resource. */
const demand = z.looseObject({
  cpu: maybe(series('cores')).describe('cores in use'),
  networkReceive: maybe(series('bytes')).describe('bytes received per second'),
  networkTransmit: maybe(series('bytes')).describe('bytes sent per second'),
  diskRead: maybe(series('bytes')).describe('bytes read per second'),
  diskWrite: maybe(series('bytes')).describe('bytes written per second'),
})

const NEEDS = ['iommu', 'gpu', 'usb', 'sriov', 'hvm'] as const

const host = z.looseObject({
  uuid: text,
  name: maybe(text).describe('as people know it (default: the uuid)'),
  live: or(z.boolean(), true).describe('it runs and answers'),
  enabled: or(z.boolean(), true).describe('it takes VMs; a live host that is disabled is emptied'),
  cpus: z.number().int().min(1).max(65_536).describe('physical CPUs as xapi counts them'),
  memoryBytes: bytes.describe('for guests: total minus overhead'),
  network: maybe(
    z.looseObject({ receiveBytesPerSecond: maybe(perSecond), transmitBytesPerSecond: maybe(perSecond) }),
  ).describe('capacity; unknown capacity is not congested'),
  storage: maybe(
    z.looseObject({ readBytesPerSecond: maybe(perSecond), writeBytesPerSecond: maybe(perSecond) }),
  ).describe('capacity; unknown capacity is not congested'),
  base: maybe(demand).describe('what the host itself consumes: its control domain (default: nothing)'),
  storageRepositories: maybe(texts).describe('attached here (default: all that VMs need)'),
  networks: maybe(texts).describe('reachable from here (default: all that VMs need)'),
  cpuVendor: maybe(text).describe('default: the same everywhere'),
  cpuFeatures: maybe(features).describe('default: all that VMs need'),
  version: maybe(text).describe('a VM goes to an equal or newer version only (default: the same everywhere)'),
  provides: or(z.array(z.enum(NEEDS)), ['hvm']).describe('what VMs may need of a host besides memory and CPU'),
  excluded: or(z.array(z.enum(['placement', 'evacuation', 'optimisation', 'accepting'])), []).describe(
    'placement: no stars; evacuation: no target of one; accepting: receives nothing in a plan; optimisation: its VMs leave only to repair a rule or because it is disabled',
  ),
  power: maybe(
    z.looseObject({
      managed: or(z.boolean(), false),
      tested: or(z.boolean(), false),
      poweredOffByUs: or(z.boolean(), false),
      changedAt: maybe(time).describe(
        'when it was switched on or off last; one that was switched on stays on for an hour',
      ),
    }),
  ).describe('managed and tested: may be switched off; poweredOffByUs: may be switched on (default: neither)'),
})

const vm = z.looseObject({
  uuid: text,
  name: maybe(text).describe('as people know it (default: the uuid)'),
  host: text.nullable().default(null).describe('where it runs; null for one that does not'),
  state: or(z.enum(['running', 'halted', 'suspended', 'paused']), 'running'),
  vcpus: z.number().int().min(1).max(65_536),
  memoryFloorBytes: bytes.describe('dynamic minimum plus overhead: the hard limit at every step'),
  memoryWantBytes: maybe(bytes).describe('what it would like to have (default: the floor; less counts as the floor)'),
  memoryStaticMaxBytes: maybe(bytes).describe('static maximum plus overhead, for failover plans (default: wanted)'),
  demand: or(demand, {}).describe('absent or null samples are unknown, which is not zero'),
  storageRepositories: or(texts, []).describe('needed'),
  networks: or(texts, []).describe('needed'),
  cpuFlags: maybe(z.union([z.looseObject({ vendor: maybe(text), features: maybe(features) }), features])).describe(
    'vendor and features of the CPU it was started on, or the features alone (default: any CPU)',
  ),
  needs: or(z.array(z.enum(NEEDS)), []).describe('a VM with usb is not moved'),
  vcpuUnrestricted: or(z.boolean(), false).describe('may have more vCPUs than a host has CPUs'),
  immovable: maybe(text).describe('the code xapi refuses its migration with'),
  haProtected: or(z.boolean(), false).describe('restarted by high availability'),
  agile: maybe(z.boolean()).describe(
    'may be restarted on every enabled host (default: as storage, networks and needs say)',
  ),
  lastMovedAt: maybe(time),
  group: maybe(text).describe(
    'its VM group of xapi (anti-affinity): spread over hosts where possible, and never all on one',
  ),
})

const rule = z.looseObject({
  kind: z
    .enum(['apart', 'together', 'pin', 'avoid'])
    .describe('apart: no two on one host; together: all on one; pin: only on the hosts named; avoid: on none of them'),
  strength: or(z.enum(['must', 'should']), 'must').describe('must: never made worse, and repaired first'),
  vms: texts.min(1),
  hosts: maybe(texts).describe('for pin and avoid'),
})

export const poolDocument = z.looseObject({
  format: z.literal('openwlb-pool/1'),
  at: time.describe('when the document was made: the end of the last sample'),
  mode: or(z.enum(['performance', 'density']), 'performance').describe('performance: even load; density: few hosts on'),
  pool: z.looseObject({
    uuid: text,
    name: maybe(text).describe('default: the uuid'),
    coordinator: text.describe('the uuid of a host'),
    ha: maybe(
      z.looseObject({
        enabled: or(z.boolean(), false),
        planExistsFor: or(z.number().int().min(0).max(LIMITS.hosts), 0).describe('host failures that are planned for'),
        allowOvercommit: or(z.boolean(), false).describe('nothing is kept back for failures'),
      }),
    ).describe('high availability (default: off)'),
    reserveHosts: or(z.number().int().min(0).max(LIMITS.hosts), 0).describe(
      'host failures for which density keeps memory free',
    ),
    clusteredStorage: or(z.boolean(), false).describe('one host at most is down (GFS2)'),
  }),
  demand: or(z.looseObject({ stepSeconds: or(z.number().min(1).max(86_400), 300) }), { stepSeconds: 300 }).describe(
    'how far the samples of every series are apart; oldest first, the last one ends at `at`',
  ),
  settings: or(settings, {}),
  hosts: z.array(host).max(LIMITS.hosts),
  vms: or(z.array(vm).max(LIMITS.vms), []),
  rules: or(z.array(rule).max(LIMITS.rules), []),
})

/** The same without the unknown keys, which are kept in the value and belong to nobody. */
type Known<T> = T extends readonly (infer Item)[]
  ? readonly Known<Item>[]
  : T extends object
    ? { readonly [Key in keyof T as string extends Key ? never : Key]: Known<T[Key]> }
    : T

/** A pool at one time, with the defaults filled in. */
export type Pool = Known<z.output<typeof poolDocument>>
export type Host = Pool['hosts'][number]
export type Vm = Pool['vms'][number]
export type Rule = Pool['rules'][number]
export type Settings = Pool['settings']
export type Need = (typeof NEEDS)[number]
