/**
 * A session with a pool: logs in, follows the coordinator when another host becomes it, logs in again when the session has
 * expired. Each connection is verified before anything is sent: the first as the caller says, those to other hosts by the
 * fingerprints that are known or that the pool itself records for them.
 */
import { isIP } from 'node:net'
import { WlbError } from '../../base/error.js'
import type { Trust } from '../../tls/index.js'
import { ApiFailure } from '../api-failure.js'
import { connectXenApi, type XenApiClient } from '../client.js'
import { type Download, download } from '../download.js'
import { fail } from '../errors.js'
import type { ApiValue } from '../value.js'

/** A host and the certificate it is recognised by. */
export interface PinnedHost {
  readonly address: string
  readonly fingerprintSha256: string
}

export interface PoolAccess {
  readonly address: string
  readonly port: number
  readonly userName: string
  readonly password: string
  /** How the host at `address` is recognised, where `pins` has no entry for it. */
  readonly trust: Trust
  /** Hosts of the pool whose certificates are known already. */
  readonly pins?: readonly PinnedHost[]
  /**
   * Whether a member at `address` may name the coordinator, which is then asked instead: once, at an IP address, and
   * recognised by its pin or by `trust`. Without it a member is refused, so that an operator names the coordinator.
   */
  readonly followsMember?: boolean
  /** For connecting and for each answer. */
  readonly timeoutMs: number
  /** For calls that every member has to carry out; `timeoutMs` where it is not given. */
  readonly storeTimeoutMs?: number
  /** Ends the session: connections are dropped, calls under way fail. */
  readonly signal?: AbortSignal
  /** Called with the address of each host before it is connected to. */
  readonly onAsk?: (address: string) => void
}

export interface PoolSession {
  /** Where the coordinator answers now. */
  readonly address: string
  readonly port: number
  /** Of the coordinator's certificate, as it was shown. */
  readonly fingerprintSha256: string
  /** What each host that was connected to has shown. */
  readonly seen: readonly PinnedHost[]
  /**
   * Calls a method with the session as its first parameter. An expired session is opened anew, a coordinator that moved
   * is followed; a call that may have been carried out is never repeated.
   *
   * @throws ApiFailure, and what `XenApiClient.call` throws.
   */
  call(method: string, ...params: ApiValue[]): Promise<ApiValue>
  /** The same, with a patience of its own; an answer that does not come within it is not looked for elsewhere. */
  callWithin(limitMs: number, method: string, ...params: ApiValue[]): Promise<ApiValue>
  /** Gets a path of one host, with the session in its query. @throws what `download` throws; HOST_NOT_PINNED. */
  get(host: string, path: string, query: Readonly<Record<string, string>>, patience: Patience): Promise<Download>
  /** From now on these hosts can be spoken to: address and SHA-256 of the certificate, as the pool records them. */
  learn(hosts: readonly RecordedHost[]): void
  /** Logs out and drops the connections; that a logout fails hides nothing, because pools forget sessions by themselves. */
  close(): Promise<void>
}

/** As the pool's records have it: not every record names a certificate. */
export interface RecordedHost {
  readonly address: string
  readonly fingerprintSha256: string | undefined
}

export interface Patience {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

const ORIGINATOR = 'openwlb'
const DOWNLOAD_LIMIT_BYTES = 4 * 1024 * 1024

/**
 * Connects and logs in.
 *
 * @throws POOL_MEMBER_GIVEN when the address is a member's and is not followed; POOL_CREDENTIALS_REFUSED; `ApiFailure` when
 * the pool refuses for another reason; what `connectXenApi` and its calls throw.
 */
export async function openPool(access: PoolAccess): Promise<PoolSession> {
  const hosts = new HostPins(access)
  const { address, trust, followsMember = false } = access
  try {
    return new LivePoolSession(access, hosts, await enter(access, hosts, address, hosts.pinOf(address) ?? trust))
  } catch (error) {
    const coordinator = coordinatorNamedBy(error)
    const isFollowed = followsMember && coordinator !== undefined && isIP(coordinator) !== 0 && coordinator !== address
    const next = isFollowed && (hosts.recognise(coordinator) ?? (trust.kind === 'first-use' ? trust : undefined))
    if (!next) throw explainLogin(error, access, address)
    const entered = await enter(access, hosts, coordinator, next).catch((second: unknown) => {
      throw explainLogin(second, access, coordinator)
    })
    return new LivePoolSession(access, hosts, entered)
  }
}

/** Opens a session, gives it to `work`, and closes it whatever happens. @throws what `openPool` and `work` throw */
export async function withPool<T>(access: PoolAccess, work: (session: PoolSession) => Promise<T>): Promise<T> {
  const session = await openPool(access)
  try {
    return await work(session)
  } finally {
    await session.close()
  }
}

/** Which hosts of the pool can be recognised, and what they have shown. */
class HostPins {
  readonly #trust: Trust
  readonly #pins: Map<string, string>
  readonly #seen = new Map<string, string>()

  constructor({ trust, pins = [] }: PoolAccess) {
    this.#trust = trust
    this.#pins = new Map(pins.map(({ address, fingerprintSha256 }) => [address, fingerprintSha256]))
  }

  get pinned(): readonly string[] {
    return [...this.#pins.keys()]
  }

  get seen(): readonly PinnedHost[] {
    return [...this.#seen].map(([address, fingerprintSha256]) => ({ address, fingerprintSha256 }))
  }

  pinOf(address: string): Trust | undefined {
    const fingerprintSha256 = this.#pins.get(address)
    return fingerprintSha256 !== undefined && this.#trust.kind !== 'none'
      ? { kind: 'pin', fingerprintSha256 }
      : undefined
  }

  /** undefined for a host that nothing tells from an impostor. */
  recognise(address: string): Trust | undefined {
    const trust = this.#trust
    if (trust.kind === 'none') return trust
    return this.pinOf(address) ?? (trust.kind === 'ca-file' ? { ...trust, name: address } : undefined)
  }

  /** What the pool records about a host replaces what was known, except for the one that is spoken to. */
  learn({ address, fingerprintSha256 }: RecordedHost, current: string): void {
    const isProven = address === current && this.#pins.has(address)
    if (fingerprintSha256 && !isProven) this.#pins.set(address, fingerprintSha256)
  }

  /** From now on the host is held to the first certificate it has shown. */
  show(address: string, fingerprintSha256: string): void {
    this.#seen.set(address, fingerprintSha256)
    if (!this.#pins.has(address)) this.#pins.set(address, fingerprintSha256)
  }
}

interface Entered {
  readonly address: string
  readonly client: XenApiClient
  readonly ref: string
}

async function enter(access: PoolAccess, hosts: HostPins, address: string, trust: Trust): Promise<Entered> {
  const { port, timeoutMs, storeTimeoutMs, signal, userName, password } = access
  access.onAsk?.(address)
  const client = await connectXenApi({ address, port, trust, timeoutMs, storeTimeoutMs, signal })
  hosts.show(address, client.fingerprintSha256)
  try {
    const ref = await client.call('session.login_with_password', userName, password, '2.21', ORIGINATOR)
    if (typeof ref !== 'string') throw fail('RPC_MALFORMED', { reason: 'a session that is no reference' })
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
  #now: Entered
  #entering: Promise<Entered> | undefined

  constructor(access: PoolAccess, hosts: HostPins, first: Entered) {
    this.port = access.port
    this.#access = access
    this.#hosts = hosts
    this.#now = first
  }

  get address(): string {
    return this.#now.address
  }

  get fingerprintSha256(): string {
    return this.#now.client.fingerprintSha256
  }

  get seen(): readonly PinnedHost[] {
    return this.#hosts.seen
  }

  call(method: string, ...params: ApiValue[]): Promise<ApiValue> {
    return this.#calling(method, isLost, ({ client, ref }) => client.call(method, ref, ...params))
  }

  callWithin(limitMs: number, method: string, ...params: ApiValue[]): Promise<ApiValue> {
    const isGone = (error: unknown) => isLost(error) && !isTimeout(error)
    return this.#calling(method, isGone, ({ client, ref }) => client.callWithin(limitMs, method, ref, ...params))
  }

  async #calling(
    method: string,
    isGone: (error: unknown) => boolean,
    send: (entered: Entered) => Promise<ApiValue>,
  ): Promise<ApiValue> {
    const entered = this.#now
    try {
      return await send(entered)
    } catch (error) {
      const again = await this.#reenter(entered, error, isReading(method) && isGone(error))
      if (!again) throw error
      return send(again)
    }
  }

  async get(
    host: string,
    path: string,
    query: Readonly<Record<string, string>>,
    patience: Patience,
  ): Promise<Download> {
    const { ref } = this.#now
    const answer = await this.#getOnce(host, path, query, patience)
    if (answer.status !== 401) return answer
    await this.call('pool.get_all') // opens the session anew where that is what was wrong
    return ref === this.#now.ref ? answer : this.#getOnce(host, path, query, patience)
  }

  async #getOnce(
    host: string,
    path: string,
    query: Readonly<Record<string, string>>,
    patience: Patience,
  ): Promise<Download> {
    const trust = this.#hosts.recognise(host)
    if (!trust) throw fail('HOST_NOT_PINNED', { host })
    const words = new URLSearchParams({ session_id: this.#now.ref, ...query })
    const target = { address: host, port: this.port, trust, limitBytes: DOWNLOAD_LIMIT_BYTES, ...patience }
    return download(target, `${path}?${words}`)
  }

  learn(hosts: readonly RecordedHost[]): void {
    for (const host of hosts) this.#hosts.learn(host, this.#now.address)
  }

  async close(): Promise<void> {
    const { client, ref } = this.#now
    await client.call('session.logout', ref).catch(() => undefined)
    client.close()
  }

  /** Opens the session anew where that can help and nothing was carried out; undefined otherwise. */
  async #reenter(entered: Entered, error: unknown, isOut: boolean): Promise<Entered | undefined> {
    const isExpired = error instanceof ApiFailure && error.code === 'SESSION_INVALID'
    const hasMoved = isMembersAnswer(error)
    if (!isExpired && !hasMoved && !isOut) return undefined
    if (entered !== this.#now) return this.#now // another call was quicker
    const start = coordinatorNamedBy(error) ?? entered.address
    this.#entering ??= this.#find(start).finally(() => {
      this.#entering = undefined
    })
    try {
      const found = await this.#entering
      entered.client.close()
      this.#now = found
      return found
    } catch {
      return undefined // what went wrong first says more
    }
  }

  /** Asks one host after the other; a member names the coordinator, who is asked next. */
  async #find(start: string): Promise<Entered> {
    const queue = [start, ...this.#hosts.pinned.filter((address) => address !== start)]
    const asked = new Set<string>()
    let last: unknown
    for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
      const trust = this.#hosts.recognise(address)
      if (asked.has(address) || !trust) continue
      asked.add(address)
      try {
        return await enter(this.#access, this.#hosts, address, trust)
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

function coordinatorNamedBy(error: unknown): string | undefined {
  return isMembersAnswer(error) ? error.params[0] : undefined
}

function isLost(error: unknown): boolean {
  return error instanceof WlbError
}

function isTimeout(error: unknown): boolean {
  return error instanceof WlbError && error.code === 'API_TIMEOUT'
}

/** Such calls may be sent twice: they change nothing. */
function isReading(method: string): boolean {
  return /\.(get_|retrieve_wlb_|crl_list$|certificate_list$)/.test(method)
}

/** Two refusals of a login are for the operator to correct; every other error passes unchanged. */
function explainLogin(error: unknown, { port, userName }: PoolAccess, address: string): unknown {
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
