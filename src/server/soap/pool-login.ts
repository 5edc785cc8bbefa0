/**
 * Proves a pool's credentials by using them: a login over TLS with the certificate known for that address, or remembered
 * from this first time, and a look at who answered (docs/protocol/pool.md, how the appliance reaches the pool).
 */
import { once } from 'node:events'
import { isIP } from 'node:net'
import { WlbError } from '../../base/error.js'
import type { CertificatePin } from '../../store/index.js'
import { ApiFailure, type ApiValue, connectXenApi, isApiMap, withSession, type XenApiClient } from '../../xapi/index.js'

export interface PoolLogin {
  readonly address: string
  readonly tlsPort: number
  readonly userName: string
  readonly password: string
  readonly pins: readonly CertificatePin[]
}

export type LoginResult =
  | {
      readonly state: 'in'
      readonly poolUuid: string
      readonly hostUuids: readonly string[]
      /** The host that let us in: the coordinator. */
      readonly coordinatorAddress: string
      /** What each address we talked to has shown. */
      readonly seen: readonly CertificatePin[]
    }
  /** The pool answered: these credentials are wrong. */
  | { readonly state: 'credentials-refused' }
  /** The credentials are right; the user's role is not enough. */
  | { readonly state: 'not-permitted'; readonly why: string }
  | { readonly state: 'other-certificate'; readonly pinned: CertificatePin; readonly seen: string }
  | { readonly state: 'unreachable'; readonly why: string }

/** A pool takes five seconds to refuse a password; the pool that asked us waits thirty in all. */
const CALL_TIMEOUT_MS = 9000
const WHOLE_TIMEOUT_MS = 20_000

/** Logs in, reads the pool's and its hosts' uuids, logs out. A member names its coordinator, which is asked then, once. */
export async function logIn(login: PoolLogin, timeoutMs = WHOLE_TIMEOUT_MS): Promise<LoginResult> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const passed = once(deadline, 'abort').then(() =>
    unreachable(login, `it did not finish answering within ${timeoutMs / 1000} s`),
  )
  return Promise.race([passed, visit(login, [], deadline)])
}

async function visit(login: PoolLogin, before: readonly CertificatePin[], deadline: AbortSignal): Promise<LoginResult> {
  const { address, tlsPort, pins } = login
  const pinned = pins.find((pin) => pin.address === address && pin.tlsPort === tlsPort)
  let client: XenApiClient
  try {
    const trust = pinned
      ? ({ kind: 'pin', fingerprintSha256: pinned.fingerprintSha256 } as const)
      : ({ kind: 'first-use' } as const)
    client = await connectXenApi({ address, port: tlsPort, trust, timeoutMs: CALL_TIMEOUT_MS })
  } catch (error) {
    return explainConnectFailure(error, login, pinned)
  }
  deadline.addEventListener('abort', () => client.close())
  const seen = [...before, { address, tlsPort, fingerprintSha256: client.fingerprintSha256 }]
  try {
    return await look(client, login, seen)
  } catch (error) {
    if (error instanceof WlbError) return unreachable(login, `${error.message} (${describeFacts(error)})`)
    if (!(error instanceof ApiFailure)) throw error
    const [coordinator = ''] = error.params
    const isFirst = before.length === 0
    if (error.code === 'HOST_IS_SLAVE' && isFirst && isIP(coordinator) !== 0)
      return await visit({ ...login, address: coordinator }, seen, deadline)
    return explainApiFailure(error, login)
  } finally {
    client.close()
  }
}

function look(client: XenApiClient, login: PoolLogin, seen: readonly CertificatePin[]): Promise<LoginResult> {
  const { userName, password, address } = login
  return withSession(client, { userName, password, originator: 'openwlb' }, async (session): Promise<LoginResult> => {
    const [poolUuid] = readUuids(await client.call('pool.get_all_records', session))
    const hostUuids = readUuids(await client.call('host.get_all_records', session))
    if (poolUuid === undefined) return unreachable(login, 'the answer holds no pool')
    return { state: 'in', poolUuid, hostUuids, coordinatorAddress: address, seen }
  })
}

/** The uuids in a map of references to records. */
function readUuids(records: ApiValue): readonly string[] {
  if (!isApiMap(records)) return []
  return Object.values(records).flatMap((record) => {
    const uuid = isApiMap(record) ? record.uuid : undefined
    return typeof uuid === 'string' ? [uuid] : []
  })
}

function explainConnectFailure(error: unknown, login: PoolLogin, pinned: CertificatePin | undefined): LoginResult {
  if (!(error instanceof WlbError)) throw error
  if (error.code === 'PIN_MISMATCH' && pinned)
    return { state: 'other-certificate', pinned, seen: String(error.facts.seen) }
  return unreachable(login, error.message)
}

function explainApiFailure({ code, params }: ApiFailure, login: PoolLogin): LoginResult {
  switch (code) {
    case 'SESSION_AUTHENTICATION_FAILED':
      return { state: 'credentials-refused' }
    case 'RBAC_PERMISSION_DENIED':
      return { state: 'not-permitted', why: params.join(', ') }
    case 'HOST_IS_SLAVE':
      return unreachable(login, `it says that ${params[0] || 'another host'} is the coordinator`)
    default:
      return unreachable(login, `it answered ${code}`)
  }
}

function unreachable({ address, tlsPort }: PoolLogin, why: string): LoginResult {
  return { state: 'unreachable', why: `${address}, port ${tlsPort}: ${why}` }
}

function describeFacts({ code, facts }: WlbError): string {
  return [code, ...Object.entries(facts).map(([name, value]) => `${name} ${value}`)].join(', ')
}
