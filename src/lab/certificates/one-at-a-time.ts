/**
 * Calls that change the certificate stores take turns on the coordinator. Each one looks, writes and then replaces whole
 * folders on every member: two at once would find the folders of each other half made.
 */

import type { Call } from '../api/method.js'
import type { Coordinator } from '../host/host.js'

const lastTurns = new WeakMap<Coordinator, Promise<unknown>>()

/** Makes a call wait until those before it have ended, well or not. */
export function oneAtATime<Result>(handle: (call: Call) => Promise<Result>): (call: Call) => Promise<Result> {
  return (call) => inTurn(call.coordinator, () => handle(call))
}

/** Does `work` once all the work before it has ended, well or not. */
export function inTurn<Result>(coordinator: Coordinator, work: () => Promise<Result>): Promise<Result> {
  const turn = (lastTurns.get(coordinator) ?? Promise.resolve()).then(work)
  lastTurns.set(
    coordinator,
    turn.catch(() => {}),
  )
  return turn
}
