/** The hosts of a new pool and their hardware, on which guests, and checks about them, depend. */
import type { ApiRecord, Database } from '../../database/database.js'
import type { HostSize } from './guests.js'
import { seededUuid } from './seeded-random.js'

const FEATURES_HVM = '1fcbfbff-f7fa3223-2d93fbff-00000423-00000001-000007ab-00000000-00000000-00001000-0c000000'
const FEATURES_PV = '17c9cbf5-f6f83203-2191cbf5-00000023-00000001-00000329-00000000-00000000-00001000-0c000000'

const CPU_VENDOR = 'GenuineIntel'

const CPU = {
  vendor: CPU_VENDOR,
  speed: '2400.000',
  modelname: 'Lab processor',
  family: '6',
  model: '85',
  stepping: '7',
  flags: 'fpu de tsc msr pae mce cx8 apic sep mca cmov pat clflush acpi mmx fxsr sse sse2 ht syscall nx lm',
  features: FEATURES_HVM,
  features_pv: FEATURES_PV,
  features_hvm: FEATURES_HVM,
  features_pv_host: FEATURES_PV,
  features_hvm_host: FEATURES_HVM,
}

/** Two processors for machines of eight CPUs and more. */
function socketsOf(cpus: number): number {
  return cpus < 8 ? 1 : 2
}

function hardwareOf({ cpus, overheadBytes }: HostSize): ApiRecord {
  const sockets = socketsOf(cpus)
  return {
    memory_overhead: BigInt(overheadBytes),
    cpu_info: { cpu_count: String(cpus), socket_count: String(sockets), threads_per_core: '2', ...CPU },
    cpu_configuration: {
      nr_nodes: String(sockets),
      sockets_per_node: '1',
      cores_per_socket: String(Math.ceil(cpus / sockets / 2)),
      threads_per_core: '2',
    },
    capabilities: ['xen-3.0-x86_64', 'hvm-3.0-x86_32', 'hvm-3.0-x86_32p', 'hvm-3.0-x86_64'],
    chipset_info: { iommu: 'true' },
    supported_bootloaders: ['pygrub', 'eliloader'],
    bios_strings: { 'bios-vendor': 'OpenWLB', 'system-manufacturer': 'OpenWLB', 'system-product-name': 'Lab host' },
  }
}

/** What the pool makes of its hosts: sums, and the features all of them have. */
export function poolHardware({ cpus }: HostSize, hosts: number): ApiRecord {
  return {
    cpu_info: {
      cpu_count: String(hosts * cpus),
      socket_count: String(hosts * socketsOf(cpus)),
      vendor: CPU_VENDOR,
      features_pv: FEATURES_PV,
      features_hvm: FEATURES_HVM,
      features_pv_host: FEATURES_PV,
      features_hvm_host: FEATURES_HVM,
    },
  }
}

export interface NamedHost {
  readonly uuid: string
  readonly name: string
  readonly address: string
}

/** Adds a host with its processors and its control domain. */
export function addHost(database: Database, { uuid, name, address }: NamedHost, size: HostSize, seed: number): string {
  const total = BigInt(size.memoryBytes)
  const host = database.create('host', {
    uuid,
    name_label: name,
    name_description: 'Host of the lab',
    hostname: name,
    address,
    metrics: database.create('host_metrics', { memory_total: total, memory_free: total }),
    software_version: {
      product_brand: 'OpenWLB lab',
      product_version: '8.4.0',
      platform_name: 'XCP',
      platform_version: '3.4.0',
      xapi: '26.13',
      xapi_build: '26.13.0',
      hostname: name,
    },
    ...hardwareOf(size),
  })
  database.update('host', host, {
    control_domain: addControlDomain(database, host, name, size, seed),
    host_CPUs: Array.from({ length: size.cpus }, (_, number) =>
      database.create('host_cpu', { host, number: BigInt(number) }),
    ),
  })
  return host
}

const CONTROL_DOMAIN_VCPUS = 4n

function addControlDomain(database: Database, host: string, hostName: string, size: HostSize, seed: number): string {
  const memory = BigInt(size.controlDomainBytes)
  return database.create('VM', {
    uuid: seededUuid(seed, `control domain ${hostName}`),
    name_label: `Control domain on host: ${hostName}`,
    is_control_domain: true,
    power_state: 'Running',
    resident_on: host,
    affinity: host,
    domid: 0n,
    domain_type: 'pv',
    memory_target: memory,
    memory_static_max: memory,
    memory_dynamic_max: memory,
    memory_dynamic_min: memory,
    memory_static_min: memory,
    VCPUs_max: CONTROL_DOMAIN_VCPUS,
    VCPUs_at_startup: CONTROL_DOMAIN_VCPUS,
    metrics: database.create('VM_metrics', { memory_actual: memory, VCPUs_number: CONTROL_DOMAIN_VCPUS }),
  })
}

/** The flags a guest has that was started on one of these hosts: vendor, and the features it may use. */
export function bootCpuFlags(domainType: string): Record<string, string> {
  return { vendor: CPU_VENDOR, features: domainType === 'pv' ? FEATURES_PV : FEATURES_HVM }
}
