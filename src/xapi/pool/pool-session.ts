/**
 * A logged-in conversation with a pool that survives what happens to pools: sessions that expire, a coordinator that
 * changes in the middle. Every connection is judged: the first by what the operator gave, those to other hosts by the
 * fingerprints that the pool itself records for them.
 */
import { WlbError } from '../../base/error.js'
import type { Trust } from '../../tls/index.js'
import { connectXenApi, type XenApiClient } from '../client.js'
import { type Download, download } from '../download.js'
import { ApiFailure } from '../failure.js'
import type { ApiValue } from '../value.js'

export interface PoolAccess {
  readonly address: string
  readonly port: number
  readonly userName: string
  readonly password: string
  readonly trust: Trust
  /** For connecting and for each answer. */
  readonly timeoutMs: number
  /** For what every member has to carry out; `timeoutMs` where nothing is said. */
  readonly storeTimeoutMs?: number
}

export interface PoolSession {
  /** Where the coordinator answers now. */
  readonly address: string
  readonly port: number
  /** Of the coordinator's certificate, as it was shown. */
  readonly fingerprintSha256: string
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
  learn(hosts: readonly { readonly address: string; readonly fingerprintSha256: string | undefined }[]): void
  close(): Promise<void>
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
 * @throws POOL_MEMBER_GIVEN when the address is a member's; POOL_CREDENTIALS_REFUSED; what `connectPinned` throws.
 */
export async function openPool(access: PoolAccess): Promise<PoolSession> {
  const first = await enter(access, access.address, access.trust).catch((error: unknown) => {
    throw error instanceof ApiFailure ? explainLogin(error, access) : error
  })
  return new LivePoolSession(access, first)
}

interface Entered {
  readonly address: string
  readonly client: XenApiClient
  readonly ref: string
}

class LivePoolSession implements PoolSession {
  readonly port: number
  readonly #access: PoolAccess
  readonly #pins = new Map<string, string>()
  #now: Entered
  #entering: Promise<Entered> | undefined

  constructor(access: PoolAccess, first: Entered) {
    this.port = access.port
    this.#access = access
    this.#now = first
    if (access.trust.kind !== 'none') this.#pins.set(first.address, first.client.fingerprintSha256)
  }

  get address(): string {
    return this.#now.address
  }

  get fingerprintSha256(): string {
    return this.#now.client.fingerprintSha256
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
    const trust = this.#trustFor(host)
    if (!trust) throw notPinned(host)
    const words = new URLSearchParams({ session_id: this.#now.ref, ...query })
    const target = { address: host, port: this.port, trust, limitBytes: DOWNLOAD_LIMIT_BYTES, ...patience }
    return download(target, `${path}?${words}`)
  }

  learn(hosts: readonly { readonly address: string; readonly fingerprintSha256: string | undefined }[]): void {
    for (const { address, fingerprintSha256 } of hosts) {
      const isKnown = address === this.#now.address && this.#pins.has(address)
      if (fingerprintSha256 && !isKnown) this.#pins.set(address, fingerprintSha256)
    }
  }

  async close(): Promise<void> {
    const { client, ref } = this.#now
    await client.call('session.logout', ref).catch(() => undefined)
    client.close()
  }

  /** Opens the session anew where that can help and nothing was carried out; undefined otherwise. */
  async #reenter(entered: Entered, error: unknown, isOut: boolean): Promise<Entered | undefined> {
    const isExpired = error instanceof ApiFailure && error.code === 'SESSION_INVALID'
    const hasMoved = error instanceof ApiFailure && error.code === 'HOST_IS_SLAVE'
    if (!isExpired && !hasMoved && !isOut) return undefined
    if (entered !== this.#now) return this.#now // another call was quicker
    const start = hasMoved ? (error.params[0] ?? entered.address) : entered.address
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
    const queue = [start, ...[...this.#pins.keys()].filter((address) => address !== start)]
    const asked = new Set<string>()
    let last: unknown
    for (let address = queue.shift(); address !== undefined; address = queue.shift()) {
      const trust = this.#trustFor(address)
      if (asked.has(address) || !trust) continue
      asked.add(address)
      try {
        return await enter(this.#access, address, trust)
      } catch (error) {
        last = error
        const [coordinator] = error instanceof ApiFailure && error.code === 'HOST_IS_SLAVE' ? error.params : []
        if (coordinator !== undefined && !asked.has(coordinator)) queue.unshift(coordinator)
      }
    }
    throw last
  }

  #trustFor(address: string): Trust | undefined {
    const { trust } = this.#access
    if (trust.kind === 'none') return trust
    const pin = this.#pins.get(address)
    if (pin !== undefined) return { kind: 'pin', fingerprintSha256: pin }
    return trust.kind === 'ca-file' ? { ...trust, name: address } : undefined
  }
}

async function enter(access: PoolAccess, address: string, trust: Trust): Promise<Entered> {
  const { port, timeoutMs, storeTimeoutMs = timeoutMs, userName, password } = access
  const client = await connectXenApi({ address, port, trust, timeoutMs, storeTimeoutMs })
  try {
    const ref = await client.call('session.login_with_password', userName, password, '2.21', ORIGINATOR)
    return { address, client, ref: String(ref) }
  } catch (error) {
    client.close()
    throw error
  }
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

function explainLogin(failure: ApiFailure, { address, port, userName }: PoolAccess): Error {
  const [first = ''] = failure.params
  switch (failure.code) {
    case 'HOST_IS_SLAVE':
      return new WlbError(
        'POOL_MEMBER_GIVEN',
        'That host is a member; the pool is spoken to through its coordinator.',
        { given: `${address}:${port}`, coordinator: first },
        `wlb trust status --pool https://${first.includes(':') ? `[${first}]` : first}:${port}`,
      )
    case 'SESSION_AUTHENTICATION_FAILED':
      return new WlbError(
        'POOL_CREDENTIALS_REFUSED',
        'The pool does not take this user name and password.',
        { pool: `${address}:${port}`, userName },
        'wlb trust status --username USER --password-file FILE',
      )
    default:
      return failure
  }
}

function notPinned(host: string): WlbError {
  return new WlbError(
    'HOST_NOT_PINNED',
    'The pool records no fingerprint for that host, so nothing tells it from an impostor.',
    { host },
    'xe certificate-list type=host',
  )
}
