/** The configuration dictionary, read as a whole and written in parts (docs/protocol/wlb.md, the configuration dictionary). */
import { escapeXml } from '../../base/xml.js'
import { pairs, requestOf, requiredText } from '../arguments.js'
import { operation } from '../operation.js'
import { type Pair, type PairList, writePairs } from '../pairs.js'
import { failWithoutPayload, findChild, leafText, malformed, needChild, type PoolResult } from '../pool-result.js'
import { NOTHING } from '../result-shapes.js'
import { NAMESPACES } from '../service.js'

export interface SetXenPoolConfigurationRequest {
  /** In the order sent; control keys and keys nobody knows are among them. */
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

/** A row's own name is free; what it must have are a key and a value, each a leaf. */
function readRow(row: PoolResult['element'] | string, result: PoolResult): Pair {
  if (typeof row === 'string') {
    throw malformed('unknown', `Found data in ${DICTIONARY.local} node, expected elements`, result.document)
  }
  const key = findChild(row, DICTIONARY.key)
  const value = findChild(row, DICTIONARY.value)
  if (!key || !value) return failWithoutPayload(result)
  return [leafText(key), leafText(value)]
}
