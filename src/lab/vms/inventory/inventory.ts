/**
 * Fills the database of a new pool with storage, networks and guests: what a pool has that was in use for some months. The seed
 * decides all of it, the UUIDs of the guests too.
 */
import type { Database } from '../../database/database.js'
import { chooseGuests, GIB, type Guest, guestOverheadBytes } from './guests.js'
import { addHost, bootCpuFlags, type NamedHost, poolHardware } from './hardware.js'
import { seededMac, seededRandom } from './seeded-random.js'

export interface NewPoolRecords {
  readonly uuid: string
  /** The first one is coordinator. */
  readonly hosts: readonly NamedHost[]
  /** How many guests run on all of them together. */
  readonly vms: number
  readonly seed: number
  readonly now: Date
}

interface Inventory extends Pick<NewPoolRecords, 'seed' | 'now'> {
  readonly hosts: readonly (NamedHost & { readonly ref: string })[]
  readonly guests: readonly Guest[]
}

/** Every so many hosts there is one shared repository more. */
const HOSTS_A_SHARED_SR = 16
const SHARED_SR_BYTES = 20 * 1024 * GIB
const LOCAL_SR_BYTES = 400 * GIB
/** Of PIFs, in Mbit/s. */
const PIF_SPEED = 10_000n

/** Fills an empty database; returns the references of the hosts. */
export function addPool(database: Database, { uuid, hosts: named, vms, seed, now }: NewPoolRecords): string[] {
  const { guests, hostSize } = chooseGuests(seed, named.length, vms)
  const hosts = named.map((host) => ({ ...host, ref: addHost(database, host, hostSize, seed) }))
  const pool = database.create('pool', {
    uuid,
    name_label: 'lab',
    master: hosts[0]?.ref ?? '',
    // As pools are installed today, against the field's own default: verification is on from the start.
    wlb_verify_cert: true,
    restrictions: { restrict_wlb: 'false' },
    ...poolHardware(hostSize, hosts.length),
  })
  const inventory = { seed, hosts, guests, now }
  const network = addNetworks(database, inventory)
  const shared = addStorage(database, inventory)
  const [first = ''] = shared
  database.update('pool', pool, { default_SR: first, suspend_image_SR: first, crash_dump_SR: first })

  const random = seededRandom(seed, 'disks')
  const residents = new Map<string, string[]>(hosts.map(({ ref }) => [ref, []]))
  for (const [index, guest] of guests.entries()) {
    const host = hosts[guest.host]?.ref ?? ''
    const there = residents.get(host) ?? []
    const sr = shared[Math.floor(random.fraction() * shared.length)] ?? ''
    const domid = BigInt(there.length + 1)
    there.push(addGuest(database, inventory, guest, { host, sr, network, domid, index }))
  }
  completeSets(database)
  for (const [host, there] of residents) settleHost(database, host, there)
  return hosts.map(({ ref }) => ref)
}

/** Returns the network of the guests. */
function addNetworks(database: Database, { seed, hosts, now }: Inventory): string {
  const [management, guests] = [0, 1].map((device) =>
    database.create('network', {
      name_label: `Pool-wide network associated with eth${device}`,
      bridge: `xenbr${device}`,
    }),
  )
  database.create('network', {
    name_label: 'Internal',
    name_description: 'Between guests of one host',
    bridge: 'xapi0',
  })
  for (const { ref: host, name, address } of hosts) {
    for (const [device, network] of [management, guests].entries()) {
      const isManagement = device === 0
      const metrics = database.create('PIF_metrics', {
        carrier: true,
        duplex: true,
        speed: PIF_SPEED,
        vendor_name: 'OpenWLB',
        device_name: 'Lab adapter',
        last_updated: now,
      })
      database.create('PIF', {
        device: `eth${device}`,
        network: network ?? '',
        host,
        MAC: seededMac(seed, `${name} eth${device}`),
        metrics,
        physical: true,
        currently_attached: true,
        management: isManagement,
        disallow_unplug: isManagement,
        ...(isManagement && { ip_configuration_mode: 'Static', IP: address, netmask: '255.0.0.0' }),
      })
    }
  }
  return guests ?? ''
}

/** Returns the shared repositories. */
function addStorage(database: Database, { hosts }: Inventory): string[] {
  const attach = (sr: string, host: string, device_config: Record<string, string>) =>
    database.create('PBD', { host, SR: sr, device_config, currently_attached: true })
  const count = 1 + Math.floor(hosts.length / HOSTS_A_SHARED_SR)
  const shared = Array.from({ length: count }, (_, index) => {
    const sr = database.create('SR', {
      name_label: `Shared storage ${index + 1}`,
      type: 'nfs',
      content_type: 'user',
      shared: true,
      physical_size: BigInt(SHARED_SR_BYTES),
      allowed_operations: [
        'vdi_create',
        'vdi_destroy',
        'vdi_snapshot',
        'vdi_clone',
        'plug',
        'unplug',
        'scan',
        'update',
      ],
    })
    for (const { ref } of hosts) attach(sr, ref, { server: 'nfs.lab.internal', serverpath: `/export/${index + 1}` })
    return sr
  })
  for (const { ref } of hosts) {
    const sr = database.create('SR', {
      name_label: 'Local storage',
      type: 'ext',
      content_type: 'user',
      physical_size: BigInt(LOCAL_SR_BYTES),
      allowed_operations: [
        'vdi_create',
        'vdi_destroy',
        'vdi_snapshot',
        'vdi_clone',
        'plug',
        'unplug',
        'scan',
        'update',
      ],
    })
    attach(sr, ref, { device: '/dev/sda3' })
    database.update('host', ref, { suspend_image_sr: sr, crash_dump_sr: sr })
  }
  return shared
}

interface GuestPlace {
  readonly host: string
  readonly sr: string
  readonly network: string
  readonly domid: bigint
  readonly index: number
}

const DOMAIN_TYPE = 'hvm'

function addGuest(database: Database, { seed, now }: Inventory, guest: Guest, place: GuestPlace): string {
  const { host, sr, network, domid, index } = place
  const memory = BigInt(guest.memoryBytes)
  const metrics = database.create('VM_metrics', {
    memory_actual: memory,
    VCPUs_number: BigInt(guest.vcpus),
    state: [],
    start_time: now,
    install_time: now,
    last_updated: now,
    hvm: true,
    current_domain_type: DOMAIN_TYPE,
  })
  const vm = database.create('VM', {
    uuid: guest.uuid,
    name_label: guest.name,
    tags: [guest.service],
    power_state: 'Running',
    resident_on: host,
    domid,
    memory_target: memory,
    memory_static_max: memory,
    memory_dynamic_max: memory,
    memory_dynamic_min: BigInt(guest.memoryFloorBytes),
    memory_static_min: BigInt(guest.memoryFloorBytes / 2),
    memory_overhead: BigInt(guestOverheadBytes(guest)),
    VCPUs_max: BigInt(guest.vcpus),
    VCPUs_at_startup: BigInt(guest.vcpus),
    HVM_boot_policy: 'BIOS order',
    HVM_boot_params: { order: 'cd', firmware: 'uefi' },
    platform: { acpi: 'true', apic: 'true', pae: 'true', nx: 'true', viridian: String(guest.isWindows) },
    domain_type: DOMAIN_TYPE,
    last_boot_CPU_flags: bootCpuFlags(DOMAIN_TYPE),
    metrics,
    guest_metrics: addGuestMetrics(database, guest, index, now),
  })
  const size = BigInt(guest.diskBytes)
  const disk = database.create('VDI', {
    name_label: `${guest.name} disk 0`,
    SR: sr,
    type: 'system',
    virtual_size: size,
    physical_utilisation: size / 2n,
    allowed_operations: ['snapshot', 'clone', 'resize', 'copy'],
  })
  database.create('VBD', {
    VM: vm,
    VDI: disk,
    device: 'xvda',
    userdevice: '0',
    bootable: true,
    currently_attached: true,
    allowed_operations: ['attach', 'unpause', 'pause'],
  })
  database.create('VIF', {
    VM: vm,
    network,
    device: '0',
    MAC: seededMac(seed, `guest ${index}`),
    MAC_autogenerated: true,
    currently_attached: true,
    allowed_operations: ['attach', 'unplug'],
  })
  return vm
}

const LINUX = { name: 'Debian GNU/Linux 12', uname: '6.1.0-lab', distro: 'debian', major: '12', minor: '0' }
const WINDOWS = { name: 'Microsoft Windows Server 2022 Standard', distro: 'windows', major: '10', minor: '0' }

function addGuestMetrics(database: Database, { isWindows }: Guest, index: number, now: Date): string {
  return database.create('VM_guest_metrics', {
    os_version: isWindows ? WINDOWS : LINUX,
    PV_drivers_version: { major: '9', minor: '3', micro: '0', build: '1' },
    PV_drivers_up_to_date: true,
    PV_drivers_detected: true,
    networks: { '0/ip': `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}` },
    other: { 'feature-suspend': '1', 'feature-poweroff': '1', 'feature-reboot': '1', 'feature-balloon': '1' },
    last_updated: now,
    live: true,
    can_use_hotplug_vbd: 'yes',
    can_use_hotplug_vif: 'yes',
  })
}

/** Sets that mirror references: class and field that refer, class and field that list who does. */
const MIRRORS = [
  ['PBD', 'SR', 'SR', 'PBDs'],
  ['PBD', 'host', 'host', 'PBDs'],
  ['PIF', 'host', 'host', 'PIFs'],
  ['PIF', 'network', 'network', 'PIFs'],
  ['VIF', 'network', 'network', 'VIFs'],
  ['VIF', 'VM', 'VM', 'VIFs'],
  ['VBD', 'VM', 'VM', 'VBDs'],
  ['VBD', 'VDI', 'VDI', 'VBDs'],
  ['VDI', 'SR', 'SR', 'VDIs'],
] as const

function completeSets(database: Database): void {
  for (const [from, field, to, set] of MIRRORS) {
    const lists = new Map<string, string[]>()
    for (const [ref, record] of database.rows(from)) {
      const target = String(record[field])
      const list = lists.get(target)
      if (list) list.push(ref)
      else lists.set(target, [ref])
    }
    for (const [ref, list] of lists) database.update(to, ref, { [set]: list })
  }
  for (const [sr] of database.rows('SR')) {
    const disks = database.rows('VDI').filter(([, disk]) => disk.SR === sr)
    const sum = (name: string) => disks.reduce((total, [, disk]) => total + BigInt(String(disk[name])), 0n)
    database.update('SR', sr, {
      virtual_allocation: sum('virtual_size'),
      physical_utilisation: sum('physical_utilisation'),
    })
  }
}

/** Enters the guests where they run, and what they leave free. */
function settleHost(database: Database, host: string, guests: readonly string[]): void {
  const { control_domain, metrics, memory_overhead } = database.get('host', host)
  const residents = [String(control_domain), ...guests]
  const bytes = (ref: string, name: string) => BigInt(String(database.get('VM', ref)[name]))
  const used = residents.reduce((sum, ref) => sum + bytes(ref, 'memory_target') + bytes(ref, 'memory_overhead'), 0n)
  const total = BigInt(String(database.get('host_metrics', String(metrics)).memory_total))
  database.update('host', host, { resident_VMs: residents })
  database.update('host_metrics', String(metrics), { memory_free: total - BigInt(String(memory_overhead)) - used })
}
