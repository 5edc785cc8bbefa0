/** What would make the pool better: moves of VMs, and hosts to switch on or off. A pool shows them and never acts. */
import { requestOf, requiredText } from '../arguments.js'
import { operation } from '../operation.js'
import {
  isChildless,
  leafText,
  needChild,
  needNumber,
  type PoolResult,
  rejectResult,
  rowFields,
} from '../pool-result.js'
import { checkId, wrap, writeElements } from '../result-shapes.js'

export interface GetOptimizationRecommendationsRequest {
  readonly poolUuid: string
}

export type OptimizationRow =
  | {
      readonly kind: 'move'
      readonly vmUuid: string
      /** '' where the answer did not say. */
      readonly fromHostUuid: string
      readonly toHostUuid: string
      readonly reason: string
      readonly recommendationId: string
    }
  /** `reason` is `PowerOn` or `PowerOff`. */
  | { readonly kind: 'power'; readonly hostUuid: string; readonly reason: string; readonly recommendationId: string }

/** A balanced pool is an empty result; otherwise a set with an id that changes whenever the set does. */
export type GetOptimizationRecommendationsResult =
  | { readonly kind: 'balanced' }
  | {
      readonly kind: 'unbalanced'
      readonly optimizationId: string
      /** `None`, `Low`, `Medium`, `High` or `Critical`; a pool does not look at it. */
      readonly severity: string
      /** Their ids ascend in the order in which they are to be carried out. */
      readonly recommendations: readonly OptimizationRow[]
    }

export const getOptimizationRecommendations = operation(
  'GetOptimizationRecommendations',
  requestOf<GetOptimizationRecommendationsRequest>({ between: '', after: '' }, { poolUuid: requiredText('PoolUuid') }),
  {
    kind: 'call',
    write: (result: GetOptimizationRecommendationsResult) =>
      result.kind === 'balanced'
        ? ''
        : writeElements({ OptimizationId: checkId(result.optimizationId) }) +
          wrap('Recommendations', result.recommendations.map(writeRow).join('')) +
          writeElements({ Severity: result.severity }),
    read: (result): GetOptimizationRecommendationsResult => {
      if (isChildless(result.element)) return { kind: 'balanced' }
      const list = needChild(result, 'Recommendations')
      const optimizationId = leafText(needChild(result, 'OptimizationId'))
      needNumber(optimizationId)
      const recommendations = list.children.map((row) => readRow(row, result))
      return { kind: 'unbalanced', optimizationId, severity: readSeverity(result), recommendations }
    },
  },
)

function writeRow(row: OptimizationRow): string {
  const RecommendationId = checkId(row.recommendationId)
  const fields =
    row.kind === 'power'
      ? { MoveFromHostUuid: row.hostUuid, Reason: row.reason, RecommendationId }
      : {
          MoveFromHostUuid: row.fromHostUuid,
          MoveToHostUuid: row.toHostUuid,
          Reason: row.reason,
          RecommendationId,
          VmToMoveUuid: row.vmUuid,
        }
  return wrap('PoolOptimizationRecommendation', writeElements(fields))
}

function readRow(row: PoolResult['element'] | string, result: PoolResult): OptimizationRow {
  const fields = rowFields(row, 'Recommendations', result)
  const vmUuid = fields.get('VmToMoveUuid') ?? ''
  const hostUuid = fields.get('MoveFromHostUuid')
  const toHostUuid = fields.get('MoveToHostUuid')
  const reason = fields.get('Reason')
  const recommendationId = fields.get('RecommendationId')
  if (reason !== undefined && recommendationId !== undefined) {
    if (vmUuid !== '' && toHostUuid !== undefined) {
      needNumber(recommendationId)
      return { kind: 'move', vmUuid, fromHostUuid: hostUuid ?? '', toHostUuid, reason, recommendationId }
    }
    if (vmUuid === '' && hostUuid !== undefined) {
      needNumber(recommendationId)
      return { kind: 'power', hostUuid, reason, recommendationId }
    }
  }
  throw rejectResult(result, 'Missing VmToMoveUuid, RecID, MoveToHostUuid, or Reason')
}

/** A pool passes it over, so nothing it holds can spoil the answer. */
function readSeverity(result: PoolResult): string {
  for (const child of result.element.children) {
    const text = typeof child !== 'string' && child.local === 'Severity' ? child.children[0] : undefined
    if (typeof text === 'string') return text
  }
  return 'None'
}
