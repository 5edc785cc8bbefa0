/** Waits for an authority to make up its mind, at the pace it asks for, and not for ever. */
import { setTimeout as wait } from 'node:timers/promises'
import { WlbError } from '../../base/error.js'
import type { Authority } from './authority.js'

export interface Pace {
  /** How long one step of an order may take. */
  readonly patienceMs: number
  /** The first pause; each is half as long again as the one before. */
  readonly pauseMs: number
}

export const PACE: Pace = { patienceMs: 180_000, pauseMs: 250 }
const LONGEST_PAUSE_MS = 10_000

/** @throws ACME_ORDER_TIMEOUT, ACME_INTERRUPTED, and what `read` throws. */
export async function poll<T>(
  { wire, directory }: Authority,
  { patienceMs, pauseMs }: Pace,
  what: string,
  read: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (let pause = pauseMs; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
    const found = await read()
    if (found !== undefined) return found
    if (performance.now() >= deadline) throw orderTimeout(directory, what, patienceMs)
    const wished = Math.min((wire.retryAfterSeconds ?? 0) * 1000, LONGEST_PAUSE_MS)
    const leftMs = Math.max(0, deadline - performance.now())
    // broken off: the next question says so
    await wait(Math.min(Math.max(pause, wished), leftMs), undefined, { signal: wire.signal }).catch(() => {})
  }
}

function orderTimeout(directory: string, waitedFor: string, patienceMs: number): WlbError {
  return new WlbError(
    'ACME_ORDER_TIMEOUT',
    'The authority has not made up its mind in the time it is given.',
    { directory, waitedFor, seconds: Math.round(patienceMs / 1000) },
    'wlb cert acme',
  )
}
