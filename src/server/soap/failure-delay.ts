/**
 * Makes guessing slow for the address that guesses and for nobody else: each failure doubles the pause before its next
 * attempt is looked at, a success or a quiet quarter of an hour ends it.
 */

export interface DelayClock {
  nowMs(): number
  wait(ms: number): Promise<void>
}

const FIRST_MS = 100
const LONGEST_MS = 3000
const FORGET_AFTER_MS = 15 * 60_000
/** More at once from one address are refused unseen: each would hold a connection. */
const WAITING_LIMIT = 8
const ADDRESSES_LIMIT = 10_000

interface Failures {
  pauseMs: number
  /** When the next attempt may be looked at; attempts waiting for their turn push it on. */
  nextMs: number
  lastMs: number
  waiting: number
}

export class FailureDelay {
  readonly #clock: DelayClock
  /** Oldest first: a failure moves its address to the end. */
  readonly #failures = new Map<string, Failures>()

  constructor(clock: DelayClock = SYSTEM_CLOCK) {
    this.#clock = clock
  }

  /** Waits for the address's turn. False when too many of its attempts are waiting already. */
  async admit(remoteAddress: string): Promise<boolean> {
    const network = networkOf(remoteAddress)
    const failures = this.#failures.get(network)
    if (!failures) return true
    const nowMs = this.#clock.nowMs()
    if (nowMs - failures.lastMs > FORGET_AFTER_MS && failures.waiting === 0) {
      this.#failures.delete(network)
      return true
    }
    if (failures.waiting >= WAITING_LIMIT) return false
    const turnMs = Math.max(nowMs, failures.nextMs)
    failures.nextMs = turnMs + failures.pauseMs
    failures.waiting++
    try {
      if (turnMs > nowMs) await this.#clock.wait(turnMs - nowMs)
    } finally {
      failures.waiting--
    }
    return true
  }

  succeeded(remoteAddress: string): void {
    this.#failures.delete(networkOf(remoteAddress))
  }

  failed(remoteAddress: string): void {
    const network = networkOf(remoteAddress)
    const nowMs = this.#clock.nowMs()
    const before = this.#failures.get(network)
    const failures = before ?? { pauseMs: FIRST_MS / 2, nextMs: 0, lastMs: nowMs, waiting: 0 }
    failures.pauseMs = Math.min(failures.pauseMs * 2, LONGEST_MS)
    failures.nextMs = Math.max(failures.nextMs, nowMs + failures.pauseMs)
    failures.lastMs = nowMs
    this.#failures.delete(network)
    this.#failures.set(network, failures)
    const [oldest] = this.#failures.keys()
    if (this.#failures.size > ADDRESSES_LIMIT && oldest !== undefined) this.#failures.delete(oldest)
  }
}

/** Whoever has one IPv6 address has the 2^64 beside it. */
function networkOf(address: string): string {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? []
  if (mapped !== undefined) return mapped
  if (!address.includes(':')) return address
  const [head = '', tail] = address.split('%', 1).join('').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  return [...left, ...zeros, ...right].slice(0, 4).join(':')
}

const SYSTEM_CLOCK: DelayClock = {
  nowMs: () => performance.now(),
  wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}
