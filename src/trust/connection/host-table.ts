/** What is known of each host beside its verdict: whether its store is the coordinator's, as far as anybody can see that. */
import type { Connection, HostVerdict } from './connection.js'

/**
 * A pool shows no session what lies on a member's disk. `proved`: it verifies as its coordinator does. `differs`: it says
 * something else than its coordinator, which has the same certificates to go by.
 */
export type StoreState = 'own' | 'proved' | 'differs' | 'not seen'

/** In the order of the hosts. Clocks and names can differ too: `differs` is where to look, not yet what to mend. */
export function compareStores({ hosts }: Connection, verdicts: readonly HostVerdict[]): readonly StoreState[] {
  const [coordinator] = verdicts
  return hosts.map(({ role }, index) => {
    const verdict = verdicts[index]
    if (role === 'coordinator') return 'own'
    if (verdict?.proof !== 'host' || coordinator?.proof !== 'host') return 'not seen'
    if (verdict.verdict === 'accepted') return 'proved'
    return verdict.error.join() === coordinator.error.join() ? 'not seen' : 'differs'
  })
}
