/**
 * How a pool uses advice of its appliance when it starts a VM or empties a host, and what it does without (docs/protocol/wlb.md;
 * xapi_vm_helpers.ml `choose_host_for_vm`, xapi_host.ml `compute_evacuation_plan`).
 */
import { ApiFailure } from '../../../xapi/index.js'
import { askForEvacuation, askForPlacement } from '../../wlb/wlb-questions.js'
import { type EvacuationPlan, guestsOn, planEvacuation } from '../checks/evacuation-plan.js'
import { refuseRun } from '../checks/may-run.js'
import { chooseHost } from '../checks/placement.js'
import { mapOf, textOf } from '../values.js'
import { writeMessage } from './messages.js'
import type { Operator, OwnTask } from './operation.js'

/** Chooses where a VM starts: the best rated host that can take it, else the one that the pool itself prefers. */
export async function placeVm(operator: Operator, task: OwnTask, vm: string): Promise<string | undefined> {
  const { database } = operator.coordinator
  const rated = await consult(operator, { cls: 'VM', ref: vm }, () => askForPlacement(operator, vm))
  const [best] = (rated ?? [])
    .filter(({ host, stars }) => stars > 0 && refuseRun(database, { vm, host }) === undefined)
    .sort((a, b) => b.stars - a.stars || (a.host < b.host ? -1 : 1))
  if (!best) return chooseHost(database, vm)
  const label = textOf(database.get('task', task.ref), 'name_label')
  database.update('task', task.ref, {
    other_config: {
      wlb_advised: best.recommendationId,
      wlb_action: label,
      wlb_action_obj_type: 'VM',
      wlb_action_obj_ref: vm,
      ...mapOf(database.pool.record, 'other_config'),
    },
  })
  return best.host
}

/** Plans an evacuation: the appliance says where, the pool says what cannot go at all. */
export async function adviseEvacuation(operator: Operator, from: string): Promise<EvacuationPlan> {
  const { database } = operator.coordinator
  const advised = await consult(operator, { cls: 'Host', ref: from }, () => askForEvacuation(operator, from))
  const own = planEvacuation(database, from)
  if (!advised) return own
  return new Map([...mergeEvacuation(own, guestsOn(database, from), advised)])
}

/** xapi's own refusals come first, except that memory is the appliance's to judge; who is not mentioned does not fit. */
export function mergeEvacuation(
  own: EvacuationPlan,
  guests: readonly string[],
  advised: ReadonlyMap<string, string>,
): Map<string, { readonly host: string } | ApiFailure> {
  const plan = new Map<string, { readonly host: string } | ApiFailure>()
  for (const [vm, host] of advised) plan.set(vm, { host })
  for (const [vm, row] of own) {
    if (row instanceof ApiFailure && row.code !== 'HOST_NOT_ENOUGH_FREE_MEMORY') plan.set(vm, row)
  }
  for (const vm of guests) if (!plan.has(vm)) plan.set(vm, new ApiFailure('HOST_NOT_ENOUGH_FREE_MEMORY', [vm]))
  return plan
}

/** Asks if the pool is to ask; an answer that is an error leaves a message, and the pool decides by itself. */
async function consult<T>(
  { host, coordinator }: Operator,
  subject: { readonly cls: 'VM' | 'Host'; readonly ref: string },
  ask: () => Promise<T>,
): Promise<T | undefined> {
  const { database } = coordinator
  const { record } = database.pool
  const isOff = mapOf(record, 'other_config').wlb_choose_host_disable?.toLowerCase() === 'true'
  const isRestricted = mapOf(record, 'restrictions').restrict_wlb === 'true'
  if (isOff || isRestricted || record.wlb_enabled !== true || record.wlb_url === '') return undefined
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error
    const { cls, ref } = subject
    const name = textOf(database.get(cls === 'VM' ? 'VM' : 'host', ref), 'name_label')
    const body = `Wlb consultation for ${cls} '${name}' failed (pool uuid: ${textOf(record, 'uuid')})`
    writeMessage(database, 'WLB_CONSULTATION_FAILED', { cls, ref }, body, host.now())
    return undefined
  }
}
