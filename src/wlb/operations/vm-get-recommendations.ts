/** Where a VM should start: one row for each live host, with stars or with the reason for having none. */
import { requestOf, requiredText } from '../arguments.js'
import { operation } from '../operation.js'
import { failWithoutPayload, needChild, needNumber, type PoolResult, rejectResult, rowFields } from '../pool-result.js'
import { checkId, wrap, writeElements } from '../result-shapes.js'

export interface VmGetRecommendationsRequest {
  readonly poolUuid: string
  readonly vmUuid: string
}

export interface PlacementRow {
  readonly hostUuid: string
  readonly recommendationId: string
  /** From 0, impossible, to 5. */
  readonly stars: number
  /** Exactly `None` where there are stars; else what an operator can act on, such as `Memory`. */
  readonly zeroScoreReason: string
}

/** Whether the rows are those of the live hosts only the pool can tell; that check is the caller's. */
export interface VmGetRecommendationsResult {
  readonly recommendations: readonly PlacementRow[]
}

export const vmGetRecommendations = operation(
  'VMGetRecommendations',
  requestOf<VmGetRecommendationsRequest>(
    { between: '\n', after: '' },
    { poolUuid: requiredText('PoolUuid'), vmUuid: requiredText('VmUuid') },
  ),
  {
    kind: 'call',
    write: ({ recommendations }: VmGetRecommendationsResult) =>
      wrap('Recommendations', recommendations.map(writeRow).join('')),
    read: (result): VmGetRecommendationsResult => ({
      recommendations: needChild(result, 'Recommendations').children.map((row) => readRow(row, result)),
    }),
  },
)

function writeRow(row: PlacementRow): string {
  return wrap(
    'VmPlacementRecommendation',
    writeElements({
      HostUuid: row.hostUuid,
      RecommendationId: checkId(row.recommendationId),
      // toFixed, because a small number would otherwise come out with an exponent.
      Stars: row.stars.toFixed(4).replace(/\.?0+$/, ''),
      ZeroScoreReason: row.zeroScoreReason,
    }),
  )
}

function readRow(row: PoolResult['element'] | string, result: PoolResult): PlacementRow {
  const fields = rowFields(row, 'Recommendations', result)
  const hostUuid = fields.get('HostUuid')
  const recommendationId = fields.get('RecommendationId')
  const starsText = fields.get('Stars')
  const zeroScoreReason = fields.get('ZeroScoreReason')
  if (recommendationId !== undefined) needNumber(recommendationId)
  const stars = starsText === undefined ? undefined : needNumber(starsText)
  if (
    hostUuid === undefined ||
    recommendationId === undefined ||
    stars === undefined ||
    zeroScoreReason === undefined
  ) {
    return failWithoutPayload(result)
  }
  if (stars !== 0 && zeroScoreReason !== 'None') {
    const reason = `Recommendation has both a non-zero score (${starsText}) and a reason for zero (${zeroScoreReason})`
    throw rejectResult(result, reason)
  }
  return { hostUuid, recommendationId, stars, zeroScoreReason }
}
