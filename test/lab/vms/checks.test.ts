/** What a pool refuses: each check of where a VM may run, what may be done with it, and what may be done with a host. */
import { describe, expect, it, test } from 'vitest'
import type { ApiRecord, Database } from '../../../src/lab/database/database.js'
import { refuseHostOperation } from '../../../src/lab/vms/checks/host-operations.js'
import { refuseRun } from '../../../src/lab/vms/checks/may-run.js'
import { freeBytes, vmBytes } from '../../../src/lab/vms/checks/memory.js'
import { chooseHost, possibleHosts } from '../../../src/lab/vms/checks/placement.js'
import { allowedVmOperations, refuseOperation, type VmOperation } from '../../../src/lab/vms/checks/vm-operations.js'
import { listOf, textOf } from '../../../src/lab/vms/values.js'
import type { ApiFailure } from '../../../src/xapi/index.js'
import { newDatabase } from './new-database.js'

/** A pool of three hosts, and what a table speaks of: a guest of xs1, xs2, the guest's own records. */
class Scene {
  readonly database: Database = newDatabase({ hosts: 3, vms: 9 })
  readonly vm: string
  readonly source: string
  readonly target: string

  constructor() {
    const [source = '', target = ''] = this.database.refs('host')
    this.source = source
    this.target = target
    this.vm = listOf(this.database.get('host', source), 'resident_VMs')[1] ?? ''
  }

  set(className: string, ref: string, values: ApiRecord): void {
    this.database.update(className, ref, values)
  }

  /** The reference in a field, or the first of them. */
  own(field: string): string {
    const vm = this.database.get('VM', this.vm)
    return listOf(vm, field)[0] ?? textOf(vm, field)
  }

  get disk(): string {
    return textOf(this.database.get('VBD', this.own('VBDs')), 'VDI')
  }

  get sr(): string {
    return textOf(this.database.get('VDI', this.disk), 'SR')
  }

  get network(): string {
    return textOf(this.database.get('VIF', this.own('VIFs')), 'network')
  }

  /** Code and parameters, references as words. */
  say(failure: ApiFailure | undefined): string {
    if (!failure) return 'yes'
    const words = new Map([
      [this.vm, 'VM'],
      [this.target, 'HOST'],
      [this.sr, 'SR'],
      [this.network, 'NETWORK'],
    ])
    return [failure.code, ...failure.params.map((param) => words.get(param) ?? param)].join(' ')
  }

  detach(className: 'PBD' | 'PIF', host: string): void {
    for (const [ref, record] of this.database.rows(className)) {
      if (record.host !== host) continue
      if (className === 'PBD') this.set('PBD', ref, { currently_attached: false })
      else
        this.set('network', this.network, {
          PIFs: listOf(this.database.get('network', this.network), 'PIFs').filter((pif) => pif !== ref),
        })
    }
  }
}

type Change = (scene: Scene) => void
const nothing: Change = () => {}

describe('where a VM may run', () => {
  const cases: [what: string, change: Change, outcome: string][] = [
    ['any other host of the pool', nothing, 'yes'],
    [
      'a host that is dead',
      (s) => s.set('host_metrics', textOf(s.database.get('host', s.target), 'metrics'), { live: false }),
      'HOST_NOT_LIVE',
    ],
    [
      'a control domain elsewhere',
      (s) => s.set('VM', s.vm, { is_control_domain: true, affinity: s.source }),
      'OPERATION_NOT_ALLOWED Cannot boot a control domain on a host different from its affinity',
    ],
    ['a host that is disabled', (s) => s.set('host', s.target, { enabled: false }), 'HOST_DISABLED HOST'],
    [
      'an older virtual hardware',
      (s) => s.set('VM', s.vm, { hardware_platform_version: 3n }),
      'VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION HOST [0; 1; 2] VM 3',
    ],
    [
      'a host that says no version',
      (s) => {
        s.set('host', s.target, { virtual_hardware_platform_versions: [] })
        s.set('VM', s.vm, { hardware_platform_version: 1n })
      },
      'VM_HOST_INCOMPATIBLE_VIRTUAL_HARDWARE_PLATFORM_VERSION HOST [0] VM 1',
    ],
    [
      'a CPU of another vendor',
      (s) => s.set('host', s.target, { cpu_info: { vendor: 'AuthenticAMD', cpu_count: '64' } }),
      'VM_INCOMPATIBLE_WITH_THIS_HOST VM HOST VM last booted on a host which had a CPU from a different vendor.',
    ],
    [
      'a CPU with fewer features',
      (s) =>
        s.set('host', s.target, {
          cpu_info: { vendor: 'GenuineIntel', cpu_count: '64', features_hvm: '1fcbfbff-00000000' },
        }),
      "VM_INCOMPATIBLE_WITH_THIS_HOST VM HOST VM last booted on a CPU with features this host's CPU does not have.",
    ],
    [
      'a CPU of another vendor, for a VM that is halted',
      (s) => {
        s.set('VM', s.vm, { power_state: 'Halted', resident_on: 'OpaqueRef:NULL' })
        s.set('host', s.target, { cpu_info: { vendor: 'AuthenticAMD', cpu_count: '64' } })
      },
      'yes',
    ],
    ['a host without its storage', (s) => s.detach('PBD', s.target), 'VM_REQUIRES_SR VM SR'],
    [
      'a host without its storage, for a drive that is empty',
      (s) => {
        s.detach('PBD', s.target)
        s.set('VBD', s.own('VBDs'), { empty: true })
      },
      'yes',
    ],
    ['a host without its network', (s) => s.detach('PIF', s.target), 'VM_REQUIRES_NETWORK VM NETWORK'],
    [
      'a network inside another host',
      (s) => s.set('network', s.network, { PIFs: [], VIFs: [s.own('VIFs')] }),
      'VM_REQUIRES_NETWORK VM NETWORK',
    ],
    ['a network inside hosts, with another VM there', (s) => s.set('network', s.network, { PIFs: [] }), 'yes'],
    [
      'a network that is taken for shared',
      (s) => s.set('network', s.network, { PIFs: [], other_config: { assume_network_is_shared: 'true' } }),
      'yes',
    ],
    ['a network that nobody manages', (s) => s.set('network', s.network, { PIFs: [], managed: false }), 'yes'],
    ['a GPU', (s) => s.set('VM', s.vm, { VGPUs: ['OpaqueRef:gpu'] }), 'VM_REQUIRES_GPU VM OpaqueRef:gpu'],
    ['a host without HVM', (s) => s.set('host', s.target, { capabilities: ['xen-3.0-x86_64'] }), 'VM_HVM_REQUIRED VM'],
    [
      'a host without HVM, for a paravirtualised VM',
      (s) => {
        s.set('host', s.target, { capabilities: ['xen-3.0-x86_64'] })
        s.set('VM', s.vm, { domain_type: 'pv', last_boot_CPU_flags: {} })
      },
      'yes',
    ],
    [
      'more memory than is free',
      (s) => s.set('VM', s.vm, { memory_dynamic_min: 2n ** 50n, memory_overhead: 0n }),
      `HOST_NOT_ENOUGH_FREE_MEMORY ${2 ** 50} FREE`,
    ],
    ['more vCPUs than CPUs', (s) => s.set('VM', s.vm, { VCPUs_max: 99n }), 'HOST_NOT_ENOUGH_PCPUS 99 CPUS'],
    [
      'more vCPUs than CPUs, and allowed to',
      (s) => s.set('VM', s.vm, { VCPUs_max: 99n, platform: { 'vcpu-unrestricted': 'true' } }),
      'yes',
    ],
    [
      'disabled and without its storage: the first check counts',
      (s) => {
        s.set('host', s.target, { enabled: false })
        s.detach('PBD', s.target)
      },
      'HOST_DISABLED HOST',
    ],
  ]

  it.each(cases)('%s', (_, change, outcome) => {
    const scene = new Scene()
    const { database, vm, target } = scene
    for (const [ref] of database.rows('host_metrics')) database.update('host_metrics', ref, { live: true })
    change(scene)
    const free = String(Math.max(0, freeBytes(database, target, 'dynamic_min')))
    const cpus = String(Object(database.get('host', target).cpu_info).cpu_count)
    const said = scene.say(refuseRun(database, { vm, host: target }))
    expect(said).toBe(outcome.replace(/ FREE$/, ` ${free}`).replace(/ CPUS$/, ` ${cpus}`))
  })

  test('a VM on its way counts on both hosts', () => {
    const { database, vm, source, target } = new Scene()
    const bytes = vmBytes(database.get('VM', vm), 'dynamic_min')
    const before = [source, target].map((host) => freeBytes(database, host, 'dynamic_min'))
    database.update('VM', vm, { scheduled_to_be_resident_on: target })
    expect([source, target].map((host) => freeBytes(database, host, 'dynamic_min'))).toEqual([
      before[0],
      Number(before[1]) - bytes,
    ])
    expect(freeBytes(database, target, 'dynamic_min', vm)).toBe(before[1])
  })

  test('where it starts: the host it is bound to, else the roomiest', () => {
    const { database, vm, target } = new Scene()
    for (const [ref] of database.rows('host_metrics')) database.update('host_metrics', ref, { live: true })
    database.update('VM', vm, { power_state: 'Halted', resident_on: 'OpaqueRef:NULL' })
    database.update('VM', vm, { affinity: target })
    expect(chooseHost(database, vm)).toBe(target)
    database.update('VM', vm, { affinity: 'OpaqueRef:NULL' })
    database.update('pool', database.pool.ref, { coordinator_bias: false })
    const byRoom = database
      .refs('host')
      .toSorted((a, b) => freeBytes(database, b, 'static_max') - freeBytes(database, a, 'static_max'))
    expect(chooseHost(database, vm)).toBe(byRoom[0])
    expect(possibleHosts(database, vm)).toEqual(database.refs('host'))
    database.update('host', byRoom[0] ?? '', { current_operations: { task: 'evacuate' } })
    expect(chooseHost(database, vm)).toBe(byRoom[1])
  })
})

describe('what may be done with a VM', () => {
  const guest = (s: Scene, values: ApiRecord) => s.set('VM_guest_metrics', s.own('guest_metrics'), values)
  const cases: [what: string, operation: VmOperation, change: Change, outcome: string][] = [
    ['it runs', 'pool_migrate', nothing, 'yes'],
    [
      'blocked',
      'pool_migrate',
      (s) => s.set('VM', s.vm, { blocked_operations: { pool_migrate: 'pinned by the owner' } }),
      'OPERATION_BLOCKED VM pinned by the owner',
    ],
    [
      'halted',
      'pool_migrate',
      (s) => s.set('VM', s.vm, { power_state: 'Halted' }),
      'VM_BAD_POWER_STATE VM running halted',
    ],
    ['running', 'start', nothing, 'VM_BAD_POWER_STATE VM halted running'],
    [
      'halted',
      'hard_shutdown',
      (s) => s.set('VM', s.vm, { power_state: 'Halted' }),
      'VM_BAD_POWER_STATE VM paused, suspended, running halted',
    ],
    [
      'on its way',
      'pool_migrate',
      (s) => s.set('VM', s.vm, { current_operations: { task: 'pool_migrate' } }),
      'OTHER_OPERATION_IN_PROGRESS VM.pool_migrate VM',
    ],
    [
      'busy twice',
      'suspend',
      (s) => s.set('VM', s.vm, { current_operations: { a: 'clone', b: 'copy' } }),
      'OTHER_OPERATION_IN_PROGRESS VM.{clone,copy} VM',
    ],
    [
      'a template',
      'start',
      (s) => s.set('VM', s.vm, { is_a_template: true, power_state: 'Halted' }),
      'VM_IS_TEMPLATE VM start',
    ],
    [
      'a snapshot',
      'start',
      (s) => s.set('VM', s.vm, { is_a_snapshot: true, is_a_template: true, power_state: 'Halted' }),
      'VM_IS_SNAPSHOT VM start',
    ],
    [
      'started with nomigrate',
      'pool_migrate',
      (s) => s.set('VM_metrics', s.own('metrics'), { nomigrate: true }),
      'VM_IS_IMMOBILE VM',
    ],
    [
      'nested virtualisation',
      'suspend',
      (s) => s.set('VM_metrics', s.own('metrics'), { nested_virt: true }),
      'VM_IS_IMMOBILE VM',
    ],
    ['nomigrate set later', 'pool_migrate', (s) => s.set('VM', s.vm, { platform: { nomigrate: 'true' } }), 'yes'],
    [
      'a control domain',
      'pool_migrate',
      (s) => s.set('VM', s.vm, { is_control_domain: true }),
      'OPERATION_NOT_ALLOWED This operation is not allowed on a control domain',
    ],
    [
      'the guest cannot suspend',
      'pool_migrate',
      (s) => guest(s, { other: { 'data-cant-suspend-reason': 'nvme' } }),
      'VM_NON_SUSPENDABLE VM nvme',
    ],
    ['no drivers', 'pool_migrate', (s) => guest(s, { PV_drivers_detected: false, other: {} }), 'VM_LACKS_FEATURE VM'],
    [
      'no drivers, says it can suspend',
      'pool_migrate',
      (s) => guest(s, { PV_drivers_detected: false, other: { 'feature-suspend': '1' } }),
      'yes',
    ],
    ['no drivers', 'clean_shutdown', (s) => guest(s, { PV_drivers_detected: false, other: {} }), 'VM_LACKS_FEATURE VM'],
    ['no drivers', 'hard_shutdown', (s) => guest(s, { PV_drivers_detected: false, other: {} }), 'yes'],
    [
      'a disk that is reset and cached',
      'pool_migrate',
      (s) => s.set('VDI', s.disk, { on_boot: 'reset', allow_caching: true }),
      'VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION',
    ],
    ['a disk that is reset', 'pool_migrate', (s) => s.set('VDI', s.disk, { on_boot: 'reset' }), 'yes'],
    [
      'a disk that is reset',
      'suspend',
      (s) => s.set('VDI', s.disk, { on_boot: 'reset' }),
      'VDI_ON_BOOT_MODE_INCOMPATIBLE_WITH_OPERATION',
    ],
    [
      'a PCI device',
      'pool_migrate',
      (s) => s.set('VM', s.vm, { attached_PCIs: ['OpaqueRef:pci'] }),
      'VM_HAS_PCI_ATTACHED VM',
    ],
    ['a GPU', 'pool_migrate', (s) => s.set('VM', s.vm, { VGPUs: ['OpaqueRef:gpu'] }), 'VM_HAS_VGPU VM'],
    ['a USB device', 'pool_migrate', (s) => s.set('VM', s.vm, { VUSBs: ['OpaqueRef:usb'] }), 'VM_HAS_VUSBS VM'],
    ['a USB device', 'clean_shutdown', (s) => s.set('VM', s.vm, { VUSBs: ['OpaqueRef:usb'] }), 'yes'],
  ]

  it.each(cases)('%s: %s', (_, operation, change, outcome) => {
    const scene = new Scene()
    change(scene)
    const { database, vm } = scene
    expect(scene.say(refuseOperation(database, vm, operation))).toBe(outcome)
    expect(allowedVmOperations(database, vm).includes(operation)).toBe(outcome === 'yes')
  })

  test('force takes away what is only advice', () => {
    const scene = new Scene()
    scene.set('VM_metrics', scene.own('metrics'), { nomigrate: true })
    expect(refuseOperation(scene.database, scene.vm, 'pool_migrate', false)).toBeUndefined()
  })
})

describe('what may be done with a host', () => {
  const running = (operation: string) => (s: Scene) =>
    s.set('host', s.target, { current_operations: { task: operation } })
  const off: Change = (s) => s.set('host', s.target, { enabled: false })
  const dead: Change = (s) =>
    s.set('host_metrics', textOf(s.database.get('host', s.target), 'metrics'), { live: false })
  const cases: [
    what: string,
    operation: Parameters<typeof refuseHostOperation>[2],
    changes: Change[],
    outcome: string,
  ][] = [
    ['a VM comes', 'evacuate', [running('vm_migrate')], 'OTHER_OPERATION_IN_PROGRESS host HOST vm_migrate'],
    ['it is emptied', 'vm_migrate', [running('evacuate')], 'OTHER_OPERATION_IN_PROGRESS host HOST evacuate'],
    ['it is emptied', 'vm_start', [running('evacuate')], 'yes'],
    ['two VMs come', 'vm_migrate', [running('vm_migrate')], 'yes'],
    ['it is enabled', 'shutdown', [], 'HOST_NOT_DISABLED'],
    ['it is disabled', 'shutdown', [off], 'yes'],
    ['it reboots', 'shutdown', [off, running('reboot')], 'OTHER_OPERATION_IN_PROGRESS host HOST reboot'],
    ['it runs', 'power_on', [], 'HOST_IS_LIVE HOST'],
    ['no mode is set', 'power_on', [dead], 'HOST_POWER_ON_MODE_DISABLED'],
    ['it is off', 'power_on', [dead, (s) => s.set('host', s.target, { power_on_mode: 'wake-on-lan' })], 'yes'],
    [
      'another one is down, with clustered storage',
      'shutdown',
      [
        off,
        (s) => s.set('SR', s.sr, { clustered: true }),
        (s) => s.set('host_metrics', textOf(s.database.get('host', s.source), 'metrics'), { live: false }),
      ],
      'CLUSTERED_SR_DEGRADED SR',
    ],
  ]

  it.each(cases)('%s: %s', (_, operation, changes, outcome) => {
    const scene = new Scene()
    for (const [ref] of scene.database.rows('host_metrics')) scene.set('host_metrics', ref, { live: true })
    for (const change of changes) change(scene)
    expect(scene.say(refuseHostOperation(scene.database, scene.target, operation))).toBe(outcome)
  })
})
