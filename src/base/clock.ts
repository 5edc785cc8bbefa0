/** Time as the parts of the appliance see it. Tests pass a clock that runs faster or stands still. */

export interface Clock {
  now(): Date
  /** Runs `work` once after `delayMs`, without keeping the process alive. Returns what cancels it. */
  schedule(work: () => void, delayMs: number): () => void
}

export const SYSTEM_CLOCK: Clock = {
  now: () => new Date(),
  schedule: (work, delayMs) => {
    const timer = setTimeout(work, delayMs).unref()
    return () => clearTimeout(timer)
  },
}
