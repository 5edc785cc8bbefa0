/** The flag that makes every connection to the appliance a verified one. */
import { readPoolNow, setVerification } from './pool-now.js'
import type { OrderOf, Step, World } from './step.js'

export function verificationStep(order: OrderOf<'verification'>, { session }: World): Step {
  const { value, before, poolUuid } = order
  return {
    id: order.id,
    order,
    title: value ? 'verification on, and off again if one host refuses' : 'verification off',
    command: `xe pool-param-set wlb-verify-cert=${value} uuid=${poolUuid}`,
    check: async () => ((await readPoolNow(session)).verifies === value ? 'holds' : 'open'),
    do: () => setVerification(session, value),
    undo: () => setVerification(session, before),
  }
}
