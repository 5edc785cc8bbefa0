/** Work on many things where a machine has few processors: some at a time, in their order. */
import { availableParallelism } from 'node:os'

/** Starting more processes at once than this makes each of them slower, and none of them sooner. */
export const PROCESSES_AT_A_TIME = 2 * availableParallelism()

/** Does `work` for every item, at most `most` at a time. Throws the first failure once what was under way has ended. */
export async function someAtATime<Item>(
  items: readonly Item[],
  most: number,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const waiting = [...items]
  const failures: unknown[] = []
  const run = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
      try {
        await work(item)
      } catch (error) {
        waiting.length = 0
        failures.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, run))
  if (failures.length > 0) throw failures[0]
}
