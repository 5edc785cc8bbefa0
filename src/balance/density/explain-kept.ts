/** Why each host that is on after a plan stays on. */
import type { Pool } from '../document/pool-document.js'
import type { Plan } from '../plan.js'
import type { Refusal } from '../rules/may-run.js'
import { inOrder, trySpare } from './consolidate.js'
import { emptyDraft, isRefusal } from './draft.js'
import { compileAwake, withPower } from './powered-pool.js'

export function explainKept(pool: Pool, plan: Plan): readonly (Refusal & { readonly host: string })[] {
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
  return inOrder(draft).flatMap((h) => {
    const refusal = trySpare(draft, h)
    return isRefusal(refusal) ? [{ host: draft.pool.hosts[h]?.uuid ?? '', ...refusal }] : []
  })
}
