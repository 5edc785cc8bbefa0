/** From an order to a step that can be carried out. */

import { placeOf } from '../../renew/places/over-ssh.js'
import { installCrlStep, installStep, uninstallStep } from './certificate-steps.js'
import { connectStep, verificationStep } from './connection-steps.js'
import { askStep, listStep, proveStep, syncStep } from './proof-steps.js'
import type { OrderOf, Step, StepContext, StepOrder } from './step.js'

export function makeStep(order: StepOrder, context: StepContext): Step {
  switch (order.kind) {
    case 'install':
      return installStep(order, context)
    case 'uninstall':
      return uninstallStep(order, context)
    case 'install-crl':
      return installCrlStep(order, context)
    case 'list':
      return listStep(order, context)
    case 'sync':
      return syncStep(order, context)
    case 'verification':
      return verificationStep(order, context)
    case 'connect':
      return connectStep(order, context)
    case 'identity':
      return identityStep(order, context)
    case 'prove':
      return proveStep(order, context)
    case 'ask':
      return askStep(order, context)
  }
}

/** Steps whose effect an undo removes; the others only read, or copy. */
export function isChanging({ kind }: StepOrder): boolean {
  return ['install', 'uninstall', 'install-crl', 'verification', 'connect', 'identity'].includes(kind)
}

function identityStep(order: OrderOf<'identity'>, { ssh, identity }: StepContext): Step {
  const exchange = placeOf(order, ssh).exchange(order, identity)
  return { id: order.id, order, title: 'serve the new certificate', ...exchange }
}
