/** Pools for tests: written by hand in a few words, or made up by the machine. They are documents, as users write them. */
import fc from 'fast-check'
import { type Pool, readPool } from '../../src/balance/index.js'

const GIB = 2 ** 30

/** A document before it is read: what is left out has its default. */
export interface Document {
  readonly [key: string]: unknown
  readonly pool: { readonly [key: string]: unknown; readonly coordinator: string }
  readonly hosts: readonly Item[]
  readonly vms: readonly Item[]
  readonly rules?: readonly Item[]
}
type Item = Readonly<Record<string, unknown>>

/** The pool of a document that is known to be right. */
export function poolOf(document: object): Pool {
  const reading = readPool(JSON.stringify(document))
  if (reading.state === 'refused') throw new Error(JSON.stringify(reading.problems))
  return reading.pool
}

/** A pool of hosts h1, h2, ... with 8 CPUs and 32 GiB; h1 is the coordinator. */
export function document(hosts: readonly Item[], vms: readonly Item[], more: Item = {}): Document {
  return {
    format: 'openwlb-pool/1',
    at: '2026-03-01T12:00:00Z',
    pool: { uuid: 'pool', coordinator: 'h1' },
    hosts: hosts.map((host, at) => ({ uuid: `h${at + 1}`, cpus: 8, memoryBytes: 32 * GIB, ...host })),
    vms: vms.map((vm, at) => ({
      uuid: `v${at + 1}`,
      host: 'h1',
      vcpus: 2,
      memoryFloorBytes: 2 * GIB,
      demand: { cpu: [1] },
      ...vm,
    })),
    ...more,
    // samples of half an hour would count for less
    settings: { horizonMinutes: 240, ...(isRecord(more.settings) ? more.settings : {}) },
  }
}

function isRecord(value: unknown): value is Item {
  return typeof value === 'object' && value !== null
}

/** Hosts of all kinds, VMs of all kinds, rules, high availability, and defects that a pool may start with. */
export function anyDocument(most: { readonly hosts: number; readonly vms: number }): fc.Arbitrary<Document> {
  return fc
    .record({
      hosts: fc.array(anyHost, { minLength: 1, maxLength: most.hosts }),
      vms: fc.array(anyVm, { maxLength: most.vms }),
      rules: fc.array(anyRule, { maxLength: 3 }),
      ha: fc.option(
        fc.record({
          enabled: fc.constant(true),
          planExistsFor: fc.integer({ min: 1, max: 2 }),
          allowOvercommit: rarely,
        }),
      ),
      hasVersions: fc.boolean(),
      mode: fc.constantFrom('performance', 'performance', 'density'),
      clusteredStorage: rarely,
      reserveHosts: fc.constantFrom(0, 0, 0, 1, 2),
    })
    .map(({ hosts, vms, rules, ha, mode, clusteredStorage, reserveHosts, hasVersions }) => {
      const hostAt = (index: number) => `h${(index % hosts.length) + 1}`
      const vmAt = (index: number) => `v${(index % vms.length) + 1}`
      return document(
        hosts.map((host, index) => ({
          ...host,
          version: hasVersions ? host.version : undefined,
          // most of those that we switched off are off
          ...(host.power?.poweredOffByUs && index > 0 && host.live ? { live: false, enabled: false } : {}),
        })),
        vms.map(({ at, ...vm }) => ({
          ...vm,
          host: vm.state === 'running' || vm.state === 'paused' ? hostAt(at) : null,
        })),
        {
          mode,
          pool: { uuid: 'pool', coordinator: 'h1', ...(ha ? { ha } : {}), clusteredStorage, reserveHosts },
          rules:
            vms.length === 0
              ? []
              : rules.map((rule) => ({ ...rule, vms: rule.vms.map(vmAt), hosts: rule.hosts.map(hostAt) })),
        },
      )
    })
}

const rarely = fc.integer({ min: 0, max: 9 }).map((number) => number === 0)
const mostly = rarely.map((rare) => !rare)
const gibs = (min: number, max: number) => fc.integer({ min, max }).map((number) => number * GIB)
const storage = fc.constantFrom(undefined, undefined, ['sr1'], ['sr1', 'sr2'])

type Power =
  | { readonly managed: boolean; readonly tested: boolean; poweredOffByUs?: boolean; changedAt?: string }
  | undefined

const anyHost = fc.record({
  cpus: fc.constantFrom(4, 8, 16),
  memoryBytes: gibs(8, 64),
  live: mostly,
  enabled: mostly,
  storageRepositories: storage,
  excluded: fc.constantFrom([], [], [], ['placement'], ['evacuation'], ['optimisation'], ['accepting']),
  version: fc.constantFrom('8.2.1', '8.3.0', '8.3.0'),
  power: fc.constantFrom<Power>(
    undefined,
    { managed: true, tested: true },
    { managed: true, tested: true },
    { managed: true, tested: true, poweredOffByUs: true },
    { managed: true, tested: true, changedAt: '2026-03-01T11:30:00Z' },
    { managed: true, tested: false },
  ),
})

/** One that is busy, idle, or not measured for a while. */
const anyCpu = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.array(
      fc.integer({ min: 0, max: 40 }).map((tenths) => tenths / 10),
      { minLength: 1, maxLength: 6 },
    ),
  },
  { weight: 1, arbitrary: fc.array(fc.option(fc.integer({ min: 0, max: 4 })), { maxLength: 4 }) },
)

const anyVm = fc.record({
  at: fc.nat(100),
  state: fc.constantFrom('running', 'running', 'running', 'running', 'running', 'halted', 'suspended', 'paused'),
  vcpus: fc.constantFrom(1, 2, 4),
  memoryFloorBytes: gibs(1, 12),
  memoryWantBytes: fc.option(gibs(1, 16)),
  memoryStaticMaxBytes: fc.option(gibs(1, 16)),
  demand: fc.record({ cpu: anyCpu }),
  storageRepositories: fc.constantFrom([], [], [], ['sr1'], ['sr2']),
  immovable: fc.constantFrom(null, null, null, null, null, null, 'VM_HAS_PCI_ATTACHED'),
  lastMovedAt: fc.constantFrom(
    null,
    null,
    null,
    null,
    '2026-03-01T11:45:00Z',
    '2026-03-01T10:00:00Z',
    '2026-03-02T00:00:00Z',
  ),
  haProtected: fc.boolean(),
  group: fc.constantFrom(null, null, null, 'web'),
})

const anyRule = fc.record({
  kind: fc.constantFrom('apart', 'together', 'pin', 'avoid'),
  strength: fc.constantFrom('must', 'must', 'should'),
  vms: fc.uniqueArray(fc.nat(100), { minLength: 1, maxLength: 3 }),
  hosts: fc.uniqueArray(fc.nat(100), { minLength: 1, maxLength: 2 }),
})
