/**
 * Fields that exist for `xe` only and are computed from several records or asked of the pool, and the words that `xe` has for
 * values of the API (xapi's records.ml and record_util.ml).
 */
import { type ApiValue, isApiMap, isApiSet } from '../../xapi/index.js'
import { NOT_IN_DATABASE } from '../database/field.js'
import type { Rpc } from './command.js'
import { refusal } from './command-line.js'
import type { ApiRecord, References } from './references.js'

interface Subject {
  readonly ref: string
  readonly record: ApiRecord
  readonly rpc: Rpc
  readonly references: References
}

type Computation = (subject: Subject) => Promise<string>

/** Shown when a host's metrics do not tell. */
const UNKNOWN = async () => '<unknown>'
const NOTHING = async () => ''

const COMPUTATIONS: Readonly<Record<string, Computation>> = {
  'pool.supported-sr-types': async ({ rpc }) => [...new Set(await texts(rpc, 'SR', 'type'))].sort().join('; '),
  // The pool's edition is the least of its hosts'; the lab gives all of them the same, and none of them ends.
  'pool.license-state': async ({ rpc }) =>
    `edition: ${(await texts(rpc, 'host', 'edition'))[0] ?? 'free'}; expiry: never`,
  'host.memory-free-computed': async ({ ref, rpc }) => String(await rpc('host.compute_free_memory', ref)),
  'VM.allowed-VBD-devices': NOTHING,
  'VM.allowed-VIF-devices': NOTHING,
  'VM.possible-hosts': async ({ ref, rpc, references }) => {
    const hosts = await rpc('VM.get_possible_hosts', ref)
    const uuids = (isApiSet(hosts) ? hosts : []).map((host) => references.uuidOf('host', String(host)))
    return (await Promise.all(uuids)).join('; ')
  },
  'VM.VCPUs-utilisation': NOTHING,
  'VM.cooperative': async () => 'true',
  'SR.host': async ({ record, references }) => {
    const [pbd, ...more] = isApiSet(record.PBDs ?? '') ? Array.from(Object(record.PBDs), String) : []
    if (more.length > 0) return '<shared>'
    const attachment = await references.recordOf('PBD', pbd ?? '')
    return nameOf(await references.recordOf('host', String(attachment?.host ?? '')))
  },
  'VBD.vdi-name-label': async ({ record, references }) =>
    record.empty === true ? '<EMPTY>' : nameOf(await references.recordOf('VDI', String(record.VDI))),
  'VBD.attachable': async () => 'true',
  'VBD.io_read_kbs': UNKNOWN,
  'VBD.io_write_kbs': UNKNOWN,
  'VIF.io_read_kbs': UNKNOWN,
  'VIF.io_write_kbs': UNKNOWN,
  'PIF.io_read_kbs': UNKNOWN,
  'PIF.io_write_kbs': UNKNOWN,
  'PIF.speed': async (subject) => {
    const metrics = await metricsOf(subject)
    return metrics ? `${metrics.speed} Mbit/s` : NOT_IN_DATABASE
  },
  'PIF.duplex': async (subject) => {
    const metrics = await metricsOf(subject)
    if (!metrics) return NOT_IN_DATABASE
    return metrics.duplex === true ? 'full' : metrics.carrier === true ? 'half' : 'unknown'
  },
}

/** The text of a field that exists for `xe` only. */
export async function computeField(className: string, cliName: string, subject: Subject): Promise<string> {
  return (await COMPUTATIONS[`${className}.${cliName}`]?.(subject)) ?? NOT_IN_DATABASE
}

function metricsOf({ record, references }: Subject): Promise<ApiRecord | undefined> {
  return references.recordOf('PIF_metrics', String(record.metrics))
}

function nameOf(record: ApiRecord | undefined): string {
  return record ? String(record.name_label) : NOT_IN_DATABASE
}

async function texts(rpc: Rpc, className: string, name: string): Promise<string[]> {
  const records = await rpc(`${className}.get_all_records`)
  if (!isApiMap(records)) return []
  return Object.values(records).map((record) => String((isApiMap(record) && record[name]) || ''))
}

type Words = Readonly<Record<string, string>>

const EXITS: Words = {
  destroy: 'Destroy',
  restart: 'Restart',
  soft_reboot: 'Soft reboot',
  preserve: 'Preserve',
  coredump_and_destroy: 'Core dump and destroy',
  coredump_and_restart: 'Core dump and restart',
  rename_restart: 'Rename restart',
}
const POWER: Words = {
  Halted: 'halted',
  Paused: 'paused',
  Running: 'running',
  Suspended: 'suspended',
  ShuttingDown: 'shutting down',
  Migrating: 'migrating',
}
const DOMAINS: Words = { pv_in_pvh: 'pv-in-pvh' }
const VM_OPERATIONS: Words = { assert_operation_valid: 'assertoperationvalid', data_source_op: 'data_sources_op' }
const HOST_OPERATIONS: Words = { vm_start: 'VM.start', vm_resume: 'VM.resume', vm_migrate: 'VM.migrate' }
const SR_OPERATIONS: Words = Object.fromEntries(
  [
    ...['vdi_create', 'vdi_introduce', 'vdi_destroy', 'vdi_resize', 'vdi_clone', 'vdi_snapshot', 'vdi_mirror'],
    ...['vdi_enable_cbt', 'vdi_disable_cbt', 'vdi_set_on_boot', 'vdi_data_destroy', 'vdi_list_changed_blocks'],
    ...['pbd_create', 'pbd_destroy'],
  ].map((operation) => [operation, `${operation.slice(0, 3).toUpperCase()}.${operation.slice(4)}`]),
)
const TASK_OPERATIONS: Words = { cancel: 'Cancel', destroy: 'Destroy' }
const TRISTATE: Words = { yes: 'true', no: 'false' }
const VDI_TYPES: Words = {
  system: 'System',
  user: 'User',
  ephemeral: 'Ephemeral',
  suspend: 'Suspend',
  crashdump: 'Crashdump',
  ha_statefile: 'HA statefile',
  metadata: 'Metadata',
  redo_log: 'Redo log',
  pvs_cache: 'PVS cache',
  cbt_metadata: 'CBT metadata',
}

const WORDS: Readonly<Record<string, Words>> = {
  'VM.power_state': POWER,
  'VM.actions_after_shutdown': EXITS,
  'VM.actions_after_softreboot': EXITS,
  'VM.actions_after_reboot': EXITS,
  'VM.actions_after_crash': EXITS,
  'VM.allowed_operations': VM_OPERATIONS,
  'VM.current_operations': VM_OPERATIONS,
  'VM.domain_type': DOMAINS,
  'VM_metrics.current_domain_type': DOMAINS,
  'VM_guest_metrics.can_use_hotplug_vbd': TRISTATE,
  'VM_guest_metrics.can_use_hotplug_vif': TRISTATE,
  'host.allowed_operations': HOST_OPERATIONS,
  'host.current_operations': HOST_OPERATIONS,
  'SR.allowed_operations': SR_OPERATIONS,
  'SR.current_operations': SR_OPERATIONS,
  'task.allowed_operations': TASK_OPERATIONS,
  'task.current_operations': TASK_OPERATIONS,
  'VDI.type': VDI_TYPES,
}

/** A value as `xe` spells it; most are spelled as the API has them. */
export function spell(className: string, fieldName: string, text: string): string {
  if (className === 'VM' && fieldName === 'last_booted_record') return `'${text}'`
  const words = WORDS[`${className}.${fieldName}`]
  return words && Object.hasOwn(words, text) ? (words[text] ?? text) : text
}

const CRASH_EXITS = ['destroy', 'coredump_and_destroy', 'restart', 'coredump_and_restart', 'preserve', 'rename_restart']
const NORMAL: Choice = [['destroy', 'restart'], "'destroy' or 'restart'"]

type Choice = readonly [words: readonly string[], expected: string]

/** Fields of which `xe` itself refuses every other word, with what it then says it expected. */
const CHOICES: Readonly<Record<string, Choice>> = {
  'VM.actions_after_shutdown': NORMAL,
  'VM.actions_after_reboot': NORMAL,
  'VM.actions_after_crash': [
    CRASH_EXITS,
    "'destroy', 'coredump_and_destroy','restart', 'coredump_and_restart', 'preserve' or 'rename_restart'",
  ],
  'VDI.on_boot': [['persist', 'reset'], "'persist' or 'reset'"],
  'VBD.mode': [['RO', 'RW'], "'RO' or 'RW'"],
  'VBD.type': [['CD', 'Disk', 'Floppy'], "'CD' or 'Disk'"],
}

/** What the API has for a word that was typed, in small letters or capital ones. Throws a `Refusal` when it is none of the field's. */
export function unspell(className: string, fieldName: string, text: string): ApiValue {
  const choice = CHOICES[`${className}.${fieldName}`]
  if (!choice) return WORDS[`${className}.${fieldName}`] === EXITS ? text.toLowerCase() : text
  const [words, expected] = choice
  const found = words.find((word) => word.toLowerCase() === text.toLowerCase())
  if (found === undefined) throw refusal(`Expected ${expected}, got ${text}`)
  return found
}
