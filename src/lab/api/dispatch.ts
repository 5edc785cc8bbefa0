/**
 * Answers one call from its name and parameters: finds the session, checks this host's role and the user's role, runs
 * the method.
 */
import { ApiFailure, type ApiValue } from '../../xapi/index.js'
import { hasMethod } from '../database/records.js'
import { type Coordinator, HostUnreachable, type LabHost, type Member } from '../host/host.js'
import { type Session, sessionInvalid } from '../host/sessions.js'
import { Arguments, type Call, type Method, type Methods, type Origin } from './method.js'
import { endTask, startTask } from './task-methods.js'

/**
 * Answers one call; `params` begin with the session where the method needs one.
 *
 * @throws ApiFailure and nothing else: other errors become INTERNAL_ERROR.
 */
export async function dispatch(
  host: LabHost,
  methods: Methods,
  origin: Origin,
  name: string,
  params: readonly ApiValue[],
): Promise<ApiValue> {
  try {
    return await answer(host, methods, origin, name, params)
  } catch (error) {
    throw asFailure(host, name, error)
  }
}

/** Reports a bug or a full disk as a pool does: INTERNAL_ERROR with the error's text. */
function asFailure(host: LabHost, name: string, error: unknown): ApiFailure {
  if (error instanceof ApiFailure) return error
  if (error instanceof HostUnreachable) return coordinatorOutOfReach(host, error)
  host.log(`${name}: ${error instanceof Error ? error.stack : String(error)}`)
  return new ApiFailure('INTERNAL_ERROR', [error instanceof Error ? error.message : String(error)])
}

/** Members forward most calls; when the coordinator cannot be reached they answer CANNOT_CONTACT_HOST. */
function coordinatorOutOfReach({ role, settings, log }: LabHost, error: HostUnreachable): ApiFailure {
  log(error.message)
  const known = role.kind === 'member' ? Object.values(role.copy?.image.tables.pool ?? {})[0]?.master : undefined
  return new ApiFailure('CANNOT_CONTACT_HOST', [typeof known === 'string' ? known : settings.address])
}

const ASYNC = 'Async.'

async function answer(
  host: LabHost,
  methods: Methods,
  origin: Origin,
  name: string,
  params: readonly ApiValue[],
): Promise<ApiValue> {
  const inBackground = name.startsWith(ASYNC) && !/^Async\.(session|event|task|system)\./.test(name)
  const plainName = inBackground ? name.slice(ASYNC.length) : name
  const method = isKnown(host, plainName) ? methods.get(plainName) : undefined
  if (!method || (inBackground && method.session === 'none')) throw new ApiFailure('MESSAGE_METHOD_UNKNOWN', [name])
  if (method.session === 'none') {
    checkArity(plainName, method, params.length)
    const value = await method.handle({ host, origin, args: new Arguments(params) })
    if (host.role.kind === 'coordinator') await host.role.database.durable()
    return value
  }

  checkArity(plainName, method, params.length - 1)
  const ref = params[0]
  if (typeof ref !== 'string') throw sessionInvalid(String(ref))
  if (host.role.kind === 'member' && method.runsOn === 'coordinator') {
    return forward(host, host.role, origin, name, ref, params)
  }
  const session = await findSession(host, ref, method)
  if (method.session === 'pool' && session.kind !== 'pool') throw notForUsers(name)
  if (session.kind === 'local' && method.session !== 'local') throw sessionInvalid(ref)
  assertPermitted(session, plainName, method)

  const call = { host, origin, session, args: new Arguments(params.slice(1)), ...roleOf(host) }
  return inBackground ? runInBackground(host, name, method, call) : run(method, call)
}

function isKnown({ role }: LabHost, name: string): boolean {
  return role.kind === 'member' || hasMethod(role.database, name)
}

type SessionMethod = Exclude<Method, { readonly session: 'none' }>
type PartialCall = Omit<Call, 'coordinator'> & { readonly role: Coordinator | Member }

function roleOf({ role }: LabHost): { role: Coordinator | Member } {
  return { role }
}

async function run(method: SessionMethod, { role, ...rest }: PartialCall): Promise<ApiValue> {
  const call: Call = {
    ...rest,
    get coordinator() {
      if (role.kind === 'member') throw new ApiFailure('HOST_IS_SLAVE', [role.coordinatorAddress])
      return role
    },
  }
  if (method.changes && role.kind === 'coordinator' && role.frozen) {
    throw new ApiFailure('OTHER_OPERATION_IN_PROGRESS', ['pool', role.database.pool.ref, 'designate_new_master'])
  }
  try {
    return await method.handle(call)
  } finally {
    // Failed calls change the database too, and the changes must survive a kill.
    if (method.changes && role.kind === 'coordinator' && !role.frozen) await role.database.durable()
  }
}

function runInBackground(host: LabHost, name: string, method: SessionMethod, call: PartialCall): ApiValue {
  const { role } = call
  if (role.kind === 'member') throw new ApiFailure('HOST_IS_SLAVE', [role.coordinatorAddress])
  const task = startTask(role, name, host.now())
  run(method, { ...call, task }).then(
    (value) => endTask(role, task, host.now(), { value }),
    (error) => endTask(role, task, host.now(), { failure: asFailure(host, name, error) }),
  )
  return task
}

/** A member forwards calls from its own socket and from hosts of the pool; other callers get HOST_IS_SLAVE. */
async function forward(
  host: LabHost,
  member: Member,
  origin: Origin,
  name: string,
  session: string,
  params: readonly ApiValue[],
): Promise<ApiValue> {
  if (origin === 'network' && !(await isPoolSession(host, member, session))) {
    throw new ApiFailure('HOST_IS_SLAVE', [member.coordinatorAddress])
  }
  return host.callPool(member.coordinatorAddress, name, params)
}

async function findSession(host: LabHost, ref: string, method: SessionMethod): Promise<Session> {
  const { role } = host
  const local = method.session === 'local' ? host.localSessions.find(ref) : undefined
  if (local) return local
  if (role.kind === 'member') {
    if (await isPoolSession(host, role, ref)) return { ref, kind: 'pool', isReadOnly: false }
    const kind = await host.callPool(role.coordinatorAddress, 'lab.check_session', [ref])
    if (kind === 'user' || kind === 'read-only') return { ref, kind: 'user', isReadOnly: kind === 'read-only' }
    throw sessionInvalid(ref)
  }
  const session = role.sessions.find(ref)
  if (!session) throw sessionInvalid(ref)
  return session
}

async function isPoolSession(host: LabHost, member: Member, ref: string): Promise<boolean> {
  if (member.knownPoolSessions.has(ref)) return true
  const kind = await host.callPool(member.coordinatorAddress, 'lab.check_session', [ref])
  if (kind === 'pool') member.knownPoolSessions.add(ref)
  return kind === 'pool'
}

/** The session is not counted, and what may be left out is not expected (gen_server.ml). */
function checkArity(name: string, { arity: [fewest, most] }: Method, given: number): void {
  if (given >= fewest && given <= most) return
  throw new ApiFailure('MESSAGE_PARAMETER_COUNT_MISMATCH', [name, String(fewest), String(given)])
}

function notForUsers(name: string): ApiFailure {
  const text = `Internal API "${name}" call attempted with non-pool (external) session`
  return new ApiFailure('INTERNAL_ERROR', [text])
}

/** Changes that every user may make: clients learn the outcome of a download from a task. */
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
function assertPermitted(session: Session, name: string, method: Method): void {
  if (!session.isReadOnly || method.session === 'none') return
  const isReading = method.session === 'any' && !method.changes
  if (isReading || OPEN_TO_ALL.has(name) || name === 'pool.is_slave') return
  const roles = ADMIN_ONLY.has(name) || method.session === 'local' ? 'pool-admin' : 'pool-operator, pool-admin'
  const text = `No permission in user session. (Roles with this permission: ${roles})`
  throw new ApiFailure('RBAC_PERMISSION_DENIED', [name.toLowerCase(), text])
}
