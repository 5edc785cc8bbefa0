/**
 * A call that was under way when its sender was killed goes on in the pool. Of most of them the next call hears, because pools
 * change certificates one after the other; a connection is made beside everything else, and lands when the appliance has
 * answered. Who takes it back too early takes back nothing.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { JournalEntry } from './journal.js'
import type { Step } from './steps/step.js'

/** As long as a pool waits for its appliance. */
const LANDING_MS = 30_000
const LOOK_EVERY_MS = 200

/** Returns once it has landed, or can no longer. `writtenAt` is when it was begun, at the earliest. */
export async function awaitLanding(
  { state, order }: JournalEntry,
  step: Step,
  writtenAt: Date,
  onWait: (what: string) => void,
): Promise<void> {
  if (state !== 'doing' || order.kind !== 'connect') return
  const end = writtenAt.getTime() + LANDING_MS
  let isTold = false
  while (Date.now() < end && (await step.check()) !== 'holds') {
    if (!isTold)
      onWait(
        `whether the pool still carries out what was cut short (${order.id}), until ${new Date(end).toISOString()}`,
      )
    isTold = true
    await pause(LOOK_EVERY_MS)
  }
}
