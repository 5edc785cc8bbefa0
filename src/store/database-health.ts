/** Whether the database can be used, for `wlb status` and the log: a failure is reported once, and once more when it is over. */

export interface Trouble {
  readonly since: Date
  readonly reason: string
}

/** Called with the trouble when it begins or its reason changes, and with nothing when it is over. */
export type TroubleReport = (trouble: Trouble | undefined) => void

/** A database that fails and recovers with each request is reported no more often, and not taken for mended before. */
const QUIET_MS = 60_000

export class DatabaseHealth {
  readonly #report: TroubleReport
  #trouble: Trouble | undefined
  /** A full disk can be read: what a change has found, only a change that succeeds ends. */
  #endsWith: 'any' | 'change' = 'any'
  #reported: { readonly reason: string; readonly atMs: number } | undefined
  #isReported = false
  #lastMs = 0

  constructor(report: TroubleReport) {
    this.#report = report
  }

  trouble(): Trouble | undefined {
    return this.#trouble
  }

  /** Tells whether it may be over: nobody has met it for a while. */
  isDoubtful(): boolean {
    return this.#trouble !== undefined && performance.now() - this.#lastMs > QUIET_MS
  }

  failed(reason: string, during: 'any' | 'change'): void {
    this.#lastMs = performance.now()
    if (this.#trouble?.reason !== reason) this.#trouble = { since: this.#trouble?.since ?? new Date(), reason }
    if (during === 'change') this.#endsWith = 'change'
    const isRecent = this.#reported && performance.now() - this.#reported.atMs < QUIET_MS
    if (isRecent && (this.#isReported || this.#reported?.reason === reason)) return
    this.#reported = { reason, atMs: performance.now() }
    this.#isReported = true
    this.#report(this.#trouble)
  }

  /** Something was read (`any`), or a change was stored. */
  succeeded(what: 'any' | 'change'): void {
    if (!this.#trouble || (this.#endsWith === 'change' && what === 'any')) return
    this.#trouble = undefined
    this.#endsWith = 'any'
    if (this.#isReported) this.#report(undefined)
    this.#isReported = false
  }
}
