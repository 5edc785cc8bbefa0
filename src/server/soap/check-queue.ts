/**
 * Password checks, one at a time: each takes a thread of libuv's pool for about 80 ms, and files and host names need the same
 * four threads. The line is short, so that whoever stands in it is served before a pool gives up.
 */

export const LINE_LIMIT = 16

interface Place {
  readonly isPreferred: boolean
  readonly signal: AbortSignal
  readonly begin: () => void
  readonly giveWay: () => void
}

export class CheckQueue {
  readonly #line: Place[] = []
  #isBusy = false

  /**
   * Runs `check` when its turn has come; those preferred come first, and take the last place of another one when the line is
   * full. Undefined without a check when there is no place, or `signal` was aborted before its turn.
   */
  async run<T>(check: () => Promise<T>, isPreferred: boolean, signal: AbortSignal): Promise<T | undefined> {
    if (!(await this.#place(isPreferred, signal))) return undefined
    try {
      return await check()
    } finally {
      this.#isBusy = false
      this.#beginNext()
    }
  }

  #place(isPreferred: boolean, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      this.#dropAborted()
      if (this.#line.length >= LINE_LIMIT) {
        const last = isPreferred ? this.#line.findLastIndex((place) => !place.isPreferred) : -1
        if (last < 0) return resolve(false)
        for (const { giveWay } of this.#line.splice(last, 1)) giveWay()
      }
      const place = { isPreferred, signal, begin: () => resolve(true), giveWay: () => resolve(false) }
      const behind = isPreferred ? this.#line.findIndex((other) => !other.isPreferred) : -1
      this.#line.splice(behind < 0 ? this.#line.length : behind, 0, place)
      this.#beginNext()
    })
  }

  #beginNext(): void {
    if (this.#isBusy) return
    this.#dropAborted()
    const next = this.#line.shift()
    if (!next) return
    this.#isBusy = true
    next.begin()
  }

  #dropAborted(): void {
    for (let index = this.#line.length - 1; index >= 0; index--) {
      const place = this.#line[index]
      if (!place?.signal.aborted) continue
      this.#line.splice(index, 1)
      place.giveWay()
    }
  }
}
