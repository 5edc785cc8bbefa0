/**
 * Who may ask: HTTP Basic authentication (RFC 7617) against the one account.
 *
 * A right name and password are remembered under a key that dies with the process, and with them the networks they came from.
 * From such a network what is remembered is compared at once, whoever else guesses there; anywhere else each attempt is
 * counted first and waits for its turn (docs/security.md says why).
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { networkOf } from '../../base/names/network.js'
import { verifyPassword } from '../../config/index.js'
import { CheckQueue } from './check-queue.js'
import { GuessAllowance } from './guess-allowance.js'

export interface AccountOptions {
  readonly userName: string
  readonly passwordHash: string
  /** Networks of pools that have registered: they are looked at before others until the password has been seen. */
  readonly registered?: readonly string[]
  readonly allowance?: GuessAllowance
}

/** Networks the right password came from; a pool's hosts have a few. */
const KNOWN_LIMIT = 1_000
/** Wrong passwords that are compared at once from a network the right one came from, beyond one in three seconds. */
export const WRONG_LIMIT = 100_000
const WRONG_FORGIVEN_EVERY_MS = 3_000

interface Known {
  wrong: number
  forgivenMs: number
}

/** The same attempt made several times at once by one network: looked at once, and counted once. */
interface Attempt {
  readonly outcome: Promise<boolean>
  readonly abort: AbortController
  interested: number
}

export class Account {
  #userName: string
  #passwordHash: string
  readonly #allowance: GuessAllowance
  readonly #queue = new CheckQueue()
  readonly #registered: ReadonlySet<string>
  readonly #processKey = randomBytes(32)
  #accepted: Buffer | undefined
  /** The network whose last success is the longest ago comes first. */
  readonly #known = new Map<string, Known>()
  readonly #attempts = new Map<string, Attempt>()

  constructor({ userName, passwordHash, registered = [], allowance = new GuessAllowance() }: AccountOptions) {
    this.#userName = userName
    this.#passwordHash = passwordHash
    this.#registered = new Set(registered)
    this.#allowance = allowance
  }

  /** From now on another name and password count, and what was remembered of the ones before does not. */
  replace({ userName, passwordHash }: Pick<AccountOptions, 'userName' | 'passwordHash'>): void {
    this.#userName = userName
    this.#passwordHash = passwordHash
    this.#accepted = undefined
    this.#known.clear()
  }

  /** Whether the right password came from there, or a pool registered from there. */
  isKnown(network: string): boolean {
    return this.#known.has(network) || this.#registered.has(network)
  }

  /**
   * Tells whether the `Authorization` header names the account. Nothing in the answer says what was wrong. `signal` is aborted
   * when the client has gone; what it asked for is then dropped.
   */
  async accepts(authorization: string | undefined, remoteAddress: string, signal: AbortSignal): Promise<boolean> {
    const given = readBasic(authorization)
    if (!given) return false
    const network = networkOf(remoteAddress)
    const digest = this.#digest(`${given.userName}:${given.password}`)
    if (this.#comparesAtOnce(network)) {
      if (this.#isRemembered(digest)) return this.#remember(network)
      this.#countWrong(network)
    }
    return this.#share(`${network} ${digest.toString('hex')}`, signal, async (abort) => {
      if (!(await this.#allowance.admit(network, abort))) return false
      const isRight = this.#accepted ? this.#isRemembered(digest) : await this.#check(given, digest, network, abort)
      if (!isRight) return false
      this.#allowance.succeeded(network)
      return this.#remember(network)
    })
  }

  /** Joins the same attempt where one is under way; when everybody interested has gone, it is dropped. */
  async #share(key: string, signal: AbortSignal, look: (abort: AbortSignal) => Promise<boolean>): Promise<boolean> {
    const attempt = this.#attempts.get(key) ?? this.#begin(key, look)
    attempt.interested++
    const leave = () => {
      attempt.interested--
      if (attempt.interested === 0) attempt.abort.abort()
    }
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
    try {
      return await attempt.outcome
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }

  #begin(key: string, look: (abort: AbortSignal) => Promise<boolean>): Attempt {
    const abort = new AbortController()
    const forget = () => {
      if (this.#attempts.get(key) === attempt) this.#attempts.delete(key)
    }
    const attempt: Attempt = { outcome: look(abort.signal).finally(forget), abort, interested: 0 }
    abort.signal.addEventListener('abort', forget, { once: true }) // the next one begins anew
    this.#attempts.set(key, attempt)
    return attempt
  }

  async #check(given: Credentials, digest: Buffer, network: string, abort: AbortSignal): Promise<boolean> {
    // The password is checked for a wrong name too, which then takes as long.
    const passwordHash = this.#passwordHash
    const isName = timingSafeEqual(this.#digest(given.userName), this.#digest(this.#userName))
    const verify = () => verifyPassword(given.password, passwordHash)
    const isPassword = await this.#queue.run(verify, this.isKnown(network), abort)
    if (!isName || !isPassword || passwordHash !== this.#passwordHash) return false // or replaced meanwhile
    this.#accepted = digest
    return true
  }

  #isRemembered(digest: Buffer): boolean {
    return this.#accepted !== undefined && timingSafeEqual(digest, this.#accepted)
  }

  #comparesAtOnce(network: string): boolean {
    const known = this.#known.get(network)
    if (this.#accepted === undefined || known === undefined) return false
    const forgiven = Math.floor((performance.now() - known.forgivenMs) / WRONG_FORGIVEN_EVERY_MS)
    known.wrong = Math.max(0, known.wrong - forgiven)
    known.forgivenMs += forgiven * WRONG_FORGIVEN_EVERY_MS
    return known.wrong < WRONG_LIMIT
  }

  #countWrong(network: string): void {
    const known = this.#known.get(network)
    if (known) known.wrong++
  }

  #remember(network: string): true {
    const known = this.#known.get(network) ?? { wrong: 0, forgivenMs: performance.now() }
    this.#known.delete(network)
    this.#known.set(network, known)
    const [oldest] = this.#known.keys()
    if (this.#known.size > KNOWN_LIMIT && oldest !== undefined) this.#known.delete(oldest)
    return true
  }

  #digest(text: string): Buffer {
    return createHmac('sha256', this.#processKey).update(text, 'utf8').digest()
  }
}

interface Credentials {
  readonly userName: string
  readonly password: string
}

/**
 * Separated at the first colon: a password may have more of them. Neither part has control characters (RFC 7617, 2), and
 * scrypt would take a password and the same one with zero bytes behind it for equal.
 */
export function readBasic(authorization: string | undefined): Credentials | undefined {
  const [, base64] = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization?.trim() ?? '') ?? []
  if (base64 === undefined) return undefined
  const text = decodeUtf8(Buffer.from(base64, 'base64'))
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 0 || /\p{Cc}/u.test(text)) return undefined
  return { userName: text.slice(0, colon), password: text.slice(colon + 1) }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
