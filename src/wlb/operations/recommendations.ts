/**
 * The three kinds of recommendations: where a VM should start, where the VMs of a host should go before it is switched off,
 * and moves that improve the balance of the pool.
 */
import { checkId, operation, requestOf, requiredText, wrap, writeElements } from '../operation.js'
import {
  failWithoutPayload,
  isChildless,
  leafText,
  needChild,
  needNumber,
  type PoolResult,
  rejectResult,
  rowFields,
} from '../pool-result.js'

/** Where a VM should start: one row for each live host, with stars or with the reason for zero stars. */
export interface VmGetRecommendationsRequest {
  readonly poolUuid: string
  readonly vmUuid: string
}

export interface PlacementRow {
  readonly hostUuid: string
  readonly recommendationId: string
  /** From 0 (impossible) to 5. */
  readonly stars: number
  /** Exactly `None` when there are stars; otherwise a reason for the operator, such as `Memory`. */
  readonly zeroScoreReason: string
}

/** The caller checks that the rows are those of the live hosts, which only the pool knows. */
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
      wrap('Recommendations', recommendations.map(writePlacement).join('')),
    read: (result): VmGetRecommendationsResult => ({
      recommendations: needChild(result, 'Recommendations').children.map((row) => readPlacement(row, result)),
    }),
  },
)

function writePlacement(row: PlacementRow): string {
  return wrap(
    'VmPlacementRecommendation',
    writeElements({
      HostUuid: row.hostUuid,
      RecommendationId: checkId(row.recommendationId),
      // toFixed, because String would write a small number with an exponent.
      Stars: row.stars.toFixed(4).replace(/\.?0+$/, ''),
      ZeroScoreReason: row.zeroScoreReason,
    }),
  )
}

function readPlacement(row: PoolResult['element'] | string, result: PoolResult): PlacementRow {
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

/** Where the VMs of a host should go before it is switched off. A VM that fits nowhere has no row. */
export interface HostGetRecommendationsRequest {
  /** The host to be emptied. */
  readonly hostUuid: string
  readonly poolUuid: string
}

export interface EvacuationRow {
  /** The host the VM should go to. */
  readonly hostUuid: string
  readonly recommendationId: string
  /** Never send it empty: a pool reads that as "switch the target on", and its own evacuation then fails. */
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
      recommendations.length === 0 ? '' : wrap('Recommendations', recommendations.map(writeEvacuation).join('')),
    read: (result): HostGetRecommendationsResult => {
      if (isChildless(result.element)) return { recommendations: [] }
      const list = needChild(result, 'Recommendations')
      return { recommendations: list.children.map((row) => readEvacuation(row, result)) }
    },
  },
)

function writeEvacuation({ hostUuid, recommendationId, vmUuid }: EvacuationRow): string {
  const fields = { HostUuid: hostUuid, RecommendationId: checkId(recommendationId), VmUuid: vmUuid }
  return wrap('HostEvacuationRecommendation', writeElements(fields))
}

function readEvacuation(row: PoolResult['element'] | string, result: PoolResult): EvacuationRow {
  const fields = rowFields(row, 'Recommendations', result)
  const hostUuid = fields.get('HostUuid')
  const recommendationId = fields.get('RecommendationId')
  if (hostUuid === undefined || recommendationId === undefined) {
    throw rejectResult(result, 'Missing VmUuid, RecID or HostUuid')
  }
  needNumber(recommendationId)
  return { hostUuid, recommendationId, vmUuid: fields.get('VmUuid') ?? '' }
}

/** Moves of VMs, and hosts to switch on or off. A pool shows them and does not carry them out. */
export interface GetOptimizationRecommendationsRequest {
  readonly poolUuid: string
}

export type OptimizationRow =
  | {
      readonly kind: 'move'
      readonly vmUuid: string
      /** '' when the answer does not name it. */
      readonly fromHostUuid: string
      readonly toHostUuid: string
      readonly reason: string
      readonly recommendationId: string
    }
  /** `reason` is `PowerOn` or `PowerOff`. */
  | { readonly kind: 'power'; readonly hostUuid: string; readonly reason: string; readonly recommendationId: string }

/** Empty for a balanced pool; otherwise a set of rows with an id that changes whenever the set changes. */
export type GetOptimizationRecommendationsResult =
  | { readonly kind: 'balanced' }
  | {
      readonly kind: 'unbalanced'
      readonly optimizationId: string
      /** `None`, `Low`, `Medium`, `High` or `Critical`; a pool ignores it. */
      readonly severity: string
      /** Their ids ascend in the order in which they should be carried out. */
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
          wrap('Recommendations', result.recommendations.map(writeOptimization).join('')) +
          writeElements({ Severity: result.severity }),
    read: (result): GetOptimizationRecommendationsResult => {
      if (isChildless(result.element)) return { kind: 'balanced' }
      const list = needChild(result, 'Recommendations')
      const optimizationId = leafText(needChild(result, 'OptimizationId'))
      needNumber(optimizationId)
      const recommendations = list.children.map((row) => readOptimization(row, result))
      return { kind: 'unbalanced', optimizationId, severity: readSeverity(result), recommendations }
    },
  },
)

function writeOptimization(row: OptimizationRow): string {
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

function readOptimization(row: PoolResult['element'] | string, result: PoolResult): OptimizationRow {
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

/** A pool ignores the severity, so no content of it makes the answer malformed. */
function readSeverity(result: PoolResult): string {
  for (const child of result.element.children) {
    const text = typeof child !== 'string' && child.local === 'Severity' ? child.children[0] : undefined
    if (typeof text === 'string') return text
  }
  return 'None'
}
