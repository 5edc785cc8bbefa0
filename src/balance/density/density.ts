/**
 * The plan for a pool that is to run on few hosts: repairs as in performance; hosts that need more than they have are relieved;
 * hosts are woken where that is impossible; what can be spared is emptied and switched off.
 */
import { type CompiledPool, NOWHERE } from '../compiled/compiled-pool.js'
import { nameOfHost } from '../compiled/describe.js'
import type { Pool } from '../document/pool-document.js'
import { findDefects } from '../optimise/repair.js'
import type { Step } from '../optimise/step.js'
import { writePlan } from '../optimise/write-plan.js'
import type { Plan, PowerStep } from '../plan.js'
import { consolidate, inOrder, trySpare, withWorth } from './consolidate.js'
import { type Action, type Draft, emptyDraft, isRefusal, replay, stepsOf } from './draft.js'
import { compileAwake, withPower } from './powered-pool.js'
import { putRight } from './put-right.js'
import { wake } from './wake.js'

/** Says what to do with a pool in the mode density. */
export function planDensity(pool: Pool): Plan {
  const { awake, asleep } = compileAwake(pool)
  const start = asleep.reduce((sleeping, h) => withPower(sleeping, h, 'off'), awake)
  const first = emptyDraft(start)
  const draft = shorten(start, settle(first, asleep))
  return writePlan(awake, {
    start: first.placement,
    end: draft.placement,
    steps: withWorth(awake, stepsOf(draft)),
    best: undefined,
    power: {
      steps: powerOf(draft),
      before: start,
      after: draft.pool,
      whyNot: draft.actions.length === 0 ? whyNothing(draft) : undefined,
    },
  })
}

/** Each part may make another possible: they take turns until none finds anything. */
function settle(first: Draft, asleep: readonly number[]): Draft {
  let draft = first
  for (let round = 0; round <= first.pool.vms.length; round++) {
    const before = draft
    draft = consolidate(wake(putRight(draft), asleep))
    if (draft === before) break
  }
  return draft
}

/** A VM that moves twice goes to its last host in the first place, where every step stays possible with that. */
function shorten(start: CompiledPool, draft: Draft): Draft {
  const detours = detoursOf(draft)
  if (detours.size === 0) return draft
  const all = replay(start, withoutDetours(draft, detours, 'first'))
  if (all) return all
  for (const v of detours) {
    const one = new Set([v])
    const shorter =
      replay(start, withoutDetours(draft, one, 'first')) ?? replay(start, withoutDetours(draft, one, 'last'))
    if (shorter) return shorten(start, shorter)
  }
  return draft
}

/** VMs that move more than once, and may go to their last host at once. */
function detoursOf(draft: Draft): ReadonlySet<number> {
  const first = new Map<number, Step>()
  const detours = new Set<number>()
  for (const step of stepsOf(draft)) {
    const before = first.get(step.v)
    if (!before) first.set(step.v, step)
    else if (mayEnd(draft, before, draft.placement.hostOf[step.v] ?? NOWHERE)) detours.add(step.v)
  }
  return detours
}

/** The actions with one move for each of `detours`, in the place of its first or its last; none for one that comes back. */
function withoutDetours({ actions, placement }: Draft, detours: ReadonlySet<number>, place: 'first' | 'last') {
  const moves = new Map<number, { readonly first: Step; readonly at: { first: number; last: number } }>()
  for (const [at, action] of actions.entries()) {
    if (action.kind !== 'move' || !detours.has(action.step.v)) continue
    const known = moves.get(action.step.v)
    if (known) known.at.last = at
    else moves.set(action.step.v, { first: action.step, at: { first: at, last: at } })
  }
  return actions.flatMap((action, at): Action[] => {
    const move = action.kind === 'move' ? moves.get(action.step.v) : undefined
    if (!move) return [action]
    const to = placement.hostOf[move.first.v] ?? NOWHERE
    return move.at[place] === at && to !== move.first.from ? [{ kind: 'move', step: { ...move.first, to } }] : []
  })
}

/** A host that is excluded from evacuation is no target of one. */
function mayEnd({ pool }: Draft, { reason }: Step, to: number): boolean {
  return reason !== 'Evacuate' || pool.hosts[to]?.excluded.includes('evacuation') === false
}

function powerOf({ actions, pool }: Draft): readonly PowerStep[] {
  return actions.flatMap((action: Action, at): PowerStep[] =>
    action.kind === 'move'
      ? []
      : [
          {
            host: pool.hosts[action.h]?.uuid ?? '',
            action: action.kind,
            after: actions.slice(0, at).filter(({ kind }) => kind === 'move').length,
          },
        ],
  )
}

/** Why the host that would be spared most cheaply stays on; hosts that take no part say nothing. */
function whyNothing(draft: Draft): string | undefined {
  if (findDefects(draft.pool, draft.placement).length > 0) return undefined
  const hosts = inOrder(draft).filter((h) => {
    const power = draft.pool.hosts[h]?.power
    return h !== draft.pool.coordinator && power?.managed && power.tested
  })
  for (const h of hosts) {
    const refusal = trySpare(draft, h)
    if (isRefusal(refusal)) return `${nameOfHost(draft.pool, h)} stays on: ${refusal.why}`
  }
  return draft.pool.hosts.length > 0
    ? 'no host may be switched off: besides the coordinator none is managed and tested'
    : undefined
}
