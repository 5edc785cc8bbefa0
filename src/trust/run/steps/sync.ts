/** Every member's store made equal to the coordinator's. Whether it is, no call tells: a host's own proof does. */
import { fail } from '../../errors.js'
import { isFailure, isSomeHostDown, readInstalledNow } from './pool-now.js'
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

export function listStep(order: OrderOf<'list'>, { session, allowDown }: World): Step {
  return {
    id: order.id,
    order,
    title: 'see that the pool lists what was installed',
    command: 'xe pool-certificate-list',
    check: async () => (order.isDue ? 'unseen' : 'holds'),
    do: async () => {
      const listed = new Set((await readInstalledNow(session)).map(({ fingerprintSha256 }) => fingerprintSha256))
      const missing = order.fingerprints.filter((fingerprint) => !listed.has(fingerprint))
      // while a host is down the pool records nothing it installs
      if (missing.length === 0 || (allowDown && (await isSomeHostDown(session)))) return
      throw fail('CERTIFICATE_NOT_LISTED', { fingerprints: missing.join(' ') })
    },
    undo: async () => {},
  }
}
