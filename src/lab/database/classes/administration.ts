/** The fields of the classes that administer a pool: certificates, tasks, secrets, messages, sessions. */
import { field } from '../field.js'

export const CERTIFICATE_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('type', 'string', 'RO'),
  field('name', 'string', 'RO'),
  field('host', 'ref', 'RO', { refClass: 'host' }),
  field('not_before', 'datetime', 'RO'),
  field('not_after', 'datetime', 'RO'),
  field('fingerprint', 'string', 'RO'),
  field('fingerprint_sha256', 'string', 'RO', { cliName: 'fingerprint_sha256' }),
  field('fingerprint_sha1', 'string', 'RO', { cliName: 'fingerprint_sha1' }),
  field('purpose', 'set string', 'RO'),
]

export const CERTIFICATE_WIRE_ORDER = [
  ...['uuid', 'type', 'name', 'host', 'not_before', 'not_after', 'fingerprint', 'purpose', 'fingerprint_sha256'],
  ...['fingerprint_sha1'],
]

export const TASK_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('name_label', 'string', 'RO'),
  field('name_description', 'string', 'RO'),
  field('subtask_of', 'ref', 'RO', { cliName: 'subtask_of', refClass: 'task' }),
  field('subtasks', 'set ref', 'RO', { refClass: 'task' }),
  field('resident_on', 'ref', 'RO', { refClass: 'host' }),
  field('status', 'string', 'RO', { default: 'pending' }),
  field('progress', 'float', 'RO'),
  field('type', 'string', 'RO', { default: '<none/>' }),
  field('result', 'string', 'RO'),
  field('created', 'datetime', 'RO'),
  field('finished', 'datetime', 'RO'),
  field('error_info', 'set string', 'RO', { cliName: 'error_info' }),
  field('allowed_operations', 'set string', 'RO', { cliName: 'allowed_operations' }),
  field('current_operations', 'map string', 'RO', { cliName: 'current_operations' }),
  field('other_config', 'map string', 'MRW'),
  field('backtrace', 'string', 'RO', { wireOnly: true, default: '()' }),
]

export const SECRET_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('value', 'string', 'RW'),
  field('other_config', 'map string', 'MRW', { wireOnly: true }),
]

export const MESSAGE_FIELDS = [
  field('uuid', 'string', 'RO'),
  field('name', 'string', 'RO'),
  field('priority', 'int', 'RO'),
  field('cls', 'string', 'RO', { cliName: 'class' }),
  field('obj_uuid', 'string', 'RO'),
  field('timestamp', 'datetime', 'RO'),
  field('body', 'string', 'RO'),
]

export const SESSION_FIELDS = [
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
