/** Registration of a pool, its configuration dictionary, and the end of a registration. */
import { escapeXml } from '../../base/text/xml.js'
import {
  anyText,
  checkId,
  NOTHING,
  operation,
  type Pair,
  type PairList,
  pairs,
  requestOf,
  requiredText,
  writeElements,
  writePairs,
} from '../operation.js'
import { failWithoutPayload, findChild, leafText, malformed, needChild, type PoolResult } from '../pool-result.js'
import { NAMESPACES } from '../service.js'

export interface AddXenServerRequest {
  readonly password: string
  readonly poolUuid: string
  readonly userName: string
  /** Always names a plain HTTP port (docs/protocol/pool.md, how the appliance reaches the pool). */
  readonly xenServerUrl: string
}

export interface AddXenServerResult {
  /** A positive integer that the appliance chooses. The pool only checks that it is present. */
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
      // A pool accepts any content.
      return { id: typeof id === 'string' && more.length === 0 ? id : '' }
    },
  },
)

/** Ends the registration. The pool forgets the appliance whatever the answer is. */
export interface RemoveXenServerRequest {
  readonly poolUuid: string
}

export const removeXenServer = operation(
  'RemoveXenServer',
  requestOf<RemoveXenServerRequest>({ between: '', after: '' }, { poolUuid: requiredText('PoolUuid') }),
  NOTHING,
)

/** The dictionary is read as a whole and written in parts (docs/protocol/wlb.md, the configuration dictionary). */
export interface SetXenPoolConfigurationRequest {
  /** In the order sent, including control keys and unknown keys. */
  readonly entries: readonly Pair[]
  readonly poolUuid: string
}

export interface GetXenPoolConfigurationRequest {
  readonly poolUuid: string
}

export interface GetXenPoolConfigurationResult {
  readonly entries: readonly Pair[]
}

const DICTIONARY: PairList = {
  local: 'OptimizationParms',
  declaration: ` xmlns:b="${NAMESPACES.arrays}"`,
  prefix: 'b:',
  row: 'KeyValueOfstringstring',
  key: 'Key',
  value: 'Value',
  empty: 'two tags',
}

export const setXenPoolConfiguration = operation(
  'SetXenPoolConfiguration',
  requestOf<SetXenPoolConfigurationRequest>(
    { between: '', after: '' },
    { entries: pairs(DICTIONARY), poolUuid: requiredText('PoolUuid') },
  ),
  NOTHING,
)

export const getXenPoolConfiguration = operation(
  'GetXenPoolConfiguration',
  requestOf<GetXenPoolConfigurationRequest>({ between: '', after: '' }, { poolUuid: requiredText('PoolUuid') }),
  {
    kind: 'call',
    write: ({ entries }: GetXenPoolConfigurationResult) => writePairs(DICTIONARY, entries, escapeXml),
    read: (result): GetXenPoolConfigurationResult => {
      const dictionary = needChild(result, DICTIONARY.local)
      return { entries: dictionary.children.map((row) => readRow(row, result)) }
    },
  },
)

/** A row may have any name. It must have a key and a value, each with text only. */
function readRow(row: PoolResult['element'] | string, result: PoolResult): Pair {
  if (typeof row === 'string') {
    throw malformed('unknown', `Found data in ${DICTIONARY.local} node, expected elements`, result.document)
  }
  const key = findChild(row, DICTIONARY.key)
  const value = findChild(row, DICTIONARY.value)
  if (!key || !value) return failWithoutPayload(result)
  return [leafText(key), leafText(value)]
}
