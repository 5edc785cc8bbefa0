/** A small pool that answers XenAPI calls from records in memory, and remembers what it was asked to do. */
import { findClass } from '../../../src/lab/database/classes.js'
import type { Rpc } from '../../../src/lab/thin-cli/command.js'
import { ApiFailure, type ApiValue } from '../../../src/xapi/index.js'

type Row = Record<string, ApiValue>

export interface PoolInMemory {
  readonly rpc: Rpc
  /** Calls that are no plain reading, as `method(param, param)`. */
  readonly done: string[]
  /** What a method does instead of its own; a failure is thrown. */
  answer(method: string, result: ApiValue | ApiFailure | ((...params: ApiValue[]) => ApiValue)): void
  update(className: string, ref: string, values: Row): void
}

export const POOL = '0c3f6f3c-77f1-4c1e-9d5b-5d6e0a4a9b10'
export const HOST1 = '9a1c0000-0000-4000-8000-000000000001'
export const HOST2 = '9a1c0000-0000-4000-8000-000000000002'
export const GUEST = '5d0e4a52-52a1-47a5-a9f7-0b5a0a3ad301'
export const CERTIFICATE = 'c0ffee00-0000-4000-8000-000000000001'
export const ref = (name: string) => `OpaqueRef:${name}`

const DATE = new Date('2026-11-23T14:53:37Z')

function startingRows(): Record<string, Record<string, Row>> {
  return {
    pool: {
      pool: {
        uuid: POOL,
        name_label: 'lab',
        master: ref('host1'),
        wlb_verify_cert: true,
        other_config: { wlb_timeout: '60', 'auto-x': 'a,b' },
        tags: ['blue', 'a, b'],
        telemetry_next_collection: DATE,
        last_update_sync: DATE,
        ssh_expiry: DATE,
      },
    },
    host: {
      host1: hostRow(HOST1, 'host1', '127.0.0.11'),
      host2: hostRow(HOST2, 'host2', '127.0.0.12'),
    },
    host_metrics: {
      metrics1: { uuid: 'm1', memory_total: 8589934592n, memory_free: 4294967296n, live: true, last_updated: DATE },
    },
    VM: {
      dom0: vmRow('dom0-uuid', 'Control domain on host: host1', { is_control_domain: true, power_state: 'Running' }),
      guest: vmRow(GUEST, 'web, front', {
        power_state: 'Running',
        resident_on: ref('host1'),
        metrics: ref('vm-metrics'),
        guest_metrics: ref('guest-metrics'),
        current_operations: { 'OpaqueRef:task': 'pool_migrate' },
      }),
      template: vmRow('template-uuid', 'Debian', { is_a_template: true }),
    },
    VM_metrics: {
      'vm-metrics': {
        memory_actual: 1073741824n,
        hvm: true,
        VCPUs_number: 2n,
        start_time: DATE,
        install_time: DATE,
        numa_node_memory: { 0: 1073741824n },
        current_domain_type: 'hvm',
      },
    },
    VM_guest_metrics: {
      'guest-metrics': {
        os_version: { name: 'Debian', distro: 'debian' },
        networks: { '0/ip': '10.0.0.1' },
        last_updated: DATE,
        live: true,
        can_use_hotplug_vbd: 'yes',
      },
    },
    SR: {},
    VDI: {},
    Certificate: {
      ca: certificateRow(CERTIFICATE, 'ca', 'wlb.pem', 'OpaqueRef:NULL', []),
      internal: certificateRow('c0ffee00-0000-4000-8000-000000000002', 'host_internal', '', ref('host2'), []),
      trusted: certificateRow('c0ffee00-0000-4000-8000-000000000003', 'ca', '', 'OpaqueRef:NULL', [
        'licensing',
        'ldaps',
      ]),
    },
    task: {},
  }
}

export function createPool(): PoolInMemory {
  const tables = Object.entries(startingRows()).map(
    ([className, rows]) =>
      [
        className,
        new Map(Object.entries(rows).map(([name, row]) => [ref(name), withDefaults(className, row)])),
      ] as const,
  )
  const classes = new Map(tables)
  const done: string[] = []
  const answers = new Map<string, ApiValue | ApiFailure | ((...params: ApiValue[]) => ApiValue)>([
    ['host.compute_free_memory', 4294967296n],
    ['VM.get_possible_hosts', [ref('host1')]],
  ])

  const rowOf = (className: string, handle: ApiValue | undefined): Row => {
    const row = classes.get(className)?.get(String(handle))
    if (!row) throw new ApiFailure('HANDLE_INVALID', [className, String(handle)])
    return row
  }
  const rpc: Rpc = async (method, ...params) => {
    const answer = answers.get(method)
    if (answer instanceof ApiFailure) throw answer
    const [className = '', call = ''] = method.split('.')
    const [handle, first = '', second = ''] = params
    const reads = /^get_(all_records|by_uuid|record|all)$|^get_/.test(call)
    if (!reads || answer !== undefined) done.push(`${method}(${params.map(show).join(', ')})`)
    if (answer !== undefined) return typeof answer === 'function' ? answer(...params) : answer
    const table = classes.get(className)
    if (!table) throw new ApiFailure('MESSAGE_METHOD_UNKNOWN', [method])
    if (call === 'get_all_records') return Object.fromEntries(table)
    if (call === 'get_all') return [...table.keys()]
    if (call === 'get_record') return rowOf(className, handle)
    if (call === 'get_by_uuid') {
      const found = [...table].find(([, row]) => row.uuid === handle)
      if (!found) throw new ApiFailure('UUID_INVALID', [className, String(handle)])
      return found[0]
    }
    const field = call.replace(/^(get|set|add_to|remove_from|add|remove)_/, '')
    const row = rowOf(className, handle)
    const value = row[field]
    if (value === undefined) throw new ApiFailure('MESSAGE_METHOD_UNKNOWN', [method])
    if (call.startsWith('get_')) return value
    if (call.startsWith('set_')) row[field] = first
    else if (call.startsWith('add_to_')) row[field] = { ...Object(value), [String(first)]: second }
    else if (call.startsWith('remove_from_')) {
      row[field] = Object.fromEntries(Object.entries(Object(value)).filter(([key]) => key !== first)) as Row
    } else if (call.startsWith('add_')) row[field] = [...Array.from(Object(value) as ApiValue[]), first]
    else if (call.startsWith('remove_'))
      row[field] = Array.from(Object(value) as ApiValue[]).filter((one) => one !== first)
    return ''
  }
  return {
    rpc,
    done,
    answer: (method, result) => answers.set(method, result),
    update: (className, handle, values) => void Object.assign(rowOf(className, handle), values),
  }
}

function show(value: ApiValue): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function withDefaults(className: string, row: Row): Row {
  const fields = findClass(className)?.fields ?? []
  return {
    ...Object.fromEntries(fields.filter(({ name }) => name !== '').map((one) => [one.name, one.default])),
    ...row,
  }
}

function hostRow(uuid: string, name: string, address: string): Row {
  const metrics = name === 'host1' ? ref('metrics1') : 'OpaqueRef:NULL'
  return { uuid, name_label: name, hostname: `${name}.lab`, address, last_software_update: DATE, metrics }
}

function vmRow(uuid: string, name: string, more: Row): Row {
  return { uuid, name_label: name, snapshot_time: DATE, ...more }
}

function certificateRow(uuid: string, type: string, name: string, host: string, purpose: string[]): Row {
  const digest = 'AA:BB:CC'
  const marks = { fingerprint: digest, fingerprint_sha256: digest, fingerprint_sha1: 'DD:EE' }
  return { uuid, type, name, host, purpose, not_before: DATE, not_after: new Date('2036-11-20T14:53:37Z'), ...marks }
}
