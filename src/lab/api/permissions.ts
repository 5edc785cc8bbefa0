/** What a user with the read-only role may call, and how the pool refuses the rest (docs/protocol/pool.md, roles of users). */
import { ApiFailure } from '../../xapi/index.js'
import type { Session } from '../host/sessions.js'
import type { Method } from './method.js'

/** Changes every user may make: a task is how a client hears what came of a download. */
const OPEN_TO_ALL = new Set(['task.create', 'task.destroy', 'task.cancel'])
const ADMIN_ONLY = new Set([
  'pool.enable_tls_verification',
  'pool.send_test_post',
  'pool.designate_new_master',
  'pool.recover_slaves',
  'pool.emergency_transition_to_master',
  'pool.emergency_reset_master',
  'host.install_server_certificate',
])

/** @throws ApiFailure RBAC_PERMISSION_DENIED when the session's user may not call the method. */
export function assertPermitted(session: Session, name: string, method: Method): void {
  if (!session.isReadOnly || method.session === 'none') return
  const isReading = method.session === 'any' && !method.changes
  if (isReading || OPEN_TO_ALL.has(name) || name === 'pool.is_slave') return
  const roles = ADMIN_ONLY.has(name) || method.session === 'local' ? 'pool-admin' : 'pool-operator, pool-admin'
  const text = `No permission in user session. (Roles with this permission: ${roles})`
  throw new ApiFailure('RBAC_PERMISSION_DENIED', [name.toLowerCase(), text])
}
