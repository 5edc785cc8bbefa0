/** Why each host that is on after a plan stays on, and which of them need more than they have. */
import { congestionOf } from '../compiled/congestion.js'
import { round } from '../compiled/describe.js'
import type { Pool } from '../document/pool-document.js'
import type { Plan } from '../plan.js'
import type { Refusal } from '../rules/may-run.js'
import { inOrder, trySpare } from './consolidate.js'
import { emptyDraft, isRefusal } from './draft.js'
import { compileAwake, withPower } from './powered-pool.js'
import { shortageOf } from './room.js'

export interface DensityExplanation {
  readonly kept: readonly (Refusal & { readonly host: string })[]
  readonly congested: readonly { readonly host: string; readonly congestion: number; readonly why: string }[]
}

export function explainDensity(pool: Pool, plan: Plan): DensityExplanation {
  const target = new Map(plan.moves.map(({ vm, to }) => [vm, to]))
  const { awake, asleep } = compileAwake({
    ...pool,
    vms: pool.vms.map((vm) => ({ ...vm, host: target.get(vm.uuid) ?? vm.host })),
  })
  const switched = new Map(plan.power.map(({ host, action }) => [host, action]))
  const off = awake.hosts.flatMap(({ uuid }, h) => {
    const isOn = switched.get(uuid) ?? (asleep.includes(h) ? 'off' : 'on')
    return isOn === 'off' ? [h] : []
  })
  const draft = emptyDraft(off.reduce((powered, h) => withPower(powered, h, 'off'), awake))
  return {
    kept: inOrder(draft).flatMap((h) => {
      const refusal = trySpare(draft, h)
      return isRefusal(refusal) ? [{ host: draft.pool.hosts[h]?.uuid ?? '', ...refusal }] : []
    }),
    congested: draft.pool.hosts.flatMap(({ uuid, live }, h) => {
      const shortage = live ? shortageOf(draft.pool, draft.placement, h) : undefined
      const congestion = round(congestionOf(draft.pool, draft.placement, h))
      return shortage
        ? [{ host: uuid, congestion, why: `it ${shortage.words}, and no move that is possible would be worth it` }]
        : []
    }),
  }
}
