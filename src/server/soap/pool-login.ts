/**
 * Proves a pool's credentials by using them: logs in, with the certificate known for each address or remembered from this
 * first time, and reads which pool answered (docs/protocol/pool.md, how the appliance reaches the pool).
 */
import { once } from 'node:events'
import { WlbError } from '../../base/error.js'
import { type HostAddress, readHostAddress } from '../../base/names/host-address.js'
import type { CertificatePin } from '../../store/index.js'
import { ApiFailure, type ApiValue, isApiMap, type PoolAccess, withPool } from '../../xapi/index.js'

export interface PoolLogin {
  readonly address: HostAddress
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
  const { address, tlsPort, userName, password } = login
  const signal = AbortSignal.timeout(timeoutMs)
  const passed = once(signal, 'abort').then(() =>
    unreachable(login, `it did not finish answering within ${timeoutMs / 1000} s`),
  )
  const pins = login.pins
    .filter((pin) => pin.tlsPort === tlsPort)
    .map((pin) => ({ ...pin, address: readHostAddress(pin.address, 'a registered pool') }))
  let asked = address
  const identified = identifyPool({
    address,
    port: tlsPort,
    userName,
    password,
    trust: { kind: 'first-use' },
    pins,
    followsMember: true,
    timeoutMs: CALL_TIMEOUT_MS,
    signal,
    onAsk: (next) => {
      asked = next
    },
  }).catch((error: unknown) => explainFailure(error, { ...login, address: asked, pins }))
  return Promise.race([passed, identified])
}

function identifyPool(access: PoolAccess): Promise<LoginResult> {
  return withPool(access, async (session): Promise<LoginResult> => {
    const [poolUuid] = readUuids(await session.call('pool.get_all_records'))
    const hostUuids = readUuids(await session.call('host.get_all_records'))
    const { address: coordinatorAddress, port: tlsPort } = session
    if (poolUuid === undefined) return unreachable({ address: coordinatorAddress, tlsPort }, 'the answer holds no pool')
    const seen = session.seen.map((host) => ({ ...host, tlsPort }))
    return { state: 'in', poolUuid, hostUuids, coordinatorAddress, seen }
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

/** `login.address` is the host that was asked last. */
function explainFailure(error: unknown, login: PoolLogin): LoginResult {
  if (error instanceof ApiFailure) {
    return error.code === 'RBAC_PERMISSION_DENIED'
      ? { state: 'not-permitted', why: error.params.join(', ') }
      : unreachable(login, `it answered ${error.code}`)
  }
  if (!(error instanceof WlbError)) throw error
  const { code, message, facts } = error
  switch (code) {
    case 'POOL_CREDENTIALS_REFUSED':
      return { state: 'credentials-refused' }
    case 'POOL_MEMBER_GIVEN':
      return unreachable(login, `it says that ${facts.coordinator || 'another host'} is the coordinator`)
    case 'PIN_MISMATCH': {
      const pinned = login.pins.find(({ address }) => address === login.address)
      return pinned ? { state: 'other-certificate', pinned, seen: String(facts.seen) } : unreachable(login, message)
    }
    default: // an error of connecting names the host in its facts, which the answer does already
      return unreachable(login, facts.address === undefined ? `${message} (${describeFacts(error)})` : message)
  }
}

function unreachable({ address, tlsPort }: Pick<PoolLogin, 'address' | 'tlsPort'>, why: string): LoginResult {
  return { state: 'unreachable', why: `${address}, port ${tlsPort}: ${why}` }
}

function describeFacts({ code, facts }: WlbError): string {
  return [code, ...Object.entries(facts).map(([name, value]) => `${name} ${value}`)].join(', ')
}
