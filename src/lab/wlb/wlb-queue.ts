/**
 * The pool's one line of requests to WLB: one at a time, the youngest first. A request's time runs from the moment it
 * is put in line, so a slow one can cost the others theirs.
 */
import { timedOut } from './wlb-failure.js'

interface Waiting {
  readonly start: () => Promise<void>
  readonly isOver: () => boolean
}

/** The longest time a timer takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class WlbQueue {
  readonly #waiting: Waiting[] = []
  #isBusy = false

  /**
   * Does the work in its turn; `signal` is aborted when its time is over.
   *
   * @throws ApiFailure WLB_TIMEOUT when it is over before the work is, or before its turn has come.
   */
  run<Result>(timeoutMs: number, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
    const clock = new AbortController()
    const { signal } = clock
    return new Promise<Result>((resolve, reject) => {
      const expire = () => {
        reject(timedOut(timeoutMs))
        clock.abort()
      }
      const timer = setTimeout(expire, Math.min(timeoutMs, LONGEST_TIMER_MS))
      const start = async () => {
        try {
          resolve(await work(signal))
        } catch (error) {
          reject(error)
        } finally {
          clearTimeout(timer)
        }
      }
      this.#waiting.push({ start, isOver: () => signal.aborted })
      this.#next()
    })
  }

  #next(): void {
    if (this.#isBusy) return
    let next = this.#waiting.pop()
    while (next?.isOver()) next = this.#waiting.pop()
    if (!next) return
    this.#isBusy = true
    void next.start().then(() => {
      this.#isBusy = false
      this.#next()
    })
  }
}
