/**
 * Who may ask: HTTP Basic authentication (RFC 7617) against the one account. A success is remembered under a key that
 * dies with the process, so that a pool pays for scrypt once; failures from an address make its next attempts wait.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { verifyPassword } from '../../config/index.js'
import { FailureDelay } from './failure-delay.js'

export interface AccountOptions {
  readonly userName: string
  readonly passwordHash: string
  readonly delay?: FailureDelay
}

export class Account {
  #userName: string
  #passwordHash: string
  readonly #delay: FailureDelay
  readonly #processKey = randomBytes(32)
  #accepted: Buffer | undefined

  constructor({ userName, passwordHash, delay = new FailureDelay() }: AccountOptions) {
    this.#userName = userName
    this.#passwordHash = passwordHash
    this.#delay = delay
  }

  /** From now on another name and password count, and what was remembered of the ones before does not. */
  replace({ userName, passwordHash }: Pick<AccountOptions, 'userName' | 'passwordHash'>): void {
    this.#userName = userName
    this.#passwordHash = passwordHash
    this.#accepted = undefined
  }

  /** Tells whether the `Authorization` header names the account. Nothing in the answer says what was wrong. */
  async accepts(authorization: string | undefined, remoteAddress: string): Promise<boolean> {
    // Also for what is remembered: an address that guesses must not be told at once when it is right.
    if (!(await this.#delay.admit(remoteAddress))) return false
    const accepted = await this.#check(authorization)
    if (accepted) this.#delay.succeeded(remoteAddress)
    else this.#delay.failed(remoteAddress)
    return accepted
  }

  async #check(authorization: string | undefined): Promise<boolean> {
    const given = readBasic(authorization)
    if (!given) return false
    const digest = this.#digest(`${given.userName}:${given.password}`)
    if (this.#accepted && timingSafeEqual(digest, this.#accepted)) return true

    // The password is checked for a wrong name too, which then takes as long.
    const passwordHash = this.#passwordHash
    const isName = timingSafeEqual(this.#digest(given.userName), this.#digest(this.#userName))
    const isPassword = await verifyPassword(given.password, passwordHash)
    if (!isName || !isPassword || passwordHash !== this.#passwordHash) return false // or replaced meanwhile
    this.#accepted = digest
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
