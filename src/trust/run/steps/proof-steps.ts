/** Steps that bring all hosts to one state and prove it: list, synchronise, each host connects itself, the pool makes a call. */
import { ApiFailure, judgeWlbError } from '../../../xapi/index.js'
import type { HostVerdict } from '../../connection/connection.js'
import { judgeHosts } from '../../connection/predict.js'
import { proveHosts } from '../../connection/prove.js'
import { fail } from '../../errors.js'
import { isFailure, isSomeHostDown, readInstalledNow, readPoolNow } from './pool-state.js'
import type { OrderOf, Step, StepContext } from './step.js'

export function proveStep(order: OrderOf<'prove'>, context: StepContext): Step {
  return {
    id: order.id,
    order,
    title: 'ask every host to connect to the appliance itself',
    command: 'xe pool-retrieve-wlb-diagnostics filename=/dev/null   # on each host',
    check: async () => (order.isDue ? 'unseen' : 'holds'),
    do: async () => {
      const { verdicts, down } = await proveNow(context)
      context.onVerdicts?.(verdicts)
      refuseRefused(verdicts)
      if (down.length > 0 && !context.allowDown) throw fail('HOSTS_DOWN', { hosts: down.join(', ') })
      if (context.isUnattended) refuseSilent(verdicts)
    },
    undo: async () => {},
  }
}

/**
 * Asks every host now. A proof counts only where verification was on before and after it.
 *
 * @throws VERIFICATION_SWITCHED_OFF when it was not.
 */
async function proveNow({ session, observe }: StepContext) {
  const connection = await observe()
  if (!connection.pool.verifies) throw fail('VERIFICATION_SWITCHED_OFF', { pool: connection.pool.name })
  const proofs = await proveHosts(session, connection)
  if (!(await readPoolNow(session)).verifies) throw fail('VERIFICATION_SWITCHED_OFF', { pool: connection.pool.name })
  const down = connection.hosts.filter(({ live }) => !live).map(({ name }) => name)
  const verdicts = judgeHosts(connection, proofs).map((one, index): HostVerdict => {
    // what is recorded while a host is down does not tell what it will have afterwards
    const isDown = connection.hosts[index]?.live === false
    return isDown ? { ...one, verdict: 'unknown', error: [], why: 'the host is down' } : one
  })
  return { verdicts, down }
}

export function askStep(order: OrderOf<'ask'>, { session }: StepContext): Step {
  return {
    id: order.id,
    order,
    title: 'ask the appliance something through the pool',
    command: 'xe pool-retrieve-wlb-configuration',
    check: async () => (order.isDue ? 'unseen' : 'holds'),
    do: async () => {
      try {
        await session.call('pool.retrieve_wlb_configuration')
      } catch (error) {
        const hasAnswered = error instanceof ApiFailure && judgeWlbError(error.code) === 'answered'
        if (!hasAnswered && !isFailure(error, 'LICENSE_RESTRICTION')) throw error
      }
    },
    undo: async () => {},
  }
}

/** @throws HOSTS_REFUSE */
export function refuseRefused(verdicts: readonly HostVerdict[]): void {
  const refused = verdicts.filter(({ verdict }) => verdict === 'refused')
  if (refused.length > 0)
    throw fail('HOSTS_REFUSE', {
      hosts: Object.fromEntries(refused.map(({ host, error }) => [host, error.join(': ')])),
    })
}

/** Without an operator a prediction is not enough. @throws HOSTS_NOT_ASKED */
export function refuseSilent(verdicts: readonly HostVerdict[]): void {
  const silent = verdicts.filter(({ proof }) => proof !== 'host')
  if (silent.length > 0)
    throw fail('HOSTS_NOT_ASKED', { hosts: Object.fromEntries(silent.map(({ host, why }) => [host, why])) })
}

export function syncStep(order: OrderOf<'sync'>, { session, allowDown }: StepContext): Step {
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

export function listStep(order: OrderOf<'list'>, { session, allowDown }: StepContext): Step {
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
