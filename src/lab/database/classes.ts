/**
 * What the lab's pool knows: one table of classes and fields, from which records, getters, setters, events and the
 * lists of `xe` all come. Fields stand in the order `xe` prints them.
 */
import { type ApiField, field } from './classes/field.js'
import { HOST_CPU_FIELDS, HOST_FIELDS, HOST_METRICS_FIELDS } from './classes/host.js'
import { POOL_FIELDS } from './classes/pool.js'
import { SR_FIELDS, VM_FIELDS } from './classes/vm.js'

export { type ApiField, type FieldType, NULL_REF } from './classes/field.js'

export interface ApiClass {
  /** As on the wire: `pool`, `Certificate`, `VM`. */
  readonly name: string
  readonly fields: readonly ApiField[]
  /** Sessions and tasks live as long as the process that made them. */
  readonly lifetime: 'stored' | 'process'
  /** Whether event.from reports it. */
  readonly hasEvents: boolean
}

const CERTIFICATE_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('type', 'string', 'RO'),
  field('name', 'string', 'RO'),
  field('host', 'ref', 'RO', { refClass: 'host' }),
  field('not_before', 'datetime', 'RO'),
  field('not_after', 'datetime', 'RO'),
  field('fingerprint', 'string', 'RO'),
  field('purpose', 'set string', 'RO'),
  field('fingerprint_sha256', 'string', 'RO', { cliName: 'fingerprint_sha256' }),
  field('fingerprint_sha1', 'string', 'RO', { cliName: 'fingerprint_sha1' }),
]

const TASK_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('name_label', 'string', 'RO'),
  field('name_description', 'string', 'RO'),
  field('subtask_of', 'ref', 'RO', { refClass: 'task' }),
  field('subtasks', 'set ref', 'RO', { refClass: 'task' }),
  field('resident_on', 'ref', 'RO', { refClass: 'host' }),
  field('status', 'string', 'RO', { default: 'pending' }),
  field('progress', 'float', 'RO'),
  field('type', 'string', 'RO', { default: '<none/>' }),
  field('result', 'string', 'RO'),
  field('created', 'datetime', 'RO'),
  field('finished', 'datetime', 'RO'),
  field('error_info', 'set string', 'RO'),
  field('allowed_operations', 'set string', 'SRO'),
  field('current_operations', 'map string', 'SRO', { hidden: true }),
  field('other_config', 'map string', 'MRW'),
  field('backtrace', 'string', 'RO', { hidden: true, default: '()' }),
]

const SECRET_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('value', 'string', 'RW'),
  field('other_config', 'map string', 'MRW', { hidden: true }),
]

const MESSAGE_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('name', 'string', 'RO'),
  field('priority', 'int', 'RO'),
  field('cls', 'string', 'RO', { cliName: 'class' }),
  field('obj_uuid', 'string', 'RO'),
  field('timestamp', 'datetime', 'RO'),
  field('body', 'string', 'RO'),
]

const SESSION_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('this_host', 'ref', 'RO', { refClass: 'host' }),
  field('this_user', 'ref', 'RO'),
  field('last_active', 'datetime', 'RO'),
  field('pool', 'bool', 'RO'),
  field('other_config', 'map string', 'MRW'),
  field('is_local_superuser', 'bool', 'RO', { default: true }),
  field('subject', 'ref', 'RO'),
  field('validation_time', 'datetime', 'RO'),
  field('auth_user_sid', 'string', 'RO'),
  field('auth_user_name', 'string', 'RO', { default: 'root' }),
  field('rbac_permissions', 'set string', 'RO'),
  field('tasks', 'set ref', 'RO', { refClass: 'task' }),
  field('parent', 'ref', 'RO'),
  field('originator', 'string', 'RO'),
  field('client_certificate', 'bool', 'RO'),
]

export const CLASSES: readonly ApiClass[] = [
  { name: 'pool', fields: POOL_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'host', fields: HOST_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'host_metrics', fields: HOST_METRICS_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'host_cpu', fields: HOST_CPU_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'Certificate', fields: CERTIFICATE_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'VM', fields: VM_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'SR', fields: SR_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'secret', fields: SECRET_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'message', fields: MESSAGE_FIELDS, lifetime: 'stored', hasEvents: true },
  { name: 'task', fields: TASK_FIELDS, lifetime: 'process', hasEvents: true },
  { name: 'session', fields: SESSION_FIELDS, lifetime: 'process', hasEvents: false },
]

/** Finds a class by its wire name in any case: event tokens write it in lower case. */
export function findClass(name: string): ApiClass | undefined {
  const wanted = name.toLowerCase()
  return CLASSES.find((candidate) => candidate.name.toLowerCase() === wanted)
}
