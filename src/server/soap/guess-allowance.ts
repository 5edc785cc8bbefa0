/**
 * How many passwords a network may have looked at: one after the other, each counted before it is looked at, with a pause
 * after each that doubles. A right one, or a quiet quarter of an hour, ends the pause. Other networks are not held up.
 */

export interface AllowanceClock {
  nowMs(): number
  /** Returns early when `signal` is aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export const FIRST_PAUSE_MS = 100
export const LONGEST_PAUSE_MS = 3_000
const FORGET_AFTER_MS = 15 * 60_000
/** More at once from one network are refused unseen. */
export const WAITING_LIMIT = 8
/** How long they wait for that: whoever guesses at full speed would else take all our time for handshakes. */
export const UNSEEN_PAUSE_MS = 1_000
const NETWORKS_LIMIT = 10_000

interface Turns {
  /** Settles when the last attempt in line had its turn. */
  last: Promise<unknown>
  waiting: number
  pauseMs: number
  nextMs: number
  lastMs: number
}

export class GuessAllowance {
  readonly #clock: AllowanceClock
  /** The network whose last attempt is the longest ago comes first. */
  readonly #networks = new Map<string, Turns>()

  constructor(clock: AllowanceClock = SYSTEM_CLOCK) {
    this.#clock = clock
  }

  /** Waits for the network's turn. False when too many of its attempts are waiting already, or `signal` was aborted. */
  async admit(network: string, signal: AbortSignal): Promise<boolean> {
    const turns = this.#turnsOf(network)
    if (turns.waiting >= WAITING_LIMIT) {
      await this.#clock.wait(UNSEEN_PAUSE_MS, signal)
      return false
    }
    turns.waiting++
    const turn = turns.last.then(() => this.#takeTurn(turns, signal))
    turns.last = turn
    try {
      return await turn
    } finally {
      turns.waiting--
    }
  }

  /** The last attempt was right: the next one need not wait. */
  succeeded(network: string): void {
    const turns = this.#networks.get(network)
    if (turns) Object.assign(turns, { pauseMs: 0, nextMs: 0 })
  }

  async #takeTurn(turns: Turns, signal: AbortSignal): Promise<boolean> {
    const waitMs = turns.nextMs - this.#clock.nowMs()
    if (waitMs > 0 && !signal.aborted) await this.#clock.wait(waitMs, signal)
    if (signal.aborted) return false
    turns.lastMs = this.#clock.nowMs()
    turns.pauseMs = Math.min(Math.max(turns.pauseMs * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS)
    turns.nextMs = turns.lastMs + turns.pauseMs
    return true
  }

  #turnsOf(network: string): Turns {
    const nowMs = this.#clock.nowMs()
    const before = this.#networks.get(network)
    const isForgotten = before === undefined || (before.waiting === 0 && nowMs - before.lastMs > FORGET_AFTER_MS)
    const turns = isForgotten ? { last: Promise.resolve(), waiting: 0, pauseMs: 0, nextMs: 0, lastMs: nowMs } : before
    this.#networks.delete(network)
    this.#networks.set(network, turns)
    const [oldest] = this.#networks.keys()
    if (this.#networks.size > NETWORKS_LIMIT && oldest !== undefined) this.#networks.delete(oldest)
    return turns
  }
}

const SYSTEM_CLOCK: AllowanceClock = {
  nowMs: () => performance.now(),
  wait: (ms, signal) =>
    new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    }),
}
