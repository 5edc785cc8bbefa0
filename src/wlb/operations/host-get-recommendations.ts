/** Where the VMs of a host should go before it is switched off. A VM that fits nowhere has no row. */
import { requestOf, requiredText } from '../arguments.js'
import { operation } from '../operation.js'
import { isChildless, needChild, needNumber, type PoolResult, rejectResult, rowFields } from '../pool-result.js'
import { checkId, wrap, writeElements } from '../result-shapes.js'

export interface HostGetRecommendationsRequest {
  /** The host to be emptied. */
  readonly hostUuid: string
  readonly poolUuid: string
}

export interface EvacuationRow {
  /** The target. */
  readonly hostUuid: string
  readonly recommendationId: string
  /** A pool takes an empty one for "switch the target on", and its own evacuation then fails: never send it. */
  readonly vmUuid: string
}

export interface HostGetRecommendationsResult {
  readonly recommendations: readonly EvacuationRow[]
}

export const hostGetRecommendations = operation(
  'HostGetRecommendations',
  requestOf<HostGetRecommendationsRequest>(
    { between: '\n', after: '' },
    { hostUuid: requiredText('HostUuid'), poolUuid: requiredText('PoolUuid') },
  ),
  {
    kind: 'call',
    write: ({ recommendations }: HostGetRecommendationsResult) =>
      recommendations.length === 0 ? '' : wrap('Recommendations', recommendations.map(writeRow).join('')),
    read: (result): HostGetRecommendationsResult => {
      if (isChildless(result.element)) return { recommendations: [] }
      const list = needChild(result, 'Recommendations')
      return { recommendations: list.children.map((row) => readRow(row, result)) }
    },
  },
)

function writeRow({ hostUuid, recommendationId, vmUuid }: EvacuationRow): string {
  const fields = { HostUuid: hostUuid, RecommendationId: checkId(recommendationId), VmUuid: vmUuid }
  return wrap('HostEvacuationRecommendation', writeElements(fields))
}

function readRow(row: PoolResult['element'] | string, result: PoolResult): EvacuationRow {
  const fields = rowFields(row, 'Recommendations', result)
  const hostUuid = fields.get('HostUuid')
  const recommendationId = fields.get('RecommendationId')
  if (hostUuid === undefined || recommendationId === undefined) {
    throw rejectResult(result, 'Missing VmUuid, RecID or HostUuid')
  }
  needNumber(recommendationId)
  return { hostUuid, recommendationId, vmUuid: fields.get('VmUuid') ?? '' }
}
