/** Every method a host knows, by name. */
import { LEGACY_CERTIFICATE_METHODS, TRUSTED_CERTIFICATE_METHODS } from '../certificates/installed-certificates.js'
import { SERVER_CERTIFICATE_METHODS } from '../certificates/server-certificates.js'
import { TEST_POST_METHODS, TLS_VERIFICATION_METHODS } from '../certificates/tls-verification.js'
import { ROLE_METHODS } from '../host/roles.js'
import { GROUP_METHODS } from '../vms/methods/group-methods.js'
import { HA_METHODS } from '../vms/methods/ha-methods.js'
import { HOST_METHODS } from '../vms/methods/host-methods.js'
import { MESSAGE_METHODS } from '../vms/methods/message-methods.js'
import { listAllowedAfter, VM_METHODS } from '../vms/methods/vm-methods.js'
import { fieldMethods } from './field-methods.js'
import { emergency, type Method, type Methods, reading } from './method.js'
import { POOL_INTERNAL_METHODS } from './pool-internal.js'
import { SESSION_METHODS } from './session-methods.js'
import { TASK_METHODS } from './task-methods.js'
import { WLB_METHODS } from './wlb-methods.js'

const named: readonly (readonly [string, Method])[] = [
  ...fieldMethods().map(listAllowedAfter),
  ...SESSION_METHODS,
  ...TASK_METHODS,
  ...LEGACY_CERTIFICATE_METHODS,
  ...TRUSTED_CERTIFICATE_METHODS,
  ...SERVER_CERTIFICATE_METHODS,
  ...TLS_VERIFICATION_METHODS,
  ...ROLE_METHODS,
  ...WLB_METHODS,
  ...TEST_POST_METHODS,
  ...POOL_INTERNAL_METHODS,
  ...VM_METHODS,
  ...HOST_METHODS,
  ...HA_METHODS,
  ...GROUP_METHODS,
  ...MESSAGE_METHODS,
  ['session.get_this_host', reading(1, sessionField('this_host'))],
  ['session.get_this_user', reading(1, sessionField('this_user'))],
  ['system.listMethods', { arity: [0, 1], session: 'none', handle: publicNames }],
  ['host.list_methods', emergency(0, publicNames)],
]

export const METHODS: Methods = new Map(named)

/** Leaves out `lab_` methods: they are parts of other methods, called between hosts only. */
function publicNames(): string[] {
  return [...METHODS.keys()].filter((name) => !name.includes('.lab_')).sort()
}

/** Clients pass the session twice: as the caller's, and as the object that is read. */
function sessionField(name: string) {
  return ({ coordinator, args }: Parameters<Extract<Method, { session: 'any' | 'pool' | 'local' }>['handle']>[0]) =>
    coordinator.database.get('session', args.text(0, 'self'))[name] ?? ''
}
