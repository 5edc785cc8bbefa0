/** Emptying a host (xapi_host.ml `evacuate`): one VM that cannot go ends it before the first move. */
import { mapBounded } from '../../../base/bounded.js'
import { ApiFailure } from '../../../xapi/index.js'
import { guestsOn } from '../checks/evacuation-plan.js'
import { refuseDeparture } from '../checks/failover.js'
import { migrate } from './migration.js'
import { type Operator, onHost, underTask } from './operation.js'
import { adviseEvacuation } from './wlb-advice.js'

/** Migrations in flight (`evacuation-batch-size`). */
export const BATCH_SIZE = 10

/** Moves every guest away, `batchSize` at a time. @throws ApiFailure */
export async function evacuate(operator: Operator, from: string, batchSize: number): Promise<void> {
  const { database } = operator.coordinator
  const refusal = refuseDeparture(database, from)
  if (refusal) throw refusal
  await underTask(operator, 'host.evacuate', (task) =>
    onHost(operator, task, from, 'evacuate', async () => {
      const plan = await adviseEvacuation(operator, from)
      const moves = [...plan].map(([vm, row]) => {
        if (row instanceof ApiFailure) throw row
        return { vm, host: row.host }
      })
      let done = 0
      await mapBounded(moves, batchSize, async (move) => {
        task.signal.throwIfAborted()
        await migrate({ ...operator, task: undefined }, { ...move, parent: task.ref }).catch((error: unknown) => {
          // It ended by itself meanwhile.
          if (!(error instanceof ApiFailure && error.code === 'VM_BAD_POWER_STATE')) throw error
        })
        done++
        task.progress(done / moves.length)
      })
      const left = guestsOn(database, from).length
      if (left > 0) throw new ApiFailure('INTERNAL_ERROR', [`evacuate: ${left} VMs are still resident on ${from}`])
    }),
  )
}
