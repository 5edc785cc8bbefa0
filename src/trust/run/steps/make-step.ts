/** From an order to a step that can be carried out. */
import { connectStep } from './connect.js'
import { identityStep } from './identity.js'
import { installStep, uninstallStep } from './install.js'
import { installCrlStep } from './install-crl.js'
import { askStep, proveStep } from './prove.js'
import type { Step, StepOrder, World } from './step.js'
import { listStep, syncStep } from './sync.js'
import { verificationStep } from './verification.js'

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
