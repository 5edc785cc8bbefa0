/** The operations in progress on a coordinator: how each is cancelled, and how many memory streams a host has. */
import { setTimeout as pause } from 'node:timers/promises'

/** Why an operation ended before its time. */
export type EndReason = 'cancelled' | 'abandoned'

/** xenopsd starts no more migrations from one host at a time (`worker-pool-size`). */
const STREAMS_FROM_A_HOST = 4

export class RunningOperations {
  readonly #controllers = new Map<string, AbortController>()
  readonly #streams = new Map<string, number>()
  readonly #leaving = new Map<string, number>()
  #waiting: (() => void)[] = []

  begin(task: string): AbortSignal {
    const controller = new AbortController()
    this.#controllers.set(task, controller)
    return controller.signal
  }

  end(task: string): void {
    this.#controllers.delete(task)
  }

  /** Tells whether there is such an operation. */
  cancel(task: string): boolean {
    const controller = this.#controllers.get(task)
    controller?.abort('cancelled' satisfies EndReason)
    this.#wake()
    return controller !== undefined
  }

  /** This host is coordinator no more: nothing it still does counts. */
  abandon(): void {
    for (const controller of this.#controllers.values()) controller.abort('abandoned' satisfies EndReason)
    this.#wake()
  }

  /** Streams from and to a host now. */
  streamsOn(host: string): number {
    return this.#streams.get(host) ?? 0
  }

  /** Runs `work` as one of the few migrations away from `source` that run at a time; waits for its turn. */
  async stream<T>(source: string, target: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    while ((this.#leaving.get(source) ?? 0) >= STREAMS_FROM_A_HOST) {
      signal.throwIfAborted()
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    const hosts = source === target ? [source] : [source, target]
    count(this.#leaving, source, 1)
    for (const host of hosts) count(this.#streams, host, 1)
    try {
      return await work()
    } finally {
      count(this.#leaving, source, -1)
      for (const host of hosts) count(this.#streams, host, -1)
      this.#wake()
    }
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}

function count(counts: Map<string, number>, key: string, by: number): void {
  const next = (counts.get(key) ?? 0) + by
  if (next > 0) counts.set(key, next)
  else counts.delete(key)
}

/** Waits; throws the reason when the operation is ended meanwhile. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await pause(ms, undefined, { signal }).catch(() => {})
  signal.throwIfAborted()
}
