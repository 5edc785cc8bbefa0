/** The certificate that an appliance serves, exchanged for the next one, and back again, wherever it lives. */
import { placeOf } from '../../renew/places/over-ssh.js'
import type { OrderOf, Step, World } from './step.js'

export function identityStep(order: OrderOf<'identity'>, { ssh, identity }: World): Step {
  const exchange = placeOf(order, ssh).exchange(order, identity)
  return { id: order.id, order, title: 'serve the new certificate', ...exchange }
}
