/**
 * A session with a pool: logs in, reconnects when another host becomes the coordinator, and logs in again when the session
 * has expired. Each connection is verified before anything is sent: the first as the caller says, those to other hosts by
 * their known fingerprints or those that the pool records.
 */
import { isIP } from 'node:net'
import { WlbError } from '../../base/error.js'
import { type HostAddress, isHostAddress } from '../../base/names/host-address.js'
import type { Trust } from '../../tls/index.js'
import { ApiFailure } from '../api-failure.js'
import { connectXenApi, type XenApiClient } from '../client.js'
import { type Download, download } from '../download.js'
import { fail } from '../errors.js'
import type { ApiValue } from '../value.js'

/** A host and the fingerprint of the only certificate accepted from it. */
export interface PinnedHost {
  readonly address: HostAddress
  readonly fingerprintSha256: string
}

export interface PoolAccess {
  readonly address: HostAddress
  readonly port: number
  readonly userName: string
  readonly password: string
  /** How the host at `address` is verified if `pins` has no entry for it. */
  readonly trust: Trust
  /** Hosts of the pool whose certificates are already known. */
  readonly pins?: readonly PinnedHost[]
  /**
   * Whether to connect to the coordinator when `address` is a member that names it. This is done once, only for an IP
   * address, and the coordinator is verified by its pin or by `trust`. By default a member causes POOL_MEMBER_GIVEN.
   */
  readonly followsMember?: boolean
  /** The time limit for connecting and for each answer. */
  readonly timeoutMs: number
  /** The time limit for calls that every host carries out; `timeoutMs` by default. */
  readonly storeTimeoutMs?: number
  /** Closes the connections; pending calls fail. */
  readonly signal?: AbortSignal
  /** Called with the address of each host before connecting to it. */
  readonly onAsk?: (address: HostAddress) => void
}

export interface PoolSession {
  /** The coordinator's current address. */
  readonly address: HostAddress
  readonly port: number
  /** SHA-256 of the certificate the coordinator presented. */
  readonly fingerprintSha256: string
  /** The certificate fingerprint that each connected host presented. */
  readonly seen: readonly PinnedHost[]
  /**
   * Calls a method with the session as its first parameter. If the session has expired or another host has become the
   * coordinator, logs in again and repeats the call. A call that changes something is not repeated after a lost answer.
   *
   * @throws ApiFailure, and what `XenApiClient.call` throws.
   */
  call(method: string, ...params: ApiValue[]): Promise<ApiValue>
  /** Like `call`, with its own time limit. When it expires, no other host is tried. */
  callWithin(limitMs: number, method: string, ...params: ApiValue[]): Promise<ApiValue>
  /** Downloads a path from one host, with the session in its query. @throws what `download` throws; HOST_NOT_PINNED. */
  get(
    host: HostAddress | '',
    path: string,
    query: Readonly<Record<string, string>>,
    limits: CallLimits,
  ): Promise<Download>
  /** Stores the fingerprints that the pool records for its hosts, so that connections to these hosts can be verified. */
  learn(hosts: readonly RecordedHost[]): void
  /** Logs out and closes the connections. A failed logout is ignored, because pools drop unused sessions themselves. */
  close(): Promise<void>
}

/** A host as the pool records it; the record may lack a certificate. */
export interface RecordedHost {
  readonly address: HostAddress | ''
  readonly fingerprintSha256: string | undefined
}

export interface CallLimits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

const ORIGINATOR = 'openwlb'
const DOWNLOAD_LIMIT_BYTES = 4 * 1024 * 1024

/**
 * Connects and logs in.
 *
 * @throws POOL_MEMBER_GIVEN when the host is a member and its coordinator is not to be followed; POOL_CREDENTIALS_REFUSED;
 * `ApiFailure` when the pool refuses for another reason; what `connectXenApi` and its calls throw.
 */
export async function openPool(access: PoolAccess): Promise<PoolSession> {
  const hosts = new HostPins(access)
  const { address, trust, followsMember = false } = access
  try {
    return new LivePoolSession(access, hosts, await logIn(access, hosts, address, hosts.pinOf(address) ?? trust))
  } catch (error) {
    const coordinator = coordinatorNamedBy(error)
    const isFollowed = followsMember && coordinator !== undefined && isIP(coordinator) !== 0 && coordinator !== address
    const next = isFollowed && (hosts.trustFor(coordinator) ?? (trust.kind === 'first-use' ? trust : undefined))
    if (!next) throw explainLogin(error, access, address)
    const login = await logIn(access, hosts, coordinator, next).catch((second: unknown) => {
      throw explainLogin(second, access, coordinator)
    })
    return new LivePoolSession(access, hosts, login)
  }
}

/** Opens a session, passes it to `work`, and always closes it. @throws what `openPool` and `work` throw. */
export async function withPool<T>(access: PoolAccess, work: (session: PoolSession) => Promise<T>): Promise<T> {
  const session = await openPool(access)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

/** The fingerprints of the hosts: those known or recorded, and those presented. */
class HostPins {
  readonly #trust: Trust
  readonly #pins: Map<HostAddress, string>
  readonly #seen = new Map<HostAddress, string>()

  constructor({ trust, pins = [] }: PoolAccess) {
    this.#trust = trust
    this.#pins = new Map(pins.map(({ address, fingerprintSha256 }) => [address, fingerprintSha256]))
  }

  get pinned(): readonly HostAddress[] {
    return [...this.#pins.keys()]
  }

  get seen(): readonly PinnedHost[] {
    return [...this.#seen].map(([address, fingerprintSha256]) => ({ address, fingerprintSha256 }))
  }

  pinOf(address: HostAddress): Trust | undefined {
    const fingerprintSha256 = this.#pins.get(address)
    return fingerprintSha256 !== undefined && this.#trust.kind !== 'none'
      ? { kind: 'pin', fingerprintSha256 }
      : undefined
  }

  /** Undefined for a host that cannot be verified. */
  trustFor(address: HostAddress): Trust | undefined {
    const trust = this.#trust
    if (trust.kind === 'none') return trust
    return this.pinOf(address) ?? (trust.kind === 'ca-file' ? { ...trust, name: address } : undefined)
  }

  /** A recorded fingerprint replaces a known one, except that of the connected host, which has already been verified. */
  learn({ address, fingerprintSha256 }: RecordedHost, current: HostAddress): void {
    const isProven = address !== '' && address === current && this.#pins.has(address)
    if (fingerprintSha256 && address && !isProven) this.#pins.set(address, fingerprintSha256)
  }

  /** Pins the first certificate a host presented. */
  recordPresented(address: HostAddress, fingerprintSha256: string): void {
    this.#seen.set(address, fingerprintSha256)
    if (!this.#pins.has(address)) this.#pins.set(address, fingerprintSha256)
  }
}

interface Login {
  readonly address: HostAddress
  readonly client: XenApiClient
  readonly ref: string
}

async function logIn(access: PoolAccess, hosts: HostPins, address: HostAddress, trust: Trust): Promise<Login> {
  const { port, timeoutMs, storeTimeoutMs, signal, userName, password } = access
  access.onAsk?.(address)
  const client = await connectXenApi({ address, port, trust, timeoutMs, storeTimeoutMs, signal })
  hosts.recordPresented(address, client.fingerprintSha256)
  try {
    const ref = await client.call('session.login_with_password', userName, password, '2.21', ORIGINATOR)
    if (typeof ref !== 'string') throw fail('RPC_MALFORMED', { reason: 'the session is not a reference' })
    return { address, client, ref }
  } catch (error) {
    client.close()
    throw error
  }
}

class LivePoolSession implements PoolSession {
  readonly port: number
  readonly #access: PoolAccess
  readonly #hosts: HostPins
  #current: Login
  #loggingIn: Promise<Login> | undefined

  constructor(access: PoolAccess, hosts: HostPins, first: Login) {
    this.port = access.port
    this.#access = access
    this.#hosts = hosts
    this.#current = first
  }

  get address(): HostAddress {
    return this.#current.address
  }

  get fingerprintSha256(): string {
    return this.#current.client.fingerprintSha256
  }

  get seen(): readonly PinnedHost[] {
    return this.#hosts.seen
  }

  call(method: string, ...params: ApiValue[]): Promise<ApiValue> {
    return this.#callOrRetry(method, isLost, ({ client, ref }) => client.call(method, ref, ...params))
  }

  callWithin(limitMs: number, method: string, ...params: ApiValue[]): Promise<ApiValue> {
    const isGone = (error: unknown) => isLost(error) && !isTimeout(error)
    return this.#callOrRetry(method, isGone, ({ client, ref }) => client.callWithin(limitMs, method, ref, ...params))
  }

  async #callOrRetry(
    method: string,
    isGone: (error: unknown) => boolean,
    send: (login: Login) => Promise<ApiValue>,
  ): Promise<ApiValue> {
    const login = this.#current
    try {
      return await send(login)
    } catch (error) {
      const again = await this.#logInAgain(login, error, isReading(method) && isGone(error))
      if (!again) throw error
      return send(again)
    }
  }

  async get(
    host: HostAddress | '',
    path: string,
    query: Readonly<Record<string, string>>,
    limits: CallLimits,
  ): Promise<Download> {
    const { ref } = this.#current
    const answer = await this.#getOnce(host, path, query, limits)
    if (answer.status !== 401) return answer
    await this.call('pool.get_all') // logs in again if the session had expired
    return ref === this.#current.ref ? answer : this.#getOnce(host, path, query, limits)
  }

  async #getOnce(
    host: HostAddress | '',
    path: string,
    query: Readonly<Record<string, string>>,
    limits: CallLimits,
  ): Promise<Download> {
    const trust = host && this.#hosts.trustFor(host)
    if (!host || !trust) throw fail('HOST_NOT_PINNED', { host })
    const search = new URLSearchParams({ session_id: this.#current.ref, ...query })
    const target = { address: host, port: this.port, trust, limitBytes: DOWNLOAD_LIMIT_BYTES, ...limits }
    return download(target, `${path}?${search}`)
  }

  learn(hosts: readonly RecordedHost[]): void {
    for (const host of hosts) this.#hosts.learn(host, this.#current.address)
  }

  async close(): Promise<void> {
    const { client, ref } = this.#current
    await client.call('session.logout', ref).catch(() => undefined)
    client.close()
  }

  /** Logs in again if that can help and the call changed nothing; undefined otherwise. */
  async #logInAgain(login: Login, error: unknown, isLostRead: boolean): Promise<Login | undefined> {
    const isExpired = error instanceof ApiFailure && error.code === 'SESSION_INVALID'
    const hasMoved = isMembersAnswer(error)
    if (!isExpired && !hasMoved && !isLostRead) return undefined
    if (login !== this.#current) return this.#current // another call has already logged in again
    const start = coordinatorNamedBy(error) ?? login.address
    this.#loggingIn ??= this.#findCoordinator(start).finally(() => {
      this.#loggingIn = undefined
    })
    try {
      const found = await this.#loggingIn
      login.client.close()
      this.#current = found
      return found
    } catch {
      return undefined // the first error is more useful to the caller
    }
  }

  /** Tries one host after the other until a login succeeds. When a member names the coordinator, that is tried next. */
  async #findCoordinator(start: HostAddress): Promise<Login> {
    const queue = [start, ...this.#hosts.pinned.filter((address) => address !== start)]
    const asked = new Set<string>()
    let last: unknown
    for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
      const trust = this.#hosts.trustFor(address)
      if (asked.has(address) || !trust) continue
      asked.add(address)
      try {
        return await logIn(this.#access, this.#hosts, address, trust)
      } catch (error) {
        last = error
        const coordinator = coordinatorNamedBy(error)
        if (coordinator !== undefined && !asked.has(coordinator)) queue.unshift(coordinator)
      }
    }
    throw last
  }
}

function isMembersAnswer(error: unknown): error is ApiFailure {
  return error instanceof ApiFailure && error.code === 'HOST_IS_SLAVE'
}

function coordinatorNamedBy(error: unknown): HostAddress | undefined {
  const [named = ''] = isMembersAnswer(error) ? error.params : []
  return isHostAddress(named) ? named : undefined
}

function isLost(error: unknown): boolean {
  return error instanceof WlbError
}

function isTimeout(error: unknown): boolean {
  return error instanceof WlbError && error.code === 'API_TIMEOUT'
}

/** These calls change nothing, so they may be sent twice. */
function isReading(method: string): boolean {
  return /\.(get_|retrieve_wlb_|crl_list$|certificate_list$)/.test(method)
}

/** Converts the two login failures that an operator can correct; other errors are returned unchanged. */
function explainLogin(error: unknown, { port, userName }: PoolAccess, address: HostAddress): unknown {
  if (!(error instanceof ApiFailure)) return error
  const place = `${address}:${port}`
  switch (error.code) {
    case 'HOST_IS_SLAVE':
      return fail('POOL_MEMBER_GIVEN', { given: place, coordinator: error.params[0] ?? '' })
    case 'SESSION_AUTHENTICATION_FAILED':
      return fail('POOL_CREDENTIALS_REFUSED', { pool: place, userName })
    default:
      return error
  }
}
