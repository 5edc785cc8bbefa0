/** Logging in and out, and what a client asks before it does anything else (docs/protocol/pool.md, sessions). */
import { setTimeout as pause } from 'node:timers/promises'
import { ApiFailure, type ApiValue, NULL_REF } from '../../xapi/index.js'
import type { LabHost } from '../host/host.js'
import { isSameSecret } from '../host/host-files.js'
import { sessionInvalid, type User } from '../host/sessions.js'
import { type Call, emergency, type Method, type OpenCall, reading } from './method.js'

export const SESSION_METHODS: readonly [string, Method][] = [
  ['session.login_with_password', { arity: [2, 4], session: 'none', handle: login }],
  ['session.slave_login', { arity: [2, 2], session: 'none', handle: hostLogin }],
  ['session.slave_local_login', { arity: [1, 1], session: 'none', handle: localHostLogin }],
  ['session.slave_local_login_with_password', { arity: [2, 2], session: 'none', handle: localLogin }],
  ['session.logout', { arity: [1, 1], session: 'none', handle: logout }],
  ['session.local_logout', emergency(0, localLogout)],
  ['session.get_all_subject_identifiers', reading(0, () => [])],
  ['system.isAlive', { arity: [0, 1], session: 'none', handle: ({ args }) => args.value(0) }],
  [
    'pool.is_slave',
    {
      arity: [1, 1],
      session: 'local',
      runsOn: 'here',
      changes: false,
      handle: ({ host }) => host.role.kind === 'member',
    },
  ],
  ['host.get_servertime', reading(1, ({ host }) => host.now())],
  ['host.get_server_localtime', reading(1, ({ host }) => host.now())],
]

async function login(call: OpenCall): Promise<ApiValue> {
  const { host, origin, args } = call
  const originator = args.all.length > 3 ? args.text(3, 'originator') : ''
  if (origin === 'local') return loginAsRoot(host, originator)
  if (host.role.kind === 'member') throw new ApiFailure('HOST_IS_SLAVE', [host.role.coordinatorAddress])
  const user = await checkPassword(host, args.text(0, 'uname'), args.text(1, 'pwd'))
  return host.role.sessions.open('user', host.role.hostRef, originator, user).ref
}

/** On the host's own socket the caller is root, on a member too: the coordinator opens the session. */
async function loginAsRoot(host: LabHost, originator: string): Promise<ApiValue> {
  const { role } = host
  if (role.kind === 'member') return host.callPool(role.coordinatorAddress, 'lab.login', [originator])
  return role.sessions.open('user', role.hostRef, originator).ref
}

function hostLogin({ host, args }: OpenCall): ApiValue {
  const ref = args.text(0, 'host')
  if (!isSameSecret(host.poolSecret, args.text(1, 'psecret'))) {
    throw new ApiFailure('SESSION_AUTHENTICATION_FAILED', [ref, 'Pool credentials invalid'])
  }
  if (host.role.kind === 'member') throw new ApiFailure('HOST_IS_SLAVE', [host.role.coordinatorAddress])
  return host.role.sessions.open('pool', ref, 'xapi').ref
}

function localHostLogin({ host, args }: OpenCall): ApiValue {
  if (!isSameSecret(host.poolSecret, args.text(0, 'psecret'))) {
    throw new ApiFailure('SESSION_AUTHENTICATION_FAILED', [NULL_REF, 'Pool credentials invalid'])
  }
  return host.localSessions.open().ref
}

async function localLogin({ host, origin, args }: OpenCall): Promise<ApiValue> {
  if (origin === 'network') {
    const userName = args.text(0, 'uname')
    const user = await checkPassword(host, userName, args.text(1, 'pwd'))
    if (user.isReadOnly) throw new ApiFailure('SESSION_AUTHENTICATION_FAILED', [userName, 'Authentication failure'])
  }
  return host.localSessions.open().ref
}

async function checkPassword({ settings }: LabHost, userName: string, password: string): Promise<User> {
  const { username, reader } = settings
  const known = isSameSecret(username, userName) ? settings : reader
  if (known && isSameSecret(known.password, password) && isSameSecret(known.username, userName)) {
    return { name: userName, isReadOnly: known === reader }
  }
  await pause(settings.refusalDelayMs)
  throw new ApiFailure('SESSION_AUTHENTICATION_FAILED', [userName, 'Authentication failure'])
}

async function logout({ host, args }: OpenCall): Promise<ApiValue> {
  const ref = args.text(0, 'session')
  const { role } = host
  if (role.kind === 'member') return host.callPool(role.coordinatorAddress, 'session.logout', [ref])
  if (!role.sessions.find(ref)) throw sessionInvalid(ref)
  role.sessions.close(ref)
  return ''
}

function localLogout({ host, session }: Call): ApiValue {
  host.localSessions.close(session.ref)
  return ''
}
