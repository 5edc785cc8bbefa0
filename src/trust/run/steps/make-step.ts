/** From an order to a step that can be carried out. */

import { placeOf } from '../../renew/places/over-ssh.js'
import { installCrlStep, installStep, uninstallStep } from './certificate-steps.js'
import { connectStep, verificationStep } from './connection-steps.js'
import { askStep, listStep, proveStep, syncStep } from './proof-steps.js'
import type { OrderOf, Step, StepOrder, World } from './step.js'

export function makeStep(order: StepOrder, world: World): Step {
  switch (order.kind) {
    case 'install':
      return installStep(order, world)
    case 'uninstall':
      return uninstallStep(order, world)
    case 'install-crl':
      return installCrlStep(order, world)
    case 'list':
      return listStep(order, world)
    case 'sync':
      return syncStep(order, world)
    case 'verification':
      return verificationStep(order, world)
    case 'connect':
      return connectStep(order, world)
    case 'identity':
      return identityStep(order, world)
    case 'prove':
      return proveStep(order, world)
    case 'ask':
      return askStep(order, world)
  }
}

/** Steps that leave something behind which an undo takes away; the others only look, or copy. */
export function isChanging({ kind }: StepOrder): boolean {
  return ['install', 'uninstall', 'install-crl', 'verification', 'connect', 'identity'].includes(kind)
}

export function identityStep(order: OrderOf<'identity'>, { ssh, identity }: World): Step {
  const exchange = placeOf(order, ssh).exchange(order, identity)
  return { id: order.id, order, title: 'serve the new certificate', ...exchange }
}
