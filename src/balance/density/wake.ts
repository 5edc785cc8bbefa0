/**
 * Hosts that are off and help: where something is to be repaired, a host needs more than it has, or too few spare hosts are left, and
 * the hosts that are on cannot change that.
 */
import { type Draft, withHostOn } from './draft.js'
import { distressOf, isCalm, isLess, putRight } from './put-right.js'

/** Switches on as few of `asleep` as help, the largest first. */
export function wake(draft: Draft, asleep: readonly number[]): Draft {
  const distress = distressOf(draft)
  if (isCalm(distress)) return draft
  const candidates = asleep
    .filter(
      (h) => draft.pool.isLive[h] === 0 && !draft.actions.some((action) => action.kind === 'off' && action.h === h),
    )
    .sort((one, other) => sizeOf(draft, other) - sizeOf(draft, one) || one - other)
  const tried = new Set<string>()
  let all = draft
  for (const h of candidates) {
    const kind = kindOf(draft, h)
    const alone = tried.has(kind) ? undefined : putRight(withHostOn(draft, h))
    if (alone && isLess(distressOf(alone), distress)) return wake(alone, asleep)
    tried.add(kind)
    // one more host may be too few for one more failure
    if (draft.spare < draft.pool.pool.pool.reserveHosts) all = withHostOn(all, h)
    if (all.spare > draft.spare) return wake(putRight(all), asleep)
  }
  return draft
}

/** Tells whether host `h`, off now, would be switched on again at once. */
export function isNeeded(draft: Draft, h: number): boolean {
  const distress = distressOf(draft)
  return !isCalm(distress) && isLess(distressOf(putRight(withHostOn(draft, h))), distress)
}

/** Where one host does not help, another that differs by its name alone does not either. */
function kindOf({ pool }: Draft, h: number): string {
  return JSON.stringify({ ...pool.hosts[h], uuid: undefined, name: undefined })
}

function sizeOf({ pool }: Draft, h: number): number {
  return (pool.hosts[h]?.cpus ?? 0) * (pool.memoryBytes[h] ?? 0)
}
