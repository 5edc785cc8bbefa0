/** A revocation list into every host's folder. Pools do not read it when it is installed, and keep no record of it. */
import { isFailure, readCrlNamesNow } from './pool-now.js'
import type { OrderOf, Step, World } from './step.js'

export function installCrlStep(order: OrderOf<'install-crl'>, { session, allowDown }: World): Step {
  const { name, pem } = order
  return {
    id: order.id,
    order,
    title: `install the revocation list as ${name}`,
    command: `xe pool-crl-install filename=${name}`,
    check: async () => ((await readCrlNamesNow(session)).includes(name) ? 'holds' : 'open'),
    do: async () => {
      try {
        await session.call('pool.crl_install', name, pem)
      } catch (error) {
        // the name is made of its content, so what is there is this list
        if (isFailure(error, 'CRL_ALREADY_EXISTS') || (allowDown && isFailure(error, 'HOST_OFFLINE'))) return
        throw error
      }
    },
    undo: async () => {
      if (!(await readCrlNamesNow(session)).includes(name)) return
      await session.call('pool.crl_uninstall', name)
    },
  }
}
