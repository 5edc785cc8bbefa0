/** Every member's store made equal to the coordinator's. Whether it is, no call tells: a host's own proof does. */
import { isFailure, readInstalledNow } from './pool-now.js'
import type { OrderOf, Step, World } from './step.js'

export function syncStep(order: OrderOf<'sync'>, { session, allowDown }: World): Step {
  const sync = async () => {
    try {
      await session.call('pool.certificate_sync')
    } catch (error) {
      if (!(allowDown && isFailure(error, 'HOST_OFFLINE'))) throw error
    }
  }
  return {
    id: order.id,
    order,
    title: 'synchronise every host with the coordinator',
    command: 'xe pool-certificate-sync',
    check: async () => (order.isDue ? 'unseen' : 'holds'),
    do: sync,
    undo: async () => {}, // what it copied is taken away with what was installed
  }
}

export function listStep(order: OrderOf<'list'>, { session }: World): Step {
  const isListed = async () => {
    const listed = new Set((await readInstalledNow(session)).map(({ fingerprintSha256 }) => fingerprintSha256))
    return order.fingerprints.every((fingerprint) => listed.has(fingerprint))
  }
  return {
    id: order.id,
    order,
    title: 'see that the pool lists what was installed',
    command: 'xe pool-certificate-list',
    check: async () => ((await isListed()) ? 'holds' : 'open'),
    do: async () => {}, // there is nothing to do but to look
    undo: async () => {},
  }
}
