/** The end of a registration. The pool forgets the appliance whatever the answer says. */
import { requestOf, requiredText } from '../arguments.js'
import { operation } from '../operation.js'
import { NOTHING } from '../result-shapes.js'

export interface RemoveXenServerRequest {
  readonly poolUuid: string
}

export const removeXenServer = operation(
  'RemoveXenServer',
  requestOf<RemoveXenServerRequest>({ between: '', after: '' }, { poolUuid: requiredText('PoolUuid') }),
  NOTHING,
)
