/** Registration: the pool names itself and hands over the credentials with which the appliance may watch it. */
import { anyText, requestOf, requiredText } from '../arguments.js'
import { operation } from '../operation.js'
import { needChild } from '../pool-result.js'
import { checkId, writeElements } from '../result-shapes.js'

export interface AddXenServerRequest {
  readonly password: string
  readonly poolUuid: string
  readonly userName: string
  /** Always names a plain HTTP port (docs/protocol/pool.md, how the appliance reaches the pool). */
  readonly xenServerUrl: string
}

export interface AddXenServerResult {
  /** A positive integer of the appliance's choice. The pool asks only that it is there. */
  readonly id: string
}

export const addXenServer = operation(
  'AddXenServer',
  requestOf<AddXenServerRequest>(
    { between: '\n', after: '\n' },
    {
      password: anyText('Password'),
      poolUuid: requiredText('PoolUuid'),
      userName: requiredText('UserName'),
      xenServerUrl: requiredText('XenServerUrl'),
    },
  ),
  {
    kind: 'call',
    write: ({ id }: AddXenServerResult) => writeElements({ Id: checkId(id) }),
    read: (result): AddXenServerResult => {
      const [id = '', ...more] = needChild(result, 'Id').children
      // Whatever stands in it will do.
      return { id: typeof id === 'string' && more.length === 0 ? id : '' }
    },
  },
)
